//! A trained network out of what other programs leave: a SavedModel of TensorFlow, or an artifact of ours among other files.
//!
//! Numbers are never changed: the weights of the artifact are those of the file, bit for bit.

mod saved_model;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    Artifact, ArtifactError,
    contract::{Contract, ContractError},
};

pub use saved_model::SavedModelError;

/// The file by which a SavedModel is known, at the root.
const SAVED_MODEL: &str = "saved_model.pb";
/// The ending of our artifacts.
const ARTIFACT: &str = ".safetensors";
/// The type of our own models, in the original's words.
const OWN_TYPE: &str = "slipway";

/// What became of some files.
#[derive(Debug)]
pub struct Imported {
    /// The network, ready to be published.
    pub artifact: Artifact,
    /// In the original's words, such as `tensorflow:2.15.1`.
    pub model_type: String,
}

/// Why files are no model that is understood.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Nothing that is known lies at the root.
    #[error("expected `{SAVED_MODEL}` or one file `*{ARTIFACT}` at the root, found {found}")]
    Unknown {
        /// What lies there.
        found: String,
    },
    /// It is a SavedModel that is not understood.
    #[error("the SavedModel cannot be taken in")]
    SavedModel(#[from] SavedModelError),
    /// The artifact is broken, or the parts make none.
    #[error("it is no artifact that can be served")]
    Artifact(#[from] ArtifactError),
    /// The contract is none, or does not fit.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

/// Makes an artifact of `files`, by path, called as `contract` says where there is one.
///
/// # Errors
///
/// [`ImportError`] says what is not understood, with its place.
pub fn import(files: &BTreeMap<String, Vec<u8>>, contract: Option<&[u8]>) -> Result<Imported, ImportError> {
    let contract = contract.map(Contract::decode).transpose()?;
    let imported = if files.contains_key(SAVED_MODEL) {
        saved_model::read(files)?
    } else {
        let at_root = files.iter().filter(|(path, _)| !path.contains('/'));
        let artifacts: Vec<_> = at_root.filter(|(path, _)| path.ends_with(ARTIFACT)).collect();
        let [(_, bytes)] = artifacts.as_slice() else {
            return Err(ImportError::Unknown { found: shown(files) });
        };
        Imported {
            artifact: Artifact::read(bytes)?,
            model_type: OWN_TYPE.to_owned(),
        }
    };
    let Some(contract) = contract else { return Ok(imported) };
    let header = imported.artifact.header();
    let signature = contract.honour(&header.signature)?;
    let network = imported.artifact.network().clone();
    Ok(Imported {
        artifact: Artifact::new(network, signature, header.training.clone(), header.profile.clone())?,
        ..imported
    })
}

/// The first few paths, for a message.
fn shown(files: &BTreeMap<String, Vec<u8>>) -> String {
    const SHOWN_MAX: usize = 5;
    let shown: Vec<String> = files.keys().take(SHOWN_MAX).map(|path| format!("`{path}`")).collect();
    match files.len().saturating_sub(SHOWN_MAX) {
        _ if files.is_empty() => "no file".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
