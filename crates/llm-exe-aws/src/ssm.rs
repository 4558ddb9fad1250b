//! A client of AWS Systems Manager with the operation `GetParameter` of Parameter Store:
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::{Deadline, InvalidSecret, Secret};
use serde::Deserialize;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use crate::client::{AwsClient, Call, CallError};
use crate::endpoint::service_url;

const TIMEOUT: Duration = Duration::from_secs(3);
/// A parameter has at most 8 KB, and the rest of the response is small.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Systems Manager in a region, or at a base URL.
#[derive(Debug)]
pub struct Ssm {
    client: Arc<AwsClient>,
    region: String,
    endpoint: Option<String>,
}

/// A request to read and decrypt a parameter.
#[derive(Debug, Clone, Copy)]
pub struct GetParameter<'a> {
    /// The full name, like `/LlmExeLambda/Secret/KeyOpenAI`.
    pub name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

impl Ssm {
    /// Creates a client for this region and, if set, this base URL.
    pub fn new(client: Arc<AwsClient>, region: String, endpoint: Option<String>) -> Self {
        Ssm { client, region, endpoint }
    }

    /// Returns the parameter's value, or the reason why the value can't be used as a secret.
    ///
    /// # Errors
    /// If the parameter does not exist or could not be read.
    pub async fn get_parameter(
        &self,
        get: GetParameter<'_>,
        deadline: Deadline,
    ) -> Result<Result<Secret, InvalidSecret>, CallError> {
        let reply = self.client.send(&self.get_parameter_call(get), deadline).await?;
        let response = serde_json::from_slice::<Response>(&reply.body);
        // The body contains the secret, too.
        if let Ok(mut bytes) = reply.body.try_into_mut() {
            bytes.as_mut().zeroize();
        }
        match response {
            Ok(response) => Ok(Secret::new(&Zeroizing::new(response.parameter.value))),
            Err(_) => Err(CallError::InvalidResponse("invalid response to GetParameter")),
        }
    }

    pub(crate) fn get_parameter_call(&self, get: GetParameter<'_>) -> Call {
        let body = json!({ "Name": get.name, "WithDecryption": true });
        let base = service_url(self.endpoint.as_deref(), "ssm", &self.region);
        Call {
            service: "ssm",
            region: self.region.clone(),
            method: Method::POST,
            url: format!("{base}/"),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", "AmazonSSM.GetParameter".to_owned()),
            ],
            body: Bytes::from(body.to_string()),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
            error_in_success: |_| None,
        }
    }
}
