//! The subcommands, a file each.

pub(crate) mod deploy;
pub(crate) mod down;
pub(crate) mod forward;
pub(crate) mod image;
pub(crate) mod launch;
pub(crate) mod load;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod upload;

/// A share, 0 to 1.
pub(crate) fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
