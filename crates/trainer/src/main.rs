//! The `trainer` program.

use std::process::ExitCode;

use clap::Parser;
use mnist_data::{AugmentationError, BatchSizeError, DownloadError, LoadError};
use trainer::{DeviceError, Diverged, Occupied, cli::Args};

fn main() -> ExitCode {
    console::finish(trainer::run(Args::parse()), hint)
}

/// What to type next, where that is known.
fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<LoadError>() {
        let fetches = "`mnist-data download` fetches the files, and so does `trainer` without `--no-download`";
        return error.is_missing_file().then(|| fetches.to_owned());
    }
    if let Some(DownloadError::NoSource { .. }) = error.downcast_ref() {
        return Some(
            "`mnist-data download --source DIR|URL` takes the files from a place that you can reach".to_owned(),
        );
    }
    if let Some(error) = error.downcast_ref::<BatchSizeError>() {
        return Some(format!(
            "`--batch-size` takes 1 to {} with these images",
            error.n_images
        ));
    }
    match error.downcast_ref::<AugmentationError>() {
        Some(AugmentationError::Shift { height, width, .. }) => {
            let most = height.min(width) - 1;
            return Some(format!(
                "`--shift-pixels` takes 0 to {most} with these images, and `--shift-share 0` leaves them where they are"
            ));
        }
        Some(AugmentationError::Size { .. }) => {
            return Some("`--affine-share 0 --elastic-share 0` leaves the images as they are".to_owned());
        }
        Some(AugmentationError::Range { .. }) | None => {}
    }
    if error.downcast_ref::<Occupied>().is_some() {
        return Some("`--models-dir DIR` names another folder".to_owned());
    }
    match error.downcast_ref::<DeviceError>() {
        Some(DeviceError::NotBuilt) => {
            return Some("`cargo build --release -p trainer --features wgpu` makes one that does".to_owned());
        }
        Some(DeviceError::NoAdapter(_)) => {
            return Some("`--device native` needs none, and is the fastest for a network of this size".to_owned());
        }
        None => {}
    }
    let diverged = error.downcast_ref::<Diverged>()?;
    let smaller = diverged.learning_rate / 10.0;
    let mut hint = format!("try a smaller step size, such as `--learning-rate {smaller}`");
    if !diverged.has_warm_up {
        hint += ", or let it rise slowly with `--warm-up-share 0.05`";
    }
    Some(hint)
}
