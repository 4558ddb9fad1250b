//! Provider-independent types for the messages sent to a model and for its reply.
//!
//! Each provider API has a dialect, which converts a [`Chat`] into an HTTP request and the HTTP
//! response into a [`Reply`].
//!
//! A conversation with tools alternates between an assistant message with [`ToolCall`]s and a user
//! message with a [`ToolResult`] for each of them. An assistant message also keeps the turn in the
//! provider's own format ([`RawTurn`]), because reasoning must be sent back exactly as it was
//! received.

mod check;
mod message;
mod named_enum;
mod raw_turn;
mod reply;
mod reply_builder;
mod request;
mod tools;
mod usage;

pub use message::{Media, Message, Part, Role};
pub use raw_turn::RawTurn;
pub use reply::{Reply, StopReason};
pub use reply_builder::{ReplyBuilder, ReplyEvent};
pub use request::{Chat, Sampling, Structure, Tags};
pub use tools::{Tool, ToolCall, ToolChoice, ToolContent, ToolResult};
pub(crate) use usage::ReportedCounts;
pub use usage::Usage;
