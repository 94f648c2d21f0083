//! The registry from outside: many publishers, failing stores, damaged and stray objects, and the folder it leaves.

#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that does not succeed is the end of the test"
)]

mod applications;
mod damage;
mod faults;
mod journal;
mod publish;
mod support;
