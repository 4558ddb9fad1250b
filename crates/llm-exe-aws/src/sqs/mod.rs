//! Queues of SQS: a file per operation.

mod send_message;

use std::sync::Arc;

pub use send_message::{Fifo, SendMessage};

use crate::call::Aws;

/// SQS in a region, or where the operator says.
#[derive(Debug)]
pub struct Sqs {
    aws: Arc<Aws>,
    region: Option<String>,
    endpoint: Option<String>,
}

impl Sqs {
    /// SQS in this region where a queue's own is not known, at this base URL if one is said.
    pub fn new(aws: Arc<Aws>, region: Option<String>, endpoint: Option<String>) -> Self {
        Sqs { aws, region, endpoint }
    }
}
