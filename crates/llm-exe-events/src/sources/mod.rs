//! The event sources: a file and a row each. The first row that recognises an event has it; what
//! no row recognises is a direct request.

mod alb;
mod direct;
mod eventbridge;
mod http_v1;
mod http_v2;
mod pipes;
mod s3;
mod sns;
mod sqs;
mod unsupported;

use serde_json::Value;

use crate::EventSource;

/// Every source, in the order in which they are asked; one that answers in several forms has a
/// row for each. The last one takes anything.
pub const SOURCES: &[&dyn EventSource] = &[
    &http_v2::HttpV2,
    &alb::Alb { is_multi: false },
    &alb::Alb { is_multi: true },
    &http_v1::HttpV1 { is_multi: false },
    &http_v1::HttpV1 { is_multi: true },
    &sqs::Sqs,
    &pipes::Pipes,
    &sns::Sns,
    &s3::S3,
    &eventbridge::EventBridge,
    &unsupported::Unsupported,
    &direct::Direct,
];

/// The source of an event.
pub fn detect(event: &Value) -> &'static dyn EventSource {
    SOURCES.iter().copied().find(|source| source.recognises(event)).unwrap_or(&direct::Direct)
}
