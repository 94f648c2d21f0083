//! Where things lie in the store. Names are checked when they are parsed, so none of them can leave its folder.
//!
//! ```text
//! models/{model}/artifacts/{sha256}.safetensors
//! models/{model}/versions/{number}.json
//! applications/{application}/revisions/{number}.json
//! journal/{number}.json
//! ```

use std::num::NonZeroU32;

use object_store::path::Path;

use formats::{
    digest::Digest,
    name::{ApplicationName, ModelName},
    version::ModelVersion,
};

/// The folder with one folder per model.
pub(crate) fn models() -> Path {
    Path::from("models")
}

/// The folder with one folder per application.
pub(crate) fn applications() -> Path {
    Path::from("applications")
}

pub(crate) fn artifact(model: &ModelName, digest: Digest) -> Path {
    Path::from_iter(["models", model.as_str(), "artifacts", &format!("{digest}.safetensors")])
}

pub(crate) fn versions(model: &ModelName) -> Path {
    Path::from_iter(["models", model.as_str(), "versions"])
}

pub(crate) fn version(model: &ModelVersion) -> Path {
    numbered(&versions(&model.name), model.version)
}

pub(crate) fn revisions(application: &ApplicationName) -> Path {
    Path::from_iter(["applications", application.as_str(), "revisions"])
}

/// The folder with what clients of the original left.
pub(crate) fn journal() -> Path {
    Path::from("journal")
}

/// The document with this number. Zeros in front make every listing, by whatever tool, a sorted one.
pub(crate) fn numbered(folder: &Path, number: NonZeroU32) -> Path {
    document(folder, number.get())
}

/// As [`numbered`]; with 0 a name that is taken by nothing and comes before all others.
pub(crate) fn document(folder: &Path, number: u32) -> Path {
    folder.clone().join(format!("{number:08}.json"))
}

/// The number in a file name, if the name is one that [`numbered`] gives.
pub(crate) fn number(file_name: &str) -> Option<NonZeroU32> {
    let digits = file_name.strip_suffix(".json")?;
    let number: NonZeroU32 = digits.parse().ok()?;
    (format!("{number:08}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_numbers() {
        assert_eq!(number("00000012.json"), NonZeroU32::new(12));
        assert_eq!(number("4294967295.json"), Some(NonZeroU32::MAX));
        for name in [
            "12.json",
            "00000000.json",
            "00000012.json.bak",
            "000000012.json",
            "+0000012.json",
            "x.json",
            "",
        ] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
