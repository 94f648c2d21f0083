//! Several stages in a row: what one gives, the next takes.

use std::collections::BTreeSet;

use expect_test::expect;
use formats::{
    application::{ApplicationSpec, Stage, Variant},
    signature::{Dimension, ElementType, Field, Quantity, Signature},
    tensor::Tensor,
};
use model::{Artifact, Layer, Network, Scratch};

use super::fixture::{Store, artifact, name, signature, singular};
use crate::{Applications, InferenceError};

fn field(name: &str, inner: &[u32], quantity: Option<Quantity>) -> Field {
    Field {
        name: name.to_owned(),
        element: ElementType::Float32,
        shape: std::iter::once(Dimension::Any)
            .chain(inner.iter().copied().map(Dimension::Fixed))
            .collect(),
        quantity,
    }
}

/// A model of four values whose last layer gives what `weights` [4, n] make of them, under the name `output`.
fn layer(input: Field, output: &str, weights: &[f32]) -> Artifact {
    let n_outputs = weights.len() / 4;
    let network = Network::new(vec![Layer {
        weights: weights.to_vec(),
        bias: vec![0.0; n_outputs],
    }]);
    let other = artifact("predict", 0);
    let signature = Signature {
        name: "predict".parse().unwrap(),
        inputs: vec![input],
        outputs: vec![field(output, &[n_outputs as u32], Some(Quantity::Logits))],
    };
    let header = other.header();
    Artifact::new(
        network.unwrap(),
        signature,
        header.training.clone(),
        header.profile.clone(),
    )
    .unwrap()
}

/// Swaps the first and the second of four values, or doubles all of them.
fn filter(swaps: bool) -> Artifact {
    let weights = match swaps {
        true => [0., 1., 0., 0., 1., 0., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.],
        false => [2., 0., 0., 0., 0., 2., 0., 0., 0., 0., 2., 0., 0., 0., 0., 2.],
    };
    layer(field("pixels", &[4], None), "imgs", &weights)
}

async fn publish(applications: &Applications, name: &str, artifact: &Artifact) {
    let bytes = artifact.encode().unwrap();
    applications
        .publish(&name.parse().unwrap(), bytes.into(), None)
        .await
        .unwrap();
}

/// Stages in which the versions share the traffic by weight.
fn in_a_row(stages: &[&[(&str, u32)]]) -> ApplicationSpec {
    let stage = |variants: &&[(&str, u32)]| Stage {
        signature: Some(signature("predict")),
        variants: (variants.iter())
            .map(|&(model, weight)| Variant {
                model: model.parse().unwrap(),
                weight,
            })
            .collect(),
    };
    ApplicationSpec {
        stages: stages.iter().map(stage).collect(),
        ..singular("row", "mnist:1")
    }
}

/// `filter:1` swaps, `filter:2` doubles, and `tell:1` gives back what it gets as `imgs`, two by two.
async fn published(store: &Store) -> Applications {
    let applications = store.open();
    publish(&applications, "filter", &filter(true)).await;
    publish(&applications, "filter", &filter(false)).await;
    let unchanged = [1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.];
    publish(
        &applications,
        "tell",
        &layer(field("imgs", &[2, 2], None), "told", &unchanged),
    )
    .await;
    publish(&applications, "mnist", &artifact("predict", 3)).await;
    applications
}

/// What the last stage gives for two images, and the versions that worked.
fn ask(applications: &Applications, ticket: u64) -> Result<(Vec<f32>, Vec<String>), InferenceError> {
    let route = applications.route(&name("row"), &signature("row"))?;
    let images = Tensor {
        shape: vec![2, 4],
        values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    };
    let mut scratch = Scratch::default();
    let prediction = route.predict(&images, ticket, &mut scratch)?;
    let versions = prediction.engines().map(|engine| engine.label().to_owned()).collect();
    Ok((prediction.outputs().logits.to_vec(), versions))
}

#[tokio::test]
async fn the_outputs_of_one_stage_are_the_inputs_of_the_next() {
    let store = Store::new();
    let applications = published(&store).await;
    let spec = in_a_row(&[&[("filter:1", 100)], &[("tell:1", 100)]]);
    applications.deploy(spec.clone()).await.unwrap();
    let (values, versions) = ask(&applications, 0).unwrap();
    assert_eq!(values, [2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0, 8.0]);
    assert_eq!(versions, ["filter:1", "tell:1"]);

    // It is called under its own name only, with the inputs of the first stage and the outputs of the last.
    let application = applications.application(&name("row")).unwrap();
    let [called] = application.signatures().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(called.name, signature("row"));
    assert_eq!((&*called.inputs[0].name, &*called.outputs[0].name), ("pixels", "told"));
    let versions: Vec<String> = application.versions().iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["filter:1", "tell:1"]);

    let restarted = store.open();
    restarted.refresh().await.unwrap();
    assert_eq!(ask(&restarted, 0).unwrap().0, values);
}

#[tokio::test]
async fn each_stage_shares_its_traffic_by_its_own_weights() {
    let store = Store::new();
    let applications = published(&store).await;
    publish(
        &applications,
        "tell",
        &layer(field("imgs", &[2, 2], None), "told", &[0.0; 16]),
    )
    .await;
    let spec = in_a_row(&[&[("filter:1", 30), ("filter:2", 70)], &[("tell:1", 50), ("tell:2", 50)]]);
    applications.deploy(spec).await.unwrap();
    let (mut ways, mut n_first) = (BTreeSet::new(), 0);
    for ticket in 0..1000 {
        let (_, versions) = ask(&applications, ticket).unwrap();
        assert_eq!(
            ask(&applications, ticket).unwrap().1,
            versions,
            "the same ticket takes the same way"
        );
        n_first += usize::from(versions[0] == "filter:1");
        ways.insert(versions);
    }
    assert_eq!((ways.len(), n_first), (4, 300));
}

#[tokio::test]
async fn stages_that_do_not_fit_are_refused_when_they_are_deployed() {
    let store = Store::new();
    let applications = published(&store).await;
    let short = layer(field("pixels", &[4], None), "imgs", &[0.0; 12]);
    publish(&applications, "short", &short).await;
    for (stages, expected) in [
        (
            &[&[("mnist:1", 100)][..], &[("tell:1", 100)]],
            expect![[r#"
                stages[1]
                wrong application `row`: it takes `imgs`, the stage before gives `class_ids`, `classes`, `logits`, `probabilities`"#]],
        ),
        (
            &[&[("short:1", 100)], &[("tell:1", 100)]],
            expect![[r#"
                stages[1]
                wrong application `row`: it takes `imgs` as float32 [-1, 2, 2], the stage before gives float32 [-1, 3]"#]],
        ),
        (
            &[&[("filter:1", 100)], &[("tell:9", 100)]],
            expect![[r#"
                stages[1].variants[0].model
                wrong application `row`: version `tell:9` is not registered"#]],
        ),
        (
            &[&[("filter:1", 100)], &[("tell:1", 99)]],
            expect![[r#"
                stages[1].variants
                wrong application `row`: weights add up to 99, expected 100"#]],
        ),
    ] {
        let error = applications.deploy(in_a_row(stages)).await.unwrap_err();
        let InferenceError::InvalidApplication { path, .. } = &error else {
            panic!("{error}")
        };
        expected.assert_eq(&format!("{path}\n{error}"));
    }
    let mut none = in_a_row(&[]);
    none.stages.clear();
    let error = applications.deploy(none).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "wrong application `row`: no stage, expected one at least"
    );
    assert!(applications.deployed().is_empty());
}

#[tokio::test]
async fn values_that_overflow_in_a_later_stage_are_refused_with_the_image() {
    let store = Store::new();
    let applications = published(&store).await;
    let huge = layer(field("imgs", &[2, 2], None), "told", &[3e38; 16]);
    publish(&applications, "huge", &huge).await;
    applications
        .deploy(in_a_row(&[&[("filter:2", 100)], &[("huge:1", 100)]]))
        .await
        .unwrap();
    let error = ask(&applications, 0).unwrap_err();
    assert_eq!(error.to_string(), "pixels[0]: these values are too large for the model");
}
