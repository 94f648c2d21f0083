use std::io::Write;

use expect_test::{Expect, expect};
use flate2::{Compression, write::GzEncoder};
use inference::with_causes;
use tar::{Builder, Header};

use super::*;

const MAX_BYTES: usize = 1 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive with one entry; the path goes in as it is, because the library refuses some that others write.
fn entry(kind: EntryType, path: &str, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, content).unwrap();
    builder.into_inner().unwrap()
}

fn check(tar: &[u8], expected: Expect) {
    let told = match unpack(&gzip(tar), MAX_BYTES) {
        Ok(files) => files
            .iter()
            .map(|(path, bytes)| format!("{path}: {} bytes\n", bytes.len()))
            .collect(),
        Err(error) => with_causes(&error),
    };
    expected.assert_eq(&told);
}

#[test]
fn files_in_folders_are_unpacked_and_the_root_may_be_named() {
    let mut builder = Builder::new(Vec::new());
    let mut add = |kind, path: &str, content: &[u8]| {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, path, content).unwrap();
    };
    add(EntryType::Directory, "./", b"");
    add(EntryType::Regular, "./saved_model.pb", b"graph");
    add(EntryType::Directory, "variables", b"");
    // Longer than a header has room for, so GNU's long name comes before it.
    let long = format!("variables/{}", "x".repeat(150));
    add(EntryType::Regular, &long, b"weights");
    let tar = builder.into_inner().unwrap();
    let files = unpack(&gzip(&tar), MAX_BYTES).unwrap();
    assert_eq!(files["saved_model.pb"], b"graph");
    assert_eq!(files[&long], b"weights");
    assert_eq!(files.len(), 2);
}

#[test]
fn what_leads_out_of_the_archive_is_refused() {
    use EntryType::Regular;
    check(
        &entry(Regular, "/etc/passwd", b"x"),
        expect!["its entry `/etc/passwd` leads out of the archive, or is no path"],
    );
    check(
        &entry(Regular, "variables/../../x", b"x"),
        expect!["its entry `variables/../../x` leads out of the archive, or is no path"],
    );
    check(
        &entry(Regular, "a\\..\\b", b"x"),
        expect!["its entry `a\\..\\b` leads out of the archive, or is no path"],
    );
    check(
        &entry(EntryType::Directory, "../", b""),
        expect!["its entry `../` leads out of the archive, or is no path"],
    );
    check(
        &entry(Regular, ".", b"x"),
        expect!["its entry `.` leads out of the archive, or is no path"],
    );
}

#[test]
fn what_is_neither_file_nor_folder_is_refused() {
    check(
        &entry(EntryType::Symlink, "link", b""),
        expect!["its entry `link` is a symbolic link, expected files and folders only"],
    );
    check(
        &entry(EntryType::Link, "link", b""),
        expect!["its entry `link` is a hard link, expected files and folders only"],
    );
    check(
        &entry(EntryType::Block, "sda", b""),
        expect!["its entry `sda` is a device, expected files and folders only"],
    );
    check(
        &entry(EntryType::Fifo, "pipe", b""),
        expect!["its entry `pipe` is a pipe, expected files and folders only"],
    );
}

#[test]
fn a_file_that_is_there_twice_is_refused() {
    let once = entry(EntryType::Regular, "saved_model.pb", b"x");
    // The two blocks of zeros at its end would hide what follows.
    let twice = [&once[..once.len() - 1024], &once].concat();
    check(&twice, expect!["its entry `saved_model.pb` is there twice"]);
}

#[test]
fn a_bomb_is_let_go_off_no_further_than_the_limit() {
    let bomb = entry(EntryType::Regular, "zeros", &vec![0; 3 * MAX_BYTES]);
    assert!(gzip(&bomb).len() < MAX_BYTES / 10);
    check(&bomb, expect!["it unpacks to more than 1048576 bytes"]);
    // Behind the end of the archive it is one as well.
    let small = entry(EntryType::Regular, "small", b"x");
    check(
        &[small, vec![0; 3 * MAX_BYTES]].concat(),
        expect!["it unpacks to more than 1048576 bytes"],
    );
}

#[test]
fn what_is_cut_off_or_no_archive_is_refused() {
    let whole = gzip(&entry(EntryType::Regular, "file", &[7; 5000]));
    assert!(unpack(&whole, MAX_BYTES).is_ok());
    for n_bytes in 0..whole.len() {
        assert!(unpack(&whole[..n_bytes], MAX_BYTES).is_err(), "{n_bytes} bytes");
    }
    let tar = entry(EntryType::Regular, "file", &[7; 5000]);
    check(
        &tar[..2000],
        expect!["it is not a whole tar archive in gzip: unexpected end of file"],
    );
    assert!(unpack(b"PK\x03\x04", MAX_BYTES).is_err());
}
