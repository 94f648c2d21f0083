//! Graphs of SavedModels: what is taken in is a network that can be kept, made of the variables that are there.

use std::{collections::BTreeMap, sync::LazyLock};

use formats::digest::Digest;
use model::{Artifact, export, import::import};

use crate::Outcome;

/// Where the graph is.
const GRAPH: &str = "saved_model.pb";

/// The artifact that the variables come from.
const ARTIFACT: &[u8] = include_bytes!("../../../fuzz/seeds/artifact/plain");

/// What lies beside each graph.
static VARIABLES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let artifact = Artifact::read(ARTIFACT).expect("the seed is an artifact");
    let files = export::saved_model(&artifact, &Digest::of(ARTIFACT)).into_iter();
    files.map(|file| (file.path.to_owned(), file.bytes)).collect()
});

/// The file `saved_model.pb`, beside variables of three layers.
pub fn graph(bytes: &[u8]) -> Outcome {
    let mut files = VARIABLES.clone();
    let n_values: usize = files.values().map(|bytes| bytes.len() / 4).sum();
    files.insert(GRAPH.to_owned(), bytes.to_vec());
    match import(&files, None) {
        Ok(imported) => {
            assert!(
                imported.artifact.network().n_parameters() <= 2 * n_values,
                "more weights than there are variables"
            );
            let written = imported.artifact.encode().expect("what is taken in can be written");
            assert_eq!(Artifact::read(&written).expect("and read again"), imported.artifact);
            Outcome::Accepted
        }
        Err(error) => Outcome::of(&error),
    }
}
