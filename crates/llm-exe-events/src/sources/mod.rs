//! The event sources. Each source has its own file and an entry in [`SOURCES`].

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

use crate::shapes;
use crate::source::EventSource;

/// All event sources, in the order in which they are tried. A source with several response formats
/// has one entry for each format. The last entry matches every event.
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

/// The source of direct requests, whose response is the result.
pub const DIRECT: &dyn EventSource = &direct::Direct;

/// Returns the first source that matches the event. An event that matches no other source is a
/// direct request.
pub fn detect(event: &Value) -> &'static dyn EventSource {
    // No source matches these events, which are the most frequent ones.
    if shapes::is_request(event) && event.get("requestContext").is_none() {
        return DIRECT;
    }
    SOURCES.iter().copied().find(|source| source.matches(event)).unwrap_or(DIRECT)
}
