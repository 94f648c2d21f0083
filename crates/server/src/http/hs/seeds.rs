//! The runtimes and the environment that the original lists from the start.

use formats::journal::{Environment, Runtime};
use serde_json::Map;

use super::ids::{Kind, id};

/// The environment of services that ask for none. Its id is 0 in the original, and clients know that.
const WITHOUT_ENVIRONMENT: &str = "Without Env";

/// Name, tag, what it serves, and how it is tagged.
const RUNTIMES: [(&str, &str, &[&str], &[&str]); 6] = [
    ("hydrosphere/serving-runtime-dummy", "latest", &[], &["dummy"]),
    (
        "hydrosphere/serving-runtime-spark",
        "2.0-latest",
        &["spark:2.0"],
        &["spark"],
    ),
    (
        "hydrosphere/serving-runtime-spark",
        "2.1-latest",
        &["spark:2.1"],
        &["spark"],
    ),
    (
        "hydrosphere/serving-runtime-spark",
        "2.2-latest",
        &["spark:2.2"],
        &["spark"],
    ),
    (
        "hydrosphere/serving-runtime-tensorflow",
        "1.7.0-latest",
        &["tensorflow:1.7.0"],
        &["tensorflow"],
    ),
    (
        "hydrosphere/serving-runtime-python",
        "3.6-latest",
        &["python:3.6"],
        &["python"],
    ),
];

pub(super) fn runtimes() -> Vec<Runtime> {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let runtime = |(name, version, model_types, tags): (&str, &str, &[&str], &[&str])| Runtime {
        name: name.to_owned(),
        version: version.to_owned(),
        model_types: texts(model_types),
        tags: texts(tags),
        config_params: Map::new(),
    };
    RUNTIMES.into_iter().map(runtime).collect()
}

pub(super) fn environments() -> Vec<Environment> {
    vec![Environment {
        name: WITHOUT_ENVIRONMENT.to_owned(),
        placeholders: Vec::new(),
    }]
}

/// The id of an environment.
pub(super) fn environment_id(name: &str) -> u64 {
    match name {
        WITHOUT_ENVIRONMENT => 0,
        name => id(Kind::Environment, name),
    }
}

/// The id of a runtime.
pub(super) fn runtime_id(runtime: &Runtime) -> u64 {
    id(Kind::Runtime, &format!("{}:{}", runtime.name, runtime.version))
}
