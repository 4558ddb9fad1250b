//! A client for AWS Systems Manager. It supports only the Parameter Store operation `GetParameter`:
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
/// The maximum size of a response. A parameter value has at most 8 KB, and the other fields are
/// short.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// A Systems Manager client for a single region. Requests go to a custom base URL if one is set.
#[derive(Debug)]
pub struct Ssm {
    client: Arc<AwsClient>,
    region: String,
    endpoint: Option<String>,
}

/// The input of `GetParameter`, which reads and decrypts a parameter.
#[derive(Debug, Clone, Copy)]
pub struct GetParameter<'a> {
    /// The full name of the parameter, such as `/LlmExeLambda/Secret/KeyOpenAI`.
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
    /// Creates a client for the given region. If `endpoint` is set, requests go to that base URL
    /// instead of the regional endpoint.
    pub fn new(client: Arc<AwsClient>, region: String, endpoint: Option<String>) -> Self {
        Ssm { client, region, endpoint }
    }

    /// Returns the decrypted value, or the reason why it is not a valid secret.
    ///
    /// # Errors
    /// Returns an error if the parameter does not exist or can't be read.
    pub async fn get_parameter(
        &self,
        get: GetParameter<'_>,
        deadline: Deadline,
    ) -> Result<Result<Secret, InvalidSecret>, CallError> {
        let reply = self.client.send(&self.get_parameter_call(get), deadline).await?;
        let response = serde_json::from_slice::<Response>(&reply.body);
        // The response body still contains the secret, so wipe it from memory.
        if let Ok(mut bytes) = reply.body.try_into_mut() {
            bytes.as_mut().zeroize();
        }
        match response {
            Ok(response) => Ok(Secret::new(Zeroizing::new(response.parameter.value).as_str())),
            Err(_) => {
                Err(CallError::InvalidResponse("AWS returned an invalid response to GetParameter"))
            }
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
            is_repeatable: true,
            error_in_success: |_| None,
        }
    }
}
