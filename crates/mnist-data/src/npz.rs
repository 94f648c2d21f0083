//! Export for Python: `numpy.load` reads what this writes.
//!
//! An `.npz` file is a zip archive of `.npy` files, one for each array; an `.npy` file is a line of text about type and
//! shape, then the elements.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::NamedTempFile;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::dataset::{Dataset, LoadError};
use crate::files::Split;

/// Labels are kept as int8, which ends at 127.
const N_CLASSES_MAX: usize = 128;

/// Nearly all pixels are zeros, which the fastest level packs well enough.
const COMPRESSION_LEVEL: i64 = 1;

/// An export that failed; no file of it is left, unless whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot load the images to export")]
    Load(#[from] LoadError),
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: ZipError,
    },
    #[error("stopped before all files were written")]
    Interrupted,
}

/// Writes `train.npz` and `t10k.npz` from the IDX files of `data_dir` into the folder `output`, and returns their paths.
///
/// Each holds `imgs`, float32 `[n, height, width]` from 0 to 1, and `labels`, int8 `[n]`.
pub fn export_npz(data_dir: &Path, output: &Path, stop: &AtomicBool) -> Result<Vec<PathBuf>, ExportError> {
    let mut paths = Vec::new();
    for (split, name) in [(Split::Train, "train.npz"), (Split::Test, "t10k.npz")] {
        let dataset = Dataset::load(data_dir, split, N_CLASSES_MAX)?;
        let path = output.join(name);
        let written = write_file(&dataset, &path, stop);
        if stop.load(Ordering::Relaxed) {
            return Err(ExportError::Interrupted);
        }
        written.map_err(|source| ExportError::Write {
            path: path.clone(),
            source,
        })?;
        paths.push(path);
    }
    Ok(paths)
}

/// Writes a file under its name all at once. When told to stop it ends early, and leaves nothing.
fn write_file(dataset: &Dataset, path: &Path, stop: &AtomicBool) -> Result<(), ZipError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    write(dataset, &mut file, stop)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    share(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(File::open(folder)?.sync_all()?)
}

/// A temporary file belongs to its owner alone; a published one is there to be read.
fn share(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

fn write(dataset: &Dataset, file: &mut NamedTempFile, stop: &AtomicBool) -> Result<(), ZipError> {
    let n_images = dataset.n_images();
    let (height, width) = dataset.image_size();
    let n_image_bytes = n_images as u64 * dataset.n_pixels() as u64 * 4;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(COMPRESSION_LEVEL))
        .large_file(n_image_bytes >= u64::from(u32::MAX) / 2);
    let mut archive = ZipWriter::new(BufWriter::new(file));
    archive.start_file("imgs.npy", options)?;
    archive.write_all(&npy_header("<f4", &[n_images, height, width]))?;
    let mut pixels = vec![0.0_f32; dataset.n_pixels()];
    for index in 0..n_images {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        dataset.scale_into(index, &mut pixels);
        let bytes: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        archive.write_all(&bytes)?;
    }
    archive.start_file("labels.npy", options)?;
    archive.write_all(&npy_header("|i1", &[n_images]))?;
    // Labels below 128 are the same byte with and without a sign.
    archive.write_all(dataset.labels())?;
    archive.finish()?.flush()?;
    Ok(())
}

/// The start of an `.npy` file of version 1.0: magic number, length of the text, and the text, padded so that the elements
/// start at a multiple of 64 bytes.
fn npy_header(element: &str, shape: &[usize]) -> Vec<u8> {
    // A trailing comma makes a tuple of one number a tuple in Python.
    let shape: String = shape.iter().map(|dimension| format!("{dimension},")).collect();
    let mut text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({shape}), }}");
    const PREFIX: &[u8] = b"\x93NUMPY\x01\x00";
    let n_unpadded = PREFIX.len() + 2 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', n_unpadded.next_multiple_of(64) - n_unpadded));
    text.push('\n');
    let n_text = u16::try_from(text.len()).expect("three dimensions take less than a line");
    [PREFIX, &n_text.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use test_support::{Digits, Packing, Workspace, write_idx_files};
    use zip::ZipArchive;

    use super::*;

    fn entry(path: &Path, name: &str) -> Vec<u8> {
        let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_npy_header_is_what_numpy_itself_writes() {
        let header = npy_header("<f4", &[60_000, 28, 28]);
        assert_eq!(header.len(), 128);
        let text = String::from_utf8_lossy(&header[10..]);
        assert_eq!(
            text.trim_end(),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (60000,28,28,), }"
        );
        assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(header[127], b'\n');
    }

    #[test]
    fn the_files_of_the_original_are_written_with_scaled_images_and_labels() {
        let workspace = Workspace::new();
        write_idx_files(workspace.path(), 20, 10, Packing::Unpacked);
        let output = workspace.join("out");
        let paths = export_npz(workspace.path(), &output, &AtomicBool::new(false)).unwrap();
        assert_eq!(paths, [output.join("train.npz"), output.join("t10k.npz")]);
        assert_eq!(workspace.files("out"), ["out/t10k.npz", "out/train.npz"]);
        let digits = Digits::draw(20, 1);
        let (images, labels) = (entry(&paths[0], "imgs.npy"), entry(&paths[0], "labels.npy"));
        assert_eq!(images.len(), 128 + 20 * 784 * 4);
        assert_eq!(labels[128..], digits.labels);
        let pixels = images[128..]
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes));
        assert!(pixels.eq(digits.images.iter().map(|&pixel| f32::from(pixel) / 255.0)));
    }

    #[test]
    fn an_export_that_is_stopped_leaves_nothing() {
        let workspace = Workspace::new();
        write_idx_files(workspace.path(), 20, 10, Packing::Unpacked);
        let error = export_npz(workspace.path(), &workspace.join("out"), &AtomicBool::new(true)).unwrap_err();
        assert!(matches!(error, ExportError::Interrupted));
        assert!(workspace.files("out").is_empty());
    }
}
