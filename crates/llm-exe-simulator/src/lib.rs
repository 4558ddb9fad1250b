//! A simulator of language model providers, for tests and for users' CI.
//!
//! It imitates each provider's wire format over plain HTTP on the loopback interface. It sends
//! replies in the full documented format and rejects invalid requests with the provider's own
//! status and error body. A script can make it fail the way that networks and services fail
//! ([`Step`]), and a journal records every call ([`Call`]).
//!
//! This crate depends on no other crate of this workspace, so that the client and the simulator
//! cannot share a bug.

mod completion;
mod control;
mod dialects;
mod journal;
mod prompt_schema;
#[doc(hidden)]
pub mod response;
mod sample;
mod script;
mod server;
#[doc(hidden)]
pub mod sigv4;
mod simulator;
mod state;

pub use journal::{Call, CallOutcome, Observer};
pub use sample::value_for;
pub use script::response::{Fault, ScriptedResponse};
pub use script::{ScriptError, Step, When};
pub use simulator::Simulator;
