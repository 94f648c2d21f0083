//! The server as its clients see it: the router as a service without a socket, and a whole server on a free port.

#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that does not succeed is the end of the test"
)]

mod access;
mod adapters;
mod browser;
mod clients;
mod connections;
mod deploys;
mod encodings;
mod full_log;
mod grpc;
mod hostile;
mod hs;
mod http2;
mod life;
mod limits;
mod management;
mod metrics;
mod open_inference;
mod openapi;
mod outage;
mod page;
mod predict;
mod process;
mod secrets;
mod signals;
mod start;
mod support;
mod tls;
mod trained;
mod whole;
mod wrong_bodies;
