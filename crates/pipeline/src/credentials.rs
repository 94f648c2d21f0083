//! The secrets that open a server, from the files that hold them.

use std::{fs, path::Path};

use anyhow::Context;
use formats::secrets::{self, Secret};

/// The first secret in a file, where one is named.
pub(crate) fn first(path: Option<&Path>) -> anyhow::Result<Option<Secret>> {
    let Some(path) = path else { return Ok(None) };
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let secrets = secrets::parse(&text).with_context(|| format!("cannot use the secrets in `{}`", path.display()))?;
    Ok(secrets.into_iter().next())
}
