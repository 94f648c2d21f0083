//! The registry from outside: many publishers, failing stores, damaged and stray objects, and the
//! places where it is.

#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that does not succeed is the end of the test"
)]

mod applications;
mod bucket;
mod damage;
mod faults;
mod journal;
mod place;
mod publish;
mod support;
