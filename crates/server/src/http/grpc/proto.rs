//! The messages, made of the files in `proto` by the build script.

/// `inference.proto`
#[expect(
    unreachable_pub,
    clippy::enum_variant_names,
    reason = "nobody writes this code, and its names are those of the files"
)]
pub(in crate::http) mod inference {
    include!(concat!(env!("OUT_DIR"), "/inference.rs"));
}

/// `tensorflow.proto`
#[expect(unreachable_pub, reason = "nobody writes this code")]
pub(in crate::http) mod tensorflow {
    include!(concat!(env!("OUT_DIR"), "/tensorflow.rs"));

    /// `prediction_service.proto`
    pub(in crate::http) mod serving {
        include!(concat!(env!("OUT_DIR"), "/tensorflow.serving.rs"));
    }
}

/// The descriptors of all of them.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
