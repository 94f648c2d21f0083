//! The four files of MNIST: names, sizes and digests.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The two sets of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    Train,
    Test,
}

/// One of the four files of MNIST, unpacked. The digest is pinned here because compressed files of equal content differ
/// from mirror to mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    pub name: &'static str,
    pub n_bytes: u64,
    /// SHA-256 of the unpacked file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// 3 for images (number, height, width), 1 for labels.
    pub n_dimensions: usize,
}

/// All four files.
pub const FILES: [KnownFile; 4] = [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS];

const TRAIN_IMAGES: KnownFile = KnownFile {
    name: "train-images-idx3-ubyte",
    n_bytes: 47_040_016,
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    n_dimensions: 3,
};
const TRAIN_LABELS: KnownFile = KnownFile {
    name: "train-labels-idx1-ubyte",
    n_bytes: 60_008,
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    n_dimensions: 1,
};
const TEST_IMAGES: KnownFile = KnownFile {
    name: "t10k-images-idx3-ubyte",
    n_bytes: 7_840_016,
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    n_dimensions: 3,
};
const TEST_LABELS: KnownFile = KnownFile {
    name: "t10k-labels-idx1-ubyte",
    n_bytes: 10_008,
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    n_dimensions: 1,
};

impl Split {
    /// The file with this set's images.
    pub fn images(self) -> KnownFile {
        match self {
            Self::Train => TRAIN_IMAGES,
            Self::Test => TEST_IMAGES,
        }
    }

    /// The file with this set's labels.
    pub fn labels(self) -> KnownFile {
        match self {
            Self::Train => TRAIN_LABELS,
            Self::Test => TEST_LABELS,
        }
    }
}

/// SHA-256 of `bytes`, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_published_example_is_right() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn sizes_agree_with_what_the_sets_hold() {
        for (split, n_images) in [(Split::Train, 60_000), (Split::Test, 10_000)] {
            assert_eq!(split.images().n_bytes, 16 + n_images * 28 * 28);
            assert_eq!(split.labels().n_bytes, 8 + n_images);
        }
    }
}
