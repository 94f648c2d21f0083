use std::collections::HashMap;

use expect_test::{Expect, expect};
use formats::{
    artifact::{EffectiveAugmentation, EffectiveRecipe},
    digest::Digest,
    report::Accuracy,
    signature::Quantity,
};
use proptest::prelude::*;

use super::*;

/// A small artifact with a layer of width 1 and values that need every bit.
pub(crate) fn artifact() -> Artifact {
    let layer = |n_inputs: usize, n_outputs: usize| Layer {
        weights: (0..n_inputs * n_outputs)
            .map(|index| (index as f32 - 2.5) / 3.0)
            .collect(),
        bias: vec![-0.1; n_outputs],
    };
    let network = Network::new(vec![layer(4, 3), layer(3, 1), layer(1, 2)]).unwrap();
    let signature = Signature::classifier("predict".parse().unwrap(), 2, 2, 2);
    let accuracy = Accuracy { correct: 9, total: 10 };
    let training = TrainingSummary {
        engine: "burn ndarray".to_owned(),
        steps: 100,
        batch_size: 128,
        learning_rate: 0.01,
        schedule: "constant".to_owned(),
        seed: 7,
        recipe: Some(recipe()),
        final_loss: 0.123_456,
        clean: accuracy,
        noisy: accuracy,
    };
    Artifact::new(network, signature, training, profile()).unwrap()
}

fn recipe() -> EffectiveRecipe {
    EffectiveRecipe {
        name: "default".to_owned(),
        overridden: vec!["steps".to_owned()],
        warm_up_share: 0.05,
        weight_decay: 0.05,
        epsilon: 0.001,
        label_smoothing: 0.0,
        augmentation: EffectiveAugmentation {
            shift_share: 0.8,
            shift_pixels: 1,
            affine_share: 0.0,
            rotation: 10.0,
            scale: 0.1,
            shear: 0.1,
            elastic_share: 0.0,
            elastic_pixels: 1.5,
            elastic_smoothness: 4.0,
            noise_share: 0.2,
            noise_amplitude: 1.0,
        },
    }
}

fn profile() -> DataProfile {
    DataProfile {
        n_images: 3,
        class_counts: vec![1, 2],
        pixel_histogram: vec![4, 8],
        pixel_mean: 0.13,
        pixel_std: 0.31,
        ink_histogram: vec![3, 0],
        ink_std: 0.02,
        mean_image: vec![0.25; 4],
    }
}

/// The message of reading `bytes` with every cause, as a person sees it.
fn message(bytes: &[u8]) -> String {
    let error = Artifact::read(bytes).unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!("; because: {cause}");
        source = cause.source();
    }
    text
}

#[track_caller]
fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&message(bytes));
}

/// Writes the artifact's tensors and header again, after `change` has had its way with them.
fn rewritten(change: impl FnOnce(&mut Vec<(String, Vec<usize>, Vec<u8>)>, &mut serde_json::Value)) -> Vec<u8> {
    let artifact = artifact();
    let mut tensors = tensors(&artifact.network);
    let mut header = serde_json::to_value(&artifact.header).unwrap();
    change(&mut tensors, &mut header);
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), header.to_string())]);
    safetensors::serialize(views, Some(metadata)).unwrap()
}

#[test]
fn what_is_written_is_read_back_and_gives_the_same_bytes() {
    let bytes = artifact().encode().unwrap();
    let read = Artifact::read(&bytes).unwrap();
    assert_eq!(read, artifact());
    assert_eq!(read.encode().unwrap(), bytes);
}

/// Registries keep what earlier releases published.
#[test]
fn an_artifact_of_format_1_which_knew_no_recipes_is_read() {
    let bytes = rewritten(|_, header| {
        header["format"] = 1.into();
        header["training"].as_object_mut().unwrap().remove("recipe");
    });
    let read = Artifact::read(&bytes).unwrap();
    assert_eq!(read.network, artifact().network);
    assert_eq!(read.header.training.recipe, None);
}

/// Models of others are called as they please, and say of each output what it holds.
#[test]
fn an_artifact_with_names_of_its_own_is_read_and_has_a_format_that_says_so() {
    let mut signature = artifact().header.signature;
    signature.inputs[0].name = "flatten_input".to_owned();
    signature.inputs[0].shape = vec![Dimension::Any, Dimension::Fixed(4)];
    signature.outputs.drain(..3);
    signature.outputs[0].name = "dense_1".to_owned();
    let new = |signature: &Signature| {
        let Artifact { header, network } = artifact();
        Artifact::new(network, signature.clone(), header.training, header.profile)
    };
    assert!(
        matches!(new(&signature), Err(ArtifactError::Signature { .. })),
        "nobody says what it holds"
    );
    signature.outputs[0].quantity = Some(Quantity::Probabilities);
    let own = new(&signature).unwrap();
    assert_eq!((own.header.format, artifact().header.format), (3, 2));
    assert_eq!(Artifact::read(&own.encode().unwrap()).unwrap(), own);

    signature.outputs[0].element = ElementType::Int64;
    assert!(matches!(new(&signature), Err(ArtifactError::Signature { .. })));
    // What is called in its own way cannot pass for a model of the original.
    check(
        &rewritten(|_, header| {
            header["signature"]["outputs"][0]["name"] = "dense_1".into();
            header["signature"]["outputs"][0]["quantity"] = "class_ids".into();
        }),
        expect!["its signature `predict` does not fit a classifier of 4 pixels into 2 classes"],
    );
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let bytes = artifact().encode().unwrap();
    for end in 0..bytes.len() {
        assert!(Artifact::read(&bytes[..end]).is_err(), "{end} of {} bytes", bytes.len());
    }
    check(
        &bytes[..bytes.len() - 1],
        expect!["the file has 1875 bytes, not as many as it announces: it is truncated, or something was appended"],
    );
    check(
        &bytes[..3],
        expect!["the file has 3 bytes, not as many as it announces: it is truncated, or something was appended"],
    );
}

#[test]
fn an_appended_byte_is_refused() {
    let mut bytes = artifact().encode().unwrap();
    bytes.push(0);
    check(
        &bytes,
        expect!["the file has 1877 bytes, not as many as it announces: it is truncated, or something was appended"],
    );
}

#[test]
fn any_flipped_bit_gives_an_error_or_the_same_network() {
    let whole = artifact();
    let bytes = whole.encode().unwrap();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = Artifact::read(&flipped) {
            assert_eq!(read.network, whole.network, "bit {bit}");
        }
    }
}

#[test]
fn altered_weights_are_refused_by_their_digest() {
    let mut bytes = artifact().encode().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    check(
        &bytes,
        expect!["its tensors are altered: their digest is 6466aa4a0953, expected 58e21ee1f5c0"],
    );
}

#[test]
fn a_header_beyond_the_limit_is_refused_unread() {
    let mut bytes = artifact().encode().unwrap();
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    check(
        &bytes,
        expect!["it announces a header of 18446744073709551615 bytes, expected at most 1048576"],
    );
}

#[test]
fn a_profile_that_would_make_the_header_too_large_is_refused_when_written() {
    let mut artifact = artifact();
    artifact.header.profile.class_counts = vec![0; 1 << 20];
    assert!(matches!(artifact.encode(), Err(ArtifactError::HeaderTooLarge { .. })));
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let bytes = rewritten(|tensors, header| {
            let (_, _, bytes) = &mut tensors[1];
            bytes[4..8].copy_from_slice(&value.to_le_bytes());
            let all: Vec<u8> = tensors.iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
            header["tensors"] = Digest::of(&all).to_string().into();
        });
        check(&bytes, expect!["value 1 of `layers.0.weight` is not a finite number"]);
    }
}

#[test]
fn a_tensor_that_is_missing_misshapen_or_foreign_is_named() {
    check(
        &rewritten(|tensors, _| drop(tensors.remove(2))),
        expect!["it has no tensor `layers.1.bias`"],
    );
    check(
        &rewritten(|tensors, _| tensors[1].1 = vec![3, 4]),
        expect!["its tensor `layers.0.weight` is F32 [3, 4], expected F32 [4, 3]"],
    );
    check(
        &rewritten(|tensors, _| tensors.push(("extra".to_owned(), vec![1], vec![0; 4]))),
        expect!["it has a tensor `extra`, which its layer widths do not announce"],
    );
}

#[test]
fn a_header_that_lies_is_refused() {
    check(
        &rewritten(|_, header| header["layers"] = serde_json::json!([4])),
        expect!["its layer widths are [4], expected 2 to 33 numbers from 1 to 1048576"],
    );
    check(
        &rewritten(|_, header| header["layers"] = serde_json::json!([4, 4_294_967_295_u32, 1, 2])),
        expect!["its layer widths are [4, 4294967295, 1, 2], expected 2 to 33 numbers from 1 to 1048576"],
    );
    check(
        &rewritten(|_, header| header["layers"] = serde_json::json!([4, 5, 1, 2])),
        expect!["its tensor `layers.0.weight` is F32 [4, 3], expected F32 [4, 5]"],
    );
    check(
        &rewritten(|_, header| header["signature"]["inputs"][0]["shape"] = serde_json::json!([-1, 28, 28])),
        expect!["its signature `predict` does not fit a classifier of 4 pixels into 2 classes"],
    );
    check(
        &rewritten(|_, header| header["format"] = 4.into()),
        expect!["its format number is 4, expected 1 to 3"],
    );
    check(
        &rewritten(|_, header| header["surprise"] = 2.into()),
        expect![
            "cannot understand its `slipway` header; because: unknown field `surprise`, expected one of `format`, `signature`, `layers`, `tensors`, `training`, `profile` at line 1 column 545"
        ],
    );
}

#[test]
fn a_foreign_file_is_told_apart() {
    check(
        b"<!DOCTYPE html><html>",
        expect!["it announces a header of 5789751444030890300 bytes, expected at most 1048576"],
    );
    check(
        b"\x02\0\0\0\0\0\0\0{}",
        expect!["it has no `slipway` entry in its metadata, so `trainer` did not write it"],
    );
    check(
        b"\x02\0\0\0\0\0\0\0[]",
        expect![
            "it is not a safetensors file: invalid JSON in header: invalid type: sequence, expected struct HashMetadata at line 1 column 0"
        ],
    );
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Artifact::read(&bytes);
    }

    /// Deeper than random bytes reach: the length is right, the header is any text.
    #[test]
    fn any_header_gives_a_value_or_an_error(text in r#"[\[\]{}":,a-z0-9_ .-]{0,200}"#, data in proptest::collection::vec(any::<u8>(), 0..9)) {
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        let _ = Artifact::read(&bytes);
    }

    #[test]
    fn any_network_is_read_back_bit_for_bit(
        widths in proptest::collection::vec(1..7_usize, 2..12),
        seed in prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO,
    ) {
        let layers = widths.windows(2).map(|pair| Layer { weights: vec![seed; pair[0] * pair[1]], bias: vec![-seed; pair[1]] });
        let network = Network::new(layers.collect()).unwrap();
        let signature = Signature::classifier("predict".parse().unwrap(), 1, widths[0] as u32, *widths.last().unwrap() as u32);
        let artifact = Artifact::new(network, signature, artifact().header.training, profile()).unwrap();
        let read = Artifact::read(&artifact.encode().unwrap()).unwrap();
        let bits = |artifact: &Artifact| -> Vec<u8> { tensors(&artifact.network).into_iter().flat_map(|(_, _, bytes)| bytes).collect() };
        prop_assert_eq!(bits(&read), bits(&artifact));
        prop_assert_eq!(read, artifact);
    }
}
