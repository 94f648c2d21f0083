//! What tells one training from another: everything that decides its weights.

use std::collections::BTreeMap;

use model::Network;

use crate::{images::Images, limits::Limits, settings::TrainingSettings, training::timetable::Timetable};

/// Every value by its name. How many threads compute, and which instructions they use, changes nothing and is left out;
/// a limit of time ends a run early, and leaves the weights on the way as they are.
pub(crate) fn identity(
    settings: &TrainingSettings,
    limits: &Limits,
    timetable: &Timetable,
    images: &Images,
    initial: &Network,
) -> BTreeMap<String, String> {
    let values = settings.values().map(|(of, value)| (of.key.to_owned(), value));
    let mut identity = BTreeMap::from(values);
    let mut add = |key: &str, value: String| identity.insert(key.to_owned(), value);
    add("trainer", env!("CARGO_PKG_VERSION").to_owned());
    add("engine", settings.device.engine_name().to_owned());
    add("seed", settings.seed.to_string());
    add("layers", format!("{:?}", initial.widths()));
    add("images", images.training_digest().to_string());
    if let Some(held_out) = limits.held_out {
        add("held_out", held_out.to_string());
    }
    if let Some(patience) = limits.patience {
        // How often one looks decides which weights are the best that were seen.
        add("patience", patience.to_string());
        add("look_every", timetable.look_every.to_string());
    }
    identity
}
