//! Buses of EventBridge: a file per operation.

mod put_events;

use std::sync::Arc;

pub use put_events::PutEvents;

use crate::call::Aws;

/// EventBridge in the regions of its buses, or where the operator says.
#[derive(Debug)]
pub struct Events {
    aws: Arc<Aws>,
    endpoint: Option<String>,
}

impl Events {
    /// EventBridge, at this base URL if one is said.
    pub fn new(aws: Arc<Aws>, endpoint: Option<String>) -> Self {
        Events { aws, endpoint }
    }
}
