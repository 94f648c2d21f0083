//! Ids: the original counts things by database rows; here the id of a thing follows from its name.
//!
//! So nothing has to be kept, an id is the same after a restart, and every server on one registry gives the same one.

use formats::digest::Digest;

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Version,
    Application,
    Runtime,
    Environment,
}

/// Bits of an id: as many as a number in JSON keeps for every client, also one that computes with `f64`. Among 10,000
/// names the chance that two share an id is one in ten million.
const BITS: u32 = 52;

/// The id of the thing with this name, never 0.
pub(super) fn id(kind: Kind, name: &str) -> u64 {
    let digest = Digest::of(format!("{} {name}", kind.name()).as_bytes());
    let first = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    (u64::from_be_bytes(*first) >> (u64::BITS - BITS)).max(1)
}

impl Kind {
    /// What it is called in messages, and where its ids begin.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Version => "model version",
            Self::Application => "application",
            Self::Runtime => "runtime",
            Self::Environment => "environment",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Clients keep ids, so another release must give the same ones.
    #[test]
    fn the_id_of_a_name_never_changes() {
        assert_eq!(id(Kind::Version, "mnist:1"), 1_891_021_821_288_330);
        assert_eq!(id(Kind::Application, "mnist-app"), 1_493_373_842_793_965);
    }

    #[test]
    fn ten_thousand_versions_have_ids_of_their_own_that_json_keeps() {
        let ids: BTreeSet<u64> = (1..=10_000)
            .map(|number| id(Kind::Version, &format!("mnist:{number}")))
            .collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| (1..1 << 52).contains(id)));
    }
}
