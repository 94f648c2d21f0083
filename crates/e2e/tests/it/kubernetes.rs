//! Deliveries into a real cluster. They run where `RUN_CLUSTER_TESTS=1` is set: KUBECONFIG says which cluster, and
//! CLUSTER_IMAGES names two images that its nodes have, with the same programs under two names; `.ci/cluster` arranges all of
//! it.

mod bucket;
mod delivery;
mod documented;
mod drills;
mod image;
mod killed;
mod lost;
mod place;
mod real;
mod relay;
mod rendered;
mod retraining;
mod told;
