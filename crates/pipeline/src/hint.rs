//! What to type next when something went wrong.

use std::{error::Error, io};

use mnist_data::LoadError;

use crate::{
    client::ClientError,
    executor::{AddressTaken, Conflict, Denied, Held, MissingProgram, Trouble, Unreachable},
    image::ImageError,
    settings::SettingsError,
};

/// The next command or change that helps, where there is one.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(of_cause).map(str::to_owned)
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if cause.is::<AddressTaken>() {
        return Some("choose another address with the key `server.listen` of `pipeline.yaml`");
    }
    if let Some(trouble) = cause.downcast_ref::<Trouble>() {
        return Some(trouble.hint());
    }
    if let Some(error) = cause.downcast_ref::<ImageError>() {
        return Some(error.hint());
    }
    if cause.is::<Conflict>() {
        return Some("`--force-conflicts` takes over what they have set");
    }
    if cause.is::<Unreachable>() {
        return Some("`--context` and `--kubeconfig` choose another cluster; `kubectl cluster-info` asks the same one");
    }
    if cause.is::<Held>() {
        return Some("wait for its end; one that was killed is forgotten after 15 seconds");
    }
    if let Some(denied) = cause.downcast_ref::<Denied>() {
        return Some(denied.hint());
    }
    if cause.is::<MissingProgram>() {
        return Some("`cargo build --release` builds all four programs into one folder");
    }
    if let Some(SettingsError::Read { source, .. }) = cause.downcast_ref() {
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        return is_missing.then_some("call `pipeline` in the folder with `pipeline.yaml`, or name it with `--config`");
    }
    if let Some(ClientError::NoAnswer { .. }) = cause.downcast_ref() {
        return Some("`pipeline status` tells whether a server runs, `pipeline up` starts one");
    }
    let is_missing = cause.downcast_ref().is_some_and(LoadError::is_missing_file);
    is_missing.then_some("`mnist-data download` fetches the files")
}
