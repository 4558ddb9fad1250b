//! A simulator of language model providers, for tests and for users' CI.
//!
//! It imitates each provider's wire format over plain HTTP on loopback. It replies in the full
//! documented format, rejects invalid requests with the provider's own status and error body, can
//! be scripted to fail like networks and services do ([`Step`]), and records every call in a
//! journal ([`Call`]).
//!
//! It depends on no other crate of this workspace, so that the client and the simulator cannot
//! share a bug.

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
