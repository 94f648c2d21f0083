//! [`mnist_data::ensure`] against folders and a server with every fault that it is to survive.

use std::fs;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mnist_data::download::Event;
use mnist_data::{DownloadError, DownloadSummary, Source, ensure};
use test_support::{Fault, Packing, free_port, write_idx_files};

use crate::scene::{ALL_NEW, FIRST, Scene};

#[test]
fn packed_files_are_fetched_and_unpacked_and_a_second_run_asks_for_nothing() {
    let scene = Scene::new(Packing::Gzip);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
    let n_requests = scene.server.requests().len();
    assert_eq!(
        scene.download().unwrap(),
        DownloadSummary {
            n_present: 4,
            n_fetched: 0
        }
    );
    assert_eq!(scene.server.requests().len(), n_requests);
}

#[test]
fn unpacked_files_serve_as_well() {
    let scene = Scene::new(Packing::Unpacked);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn a_folder_is_a_source_too() {
    let mut scene = Scene::new(Packing::Gzip);
    let folder = scene.workspace.join("source");
    write_idx_files(&folder, 60, 20, Packing::Gzip);
    scene.settings.sources = vec![Source::Folder(folder)];
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn a_busy_server_is_asked_again() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(FIRST, &Fault::Status(503), 2);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    assert_eq!(scene.range_starts().len(), 3);
}

#[test]
fn a_server_that_stays_busy_is_given_up_for_now() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(FIRST, &Fault::Status(503), 100);
    let error = scene.download().unwrap_err();
    assert!(error.may_pass());
    assert_eq!(scene.range_starts().len(), 3);
    assert!(
        error.to_string().ends_with("the server answered with status 503"),
        "{error}"
    );
}

#[test]
fn what_cannot_pass_is_not_tried_again() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(FIRST, &Fault::Status(403), 100);
    assert!(!scene.download().unwrap_err().may_pass());
    assert_eq!(scene.range_starts().len(), 1);
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let scene = Scene::new(Packing::Gzip);
    // More often than there are attempts in a row: each of them brings something.
    scene.server.fault(FIRST, &Fault::DropAfter(1_000), 5);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
    assert_eq!(
        scene.range_starts(),
        [None, Some(1_000), Some(2_000), Some(3_000), Some(4_000), Some(5_000)]
    );
}

#[test]
fn a_silent_connection_is_given_up_and_taken_up_again() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(FIRST, &Fault::StallAfter(1_500), 1);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
    assert_eq!(scene.range_starts(), [None, Some(1_500)]);
}

#[test]
fn a_server_that_knows_no_ranges_sends_everything_again() {
    let scene = Scene::new(Packing::Gzip);
    scene.server.fault(FIRST, &Fault::DropAfter(1_000), 1);
    scene.server.fault(FIRST, &Fault::IgnoreRange, 1);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn a_part_that_does_not_fit_its_rest_is_fetched_again_as_a_whole() {
    let mut scene = Scene::new(Packing::Gzip);
    scene.settings.limits.attempts_max = NonZeroU32::MIN;
    scene.server.fault(FIRST, &Fault::DropAfter(1_000), 1);
    scene.server.fault(FIRST, &Fault::Status(503), 1);
    assert!(scene.download().unwrap_err().may_pass());
    let parts = scene.workspace.files("data/.staging");
    assert_eq!(parts.len(), 1, "{parts:?}");
    scene.workspace.write(&parts[0], &[0xee; 1_000]);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
    assert_eq!(scene.range_starts(), [None, Some(1_000), Some(1_000), None]);
}

#[test]
fn a_part_longer_than_the_file_is_thrown_away() {
    let mut scene = Scene::new(Packing::Gzip);
    scene.settings.limits.attempts_max = NonZeroU32::MIN;
    scene.server.fault(FIRST, &Fault::DropAfter(1_000), 1);
    scene.server.fault(FIRST, &Fault::Status(503), 1);
    scene.download().unwrap_err();
    scene.settings.limits.attempts_max = NonZeroU32::new(3).unwrap();
    scene
        .workspace
        .write(&scene.workspace.files("data/.staging")[0], &[0; 1_000_000]);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn a_data_folder_that_cannot_be_made_stops_at_once() {
    let scene = Scene::new(Packing::Gzip);
    scene.workspace.write("data", b"a file is in the way");
    assert_eq!(scene.failure(), "cannot read `./data/train-images-idx3-ubyte`");
    assert!(scene.server.requests().is_empty());
}

#[test]
fn an_unreachable_mirror_is_left_for_the_next_one_without_waiting() {
    let mut scene = Scene::new(Packing::Gzip);
    let closed = Source::Url(format!("http://127.0.0.1:{}/", free_port()));
    scene.settings.sources.insert(0, closed.clone());
    scene.settings.limits.pause_first = Duration::from_secs(60);
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
}

#[test]
fn the_next_source_gives_only_what_the_first_one_could_not() {
    let mut scene = Scene::new(Packing::Gzip);
    let folder = scene.workspace.join("source");
    write_idx_files(&folder, 60, 20, Packing::Gzip);
    fs::remove_file(folder.join("t10k-images-idx3-ubyte.gz")).unwrap();
    scene.settings.sources.insert(0, Source::Folder(folder));
    assert_eq!(scene.download().unwrap(), ALL_NEW);
    scene.expect_all_files();
    let fetched: Vec<String> = scene
        .server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(fetched, ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]);
}

#[test]
fn downloads_at_once_into_one_folder_do_not_disturb_each_other() {
    let scene = Scene::new(Packing::Gzip);
    thread::scope(|scope| {
        let downloads: Vec<_> = (0..4).map(|_| scope.spawn(|| scene.download().unwrap())).collect();
        let n_fetched: usize = downloads
            .into_iter()
            .map(|download| download.join().unwrap().n_fetched)
            .sum();
        assert_eq!(n_fetched, 4);
    });
    scene.expect_all_files();
    assert_eq!(scene.server.requests().len(), 4);
}

#[test]
fn a_stop_is_noticed_while_nothing_arrives() {
    let mut scene = Scene::new(Packing::Gzip);
    scene.settings.limits.stall_max = Duration::from_secs(600);
    scene.server.fault(FIRST, &Fault::StallAfter(1_000), 1);
    let stop = AtomicBool::new(false);
    let mut report = |event: Event<'_>| {
        if matches!(event, Event::Arriving { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let result = ensure(&scene.workspace.join("data"), &scene.settings, &stop, &mut report);
    assert!(matches!(result, Err(DownloadError::Interrupted(_))));
}
