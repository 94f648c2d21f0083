//! What may get one of the four names, and what happens to what had it before.

use std::fs;
use std::sync::atomic::AtomicBool;

use mnist_data::download::Event;
use mnist_data::{DownloadError, DownloadSummary, Source, ensure};
use test_support::{Digits, Fault, Packing, write_idx_files};

use crate::scene::{ALL_NEW, FIRST, Scene};

#[test]
fn a_login_page_instead_of_a_file_is_called_so() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(
        FIRST,
        &Fault::WrongBytes(b"<!doctype html><title>Hotel</title>".to_vec()),
        1,
    );
    assert_eq!(
        scene.failure(),
        "no source gave `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, \
         `t10k-labels-idx1-ubyte`\n    URL/: `URL/train-images-idx3-ubyte.gz` is not the file \
         `train-images-idx3-ubyte`: it is a web page, as a login portal or a proxy sends it instead of a file"
    );
    assert!(scene.workspace.files("data").is_empty());
}

#[test]
fn wrong_bytes_never_get_their_name() {
    let scene = Scene::new(Packing::Gzip);
    for wrong in [
        &b"\x1f\x8b\x08 not gzip at all"[..],
        b"\0\0\x08\x03\0\0\0\x05",
        b"",
        b"noise",
    ] {
        scene.server.fault(FIRST, &Fault::WrongBytes(wrong.to_vec()), 1);
        let failure = scene.failure();
        assert!(
            failure.contains("is not the file `train-images-idx3-ubyte`: "),
            "{failure}"
        );
        assert!(scene.workspace.files("data").is_empty());
    }
}

#[test]
fn another_digest_is_refused_with_the_expected_and_the_found_one() {
    let mut scene = Scene::new(Packing::Gzip);
    scene.settings.any_digest = false;
    let failure = scene.failure();
    let found = mnist_data::sha256(&Digits::draw(60, 1).images_idx());
    let expected = "expected 47040016 bytes with SHA-256 \
                    ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db, found 47056 bytes with SHA-256 ";
    assert!(failure.contains(&format!("{expected}{found}")), "{failure}");
    assert!(scene.workspace.files("data").is_empty());
}

#[test]
fn files_with_unknown_digests_are_fetched_again_where_that_is_asked_for() {
    let mut scene = Scene::new(Packing::Gzip);
    scene.download().unwrap();
    scene.settings.refresh = true;
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn a_damaged_file_is_replaced_and_whole_ones_are_left_alone() {
    let scene = Scene::new(Packing::Gzip);
    scene.download().unwrap();
    let path = scene.workspace.join("data/t10k-images-idx3-ubyte");
    let half = fs::read(&path).unwrap()[..5_000].to_vec();
    fs::write(&path, half).unwrap();
    assert_eq!(
        scene.download().unwrap(),
        DownloadSummary {
            n_present: 3,
            n_fetched: 1
        }
    );
    scene.expect_all_files();
}

#[test]
fn a_whole_foreign_file_is_set_aside_and_never_lost() {
    let scene = Scene::new(Packing::Gzip);
    let foreign = Digits::draw(7, 7).labels_idx();
    scene.workspace.write("data/train-images-idx3-ubyte", &foreign);
    let mut notes = Vec::new();
    let mut report = |event: Event<'_>| {
        if let Event::Note(text) = event {
            notes.push(text.to_owned());
        }
    };
    ensure(
        &scene.workspace.join("data"),
        &scene.settings,
        &AtomicBool::new(false),
        &mut report,
    )
    .unwrap();
    let aside = format!(
        "data/train-images-idx3-ubyte.other-{}",
        &mnist_data::sha256(&foreign)[..8]
    );
    assert_eq!(scene.workspace.read(&aside), foreign);
    assert_eq!(
        scene.workspace.read("data/train-images-idx3-ubyte"),
        Digits::draw(60, 1).images_idx()
    );
    assert!(
        notes.iter().any(|note| note.contains("not MNIST's: it is now")),
        "{notes:?}"
    );
}

#[test]
fn a_folder_without_one_of_the_files_is_told_which() {
    let mut scene = Scene::new(Packing::Gzip);
    let folder = scene.workspace.join("source");
    write_idx_files(&folder, 20, 20, Packing::Unpacked);
    fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
    scene.settings.sources = vec![Source::Folder(folder)];
    assert_eq!(
        scene.failure(),
        "no source gave `t10k-labels-idx1-ubyte`\n    folder `./source`: \
         there is neither `t10k-labels-idx1-ubyte` nor `t10k-labels-idx1-ubyte.gz`"
    );
}

#[test]
fn images_and_labels_that_do_not_belong_together_are_refused() {
    let mut scene = Scene::new(Packing::Gzip);
    let folder = scene.workspace.join("source");
    write_idx_files(&folder, 20, 20, Packing::Unpacked);
    fs::write(folder.join("t10k-labels-idx1-ubyte"), Digits::draw(21, 1).labels_idx()).unwrap();
    scene.settings.sources = vec![Source::Folder(folder)];
    assert!(matches!(scene.download(), Err(DownloadError::Unfit(_))));
}

/// Defect of the original: it took whatever came, tried once, and read on behind any header.
#[test]
fn the_original_downloaded_without_digest_retry_or_header_check() {
    let mut scene = Scene::new(Packing::Gzip);
    let other_magic = b"\0\0\x07\x03 this is no IDX type".to_vec();
    scene.server.fault(FIRST, &Fault::WrongBytes(other_magic), 1);
    assert!(
        scene.failure().contains("at byte 2: expected a type code"),
        "the header is checked"
    );
    scene.server.fault(FIRST, &Fault::Status(500), 1);
    assert_eq!(scene.download().unwrap(), ALL_NEW, "a passing failure is tried again");
    scene.settings.any_digest = false;
    assert!(scene.failure().contains("bytes with SHA-256"), "the digest is checked");
}
