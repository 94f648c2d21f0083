//! What the programs of others make of our exports: they answer as we do.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, not the functions that several tests share"
)]

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

use expect_test::expect;
use formats::digest::Digest;
use mnist_data::{Dataset, DownloadSettings, Source, Split};
use model::{Artifact, Classified};
use serde_json::Value;
use test_support::{Digits, OnDemand, Python, Workspace};

use super::{ARTIFACT, exported, trained};
use crate::{start, workspace};

/// Largest difference between two logits of the same image.
const LOGIT_DIFFERENCE_MAX: f64 = 1e-4;
/// Longer than 10,000 steps take on a busy machine.
const REAL_MAX: Duration = Duration::from_secs(600);
/// Images that both sides classify.
const N_IMAGES: usize = 1000;

/// A trained network, images, and what we say of them.
struct Subject {
    workspace: Workspace,
    side: usize,
    expected: Classified,
}

impl Subject {
    /// Trains on drawn digits, of which every `step`th row and column is kept, and classifies others.
    fn drawn(step: usize) -> Self {
        let workspace = match step {
            1 => workspace(),
            step => smaller_digits(step),
        };
        let pixels = thinned(&Digits::draw(N_IMAGES, 3).images, step);
        let images = pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
        Self::new(trained(workspace), images, 28 / step)
    }

    /// Trains on real MNIST, as long as a delivery does, and classifies test images.
    fn real() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
        let source = std::env::var("MNIST_SOURCE").map(|source| vec![source.parse().unwrap()]);
        let settings = DownloadSettings {
            sources: source.unwrap_or_else(|_| Source::public()),
            ..DownloadSettings::public()
        };
        let workspace = Workspace::new();
        let data_dir = workspace.join("data/mnist");
        mnist_data::ensure(&data_dir, &settings, &AtomicBool::new(false), &mut |_| {}).unwrap();
        let outcome = start(&workspace, &["--steps", "10000"], &[]).wait(REAL_MAX);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let images = Dataset::load(&data_dir, Split::Test, 10).unwrap();
        let (images, _) = images.scaled(0..N_IMAGES).into_raw_vec_and_offset();
        Self::new(workspace, images, 28)
    }

    fn new(workspace: Workspace, images: Vec<f32>, side: usize) -> Self {
        let bytes: Vec<u8> = images.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        workspace.write("images.f32", &bytes);
        let artifact = Artifact::read(&workspace.read(ARTIFACT)).unwrap();
        let expected = artifact.network().classify(&images, N_IMAGES).unwrap();
        for class_id in 0..10 {
            let n_images = expected.class_ids.iter().filter(|&&found| found == class_id).count();
            assert!(
                n_images > 0,
                "no image is taken for {class_id}: such answers prove little"
            );
        }
        Self {
            workspace,
            side,
            expected,
        }
    }

    fn side(&self) -> String {
        self.side.to_string()
    }

    /// Runs a script that prints one JSON document.
    fn run(&self, python: &Python, script: &str, arguments: &[&str]) -> Value {
        let text = python.run(&self.workspace, &beside(script), arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The answers to all images, to the first alone and to none are ours.
    #[track_caller]
    fn check(&self, document: &Value) {
        for (key, n_images) in [("all", N_IMAGES), ("one", 1), ("none", 0)] {
            let answer = &document[key];
            let columns = |name: &str| rows(&answer[name]).len();
            for name in ["logits", "probabilities", "class_ids", "classes"] {
                assert_eq!(columns(name), n_images, "{key}: {name}");
            }
            self.check_logits(&answer["logits"]);
            for (index, &class_id) in self.expected.class_ids[..n_images].iter().enumerate() {
                assert_eq!(
                    answer["class_ids"][index],
                    serde_json::json!([class_id]),
                    "{key}: image {index}"
                );
                assert_eq!(
                    answer["classes"][index],
                    serde_json::json!([class_id.to_string()]),
                    "{key}: image {index}"
                );
                let probabilities = numbers(&answer["probabilities"][index]);
                let sum: f64 = probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{key}: image {index}: {sum}");
                for (found, expected) in probabilities.iter().zip(&self.expected.probabilities[10 * index..]) {
                    assert!((found - f64::from(*expected)).abs() < 1e-4, "{key}: image {index}");
                }
            }
        }
    }

    #[track_caller]
    fn check_logits(&self, logits: &Value) {
        for (index, row) in rows(logits).iter().enumerate() {
            let found = numbers(row);
            let expected = &self.expected.logits[10 * index..10 * (index + 1)];
            assert_eq!(found.len(), expected.len());
            for (found, &expected) in found.iter().zip(expected) {
                let difference = (found - f64::from(expected)).abs();
                assert!(
                    difference <= LOGIT_DIFFERENCE_MAX,
                    "image {index}: {found} and {expected}"
                );
            }
        }
    }

    /// What an export says of the artifact that it was made from.
    #[track_caller]
    fn check_origin(&self, origin: &Value) {
        let origin: Value = serde_json::from_str(origin.as_str().unwrap()).unwrap();
        let digest = Digest::of(&self.workspace.read(ARTIFACT));
        assert_eq!(origin["artifact"], digest.to_string());
        let artifact = Artifact::read(&self.workspace.read(ARTIFACT)).unwrap();
        assert_eq!(origin["training"]["seed"], artifact.header().training.seed);
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers(row: &Value) -> Vec<f64> {
    rows(row).iter().map(|number| number.as_f64().unwrap()).collect()
}

/// A file that lies beside this one.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/export").join(name)
}

/// Every `step`th row and column of images with 28 × 28 pixels.
fn thinned(images: &[u8], step: usize) -> Vec<u8> {
    let rows = images.chunks(28).enumerate().filter(|(row, _)| row % 28 % step == 0);
    rows.flat_map(|(_, row)| row.iter().step_by(step).copied()).collect()
}

/// A workspace like any other, with smaller images.
fn smaller_digits(step: usize) -> Workspace {
    let workspace = Workspace::new();
    for (set, n_images, seed) in [("train", 300, 1), ("t10k", 100, 2)] {
        let digits = Digits::draw(n_images, seed);
        let mut images = vec![0, 0, 8, 3];
        for length in [n_images, 28 / step, 28 / step] {
            images.extend((length as u32).to_be_bytes());
        }
        images.extend(thinned(&digits.images, step));
        workspace.write(&format!("data/mnist/{set}-images-idx3-ubyte"), &images);
        workspace.write(&format!("data/mnist/{set}-labels-idx1-ubyte"), &digits.labels_idx());
    }
    workspace
}

/// onnxruntime answers as we do, and the checker has nothing against the file.
#[track_caller]
fn check_onnx(subject: &Subject) {
    exported(&subject.workspace, "onnx", "mnist.onnx");
    let side = subject.side();
    let python = Python::with(&beside("onnx.txt"));
    let document = subject.run(&python, "run_onnx.py", &["mnist.onnx", "images.f32", &side, &side]);
    subject.check(&document);
    subject.check_origin(&document["origin"]);
}

/// TensorFlow answers as we do, and saves the variables as we do.
#[track_caller]
fn check_tensorflow(subject: &Subject) {
    let workspace = &subject.workspace;
    exported(workspace, "savedmodel", "saved");
    let side = subject.side();
    let python = Python::with(&beside("tensorflow.txt"));
    let arguments = ["saved", "images.f32", &side, &side, "again"];
    let document = subject.run(&python, "run_tensorflow.py", &arguments);
    subject.check(&document);
    let variables = &document["variables"];
    let first = serde_json::json!([subject.side * subject.side, 256]);
    assert_eq!(variables["dnn/hiddenlayer_0/kernel:0"], first, "{variables}");
    for file in ["index", "data-00000-of-00001"] {
        let ours = workspace.read(&format!("saved/variables/variables.{file}"));
        assert!(ours == workspace.read(&format!("again.{file}")), "{file} differs");
    }
}

#[test]
fn onnxruntime_answers_as_we_do_for_images_of_any_size() {
    if OnDemand::Interop.is_asked_for() {
        check_onnx(&Subject::drawn(1));
        check_onnx(&Subject::drawn(2));
    }
}

#[test]
fn the_plain_weights_compute_what_we_compute() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::drawn(1);
    exported(&subject.workspace, "safetensors", "plain.safetensors");
    let python = Python::with(&beside("onnx.txt"));
    let document = subject.run(
        &python,
        "run_safetensors.py",
        &["plain.safetensors", "images.f32", "784"],
    );
    assert_eq!(rows(&document["logits"]).len(), N_IMAGES);
    subject.check_logits(&document["logits"]);
    assert_eq!(document["format"], "pt");
    subject.check_origin(&document["origin"]);
}

// TensorFlow takes more than a gigabyte, and real MNIST 10,000 steps: both are for those who ask for them.

#[test]
fn tensorflow_answers_as_we_do_for_images_of_any_size() {
    if OnDemand::Slow.is_asked_for() {
        check_tensorflow(&Subject::drawn(1));
        check_tensorflow(&Subject::drawn(2));
    }
}

#[test]
fn real_mnist_is_classified_alike_by_onnxruntime_and_tensorflow() {
    if OnDemand::Slow.is_asked_for() {
        let subject = Subject::real();
        check_onnx(&subject);
        check_tensorflow(&subject);
    }
}

#[test]
fn the_command_line_of_tensorflow_shows_the_signature_of_the_original() {
    if !OnDemand::Slow.is_asked_for() {
        return;
    }
    let python = Python::with(&beside("tensorflow.txt"));
    let workspace = trained(workspace());
    exported(&workspace, "savedmodel", "saved");
    let show = [
        "show",
        "--dir",
        "saved",
        "--tag_set",
        "serve",
        "--signature_def",
        "predict",
    ];
    let outcome = workspace.run(&python.program("saved_model_cli"), &show);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    expect![[r#"
        The given SavedModel SignatureDef contains the following input(s):
          inputs['imgs'] tensor_info:
              dtype: DT_FLOAT
              shape: (-1, 28, 28)
              name: imgs:0
        The given SavedModel SignatureDef contains the following output(s):
          outputs['class_ids'] tensor_info:
              dtype: DT_INT64
              shape: (-1, 1)
              name: head/predictions/ExpandDims:0
          outputs['classes'] tensor_info:
              dtype: DT_STRING
              shape: (-1, 1)
              name: head/predictions/str_classes:0
          outputs['logits'] tensor_info:
              dtype: DT_FLOAT
              shape: (-1, 10)
              name: dnn/logits/BiasAdd:0
          outputs['probabilities'] tensor_info:
              dtype: DT_FLOAT
              shape: (-1, 10)
              name: head/predictions/probabilities:0
        Method name is: tensorflow/serving/predict
    "#]]
    .assert_eq(&outcome.stdout);
}
