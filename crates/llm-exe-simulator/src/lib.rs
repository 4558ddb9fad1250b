//! A simulator of language model providers, for tests and CI.
//!
//! It imitates each provider's wire format over plain HTTP on the loopback interface. It sends
//! replies in the full documented format and rejects invalid requests with the provider's own
//! status and error body. The types of a body are checked against those of the vendor's package.
//! A script of [`Step`]s can make it fail in the ways that networks and services fail, and a
//! journal records every [`Call`].
//!
//! This crate does not depend on any other crate of the workspace, so that the simulator and the
//! client under test cannot share a bug.

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
mod types;

#[doc(hidden)]
pub use dialects::stream::{AWS_EVENT_STREAM, event_frame};
pub use journal::{Call, CallOutcome, Observer};
pub use sample::value_for;
pub use script::response::{Fault, ScriptedResponse, ToolCall};
pub use script::stream::{StreamEnd, StreamScript};
pub use script::{ScriptError, Step, When};
pub use simulator::Simulator;
