//! Parameter Store of Systems Manager: a file per operation.

mod get_parameter;

use std::sync::Arc;

pub use get_parameter::GetParameter;

use crate::call::Aws;

/// Systems Manager in a region, or where the operator says.
#[derive(Debug)]
pub struct Ssm {
    aws: Arc<Aws>,
    region: String,
    endpoint: Option<String>,
}

impl Ssm {
    /// Systems Manager in this region, at this base URL if one is said.
    pub fn new(aws: Arc<Aws>, region: String, endpoint: Option<String>) -> Self {
        Ssm { aws, region, endpoint }
    }
}
