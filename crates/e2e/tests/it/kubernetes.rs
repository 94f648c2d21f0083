//! Deliveries into a real cluster. They run where `RUN_CLUSTER_TESTS=1` is set: KUBECONFIG says which cluster, and
//! CLUSTER_IMAGES names two images that its nodes have, with the same programs under two names; `.ci/cluster` arranges all of
//! it.

mod delivery;
mod drills;
mod image;
mod place;
mod relay;
mod rendered;
