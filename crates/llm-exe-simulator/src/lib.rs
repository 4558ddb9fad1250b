//! A simulator of language model providers, for tests and for users' CI.
//!
//! It imitates each provider's wire dialect over plain HTTP on loopback: it answers in the full
//! documented shape, refuses what the real service refuses with the provider's own status and
//! error body, can be scripted to fail in the ways that networks and services fail, and keeps a
//! journal of every call. It depends on no other crate of this workspace, on purpose, so that
//! tests can't agree with themselves.
//!
//! In: HTTP requests, and steps (`Step`) that say what to do with the next ones. Out: HTTP
//! replies, and the journal (`Call`). [`runtime_api`] imitates AWS Lambda's Runtime API in the
//! same manner, and [`aws`] the stores and queues that a function writes to.

mod accept;
mod action;
mod answer;
pub mod aws;
mod control;
mod dialects;
mod journal;
mod prompt_schema;
pub mod runtime_api;
mod sample;
mod script;
mod server;
mod sigv4;
mod simulator;
mod state;
mod then;

pub use journal::{Answered, Call};
pub use sample::value_for;
pub use script::{ScriptError, Step, When};
pub use simulator::{Observer, Simulator};
pub use then::{Fault, Then};
