//! `GetParameter`:
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::{Deadline, InvalidSecret, Secret};
use serde::Deserialize;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use super::Ssm;
use crate::call::{Call, CallError};
use crate::endpoint::service_url;

const PATIENCE: Duration = Duration::from_secs(3);
/// A parameter has 8 KB at most, and little is said around it.
const MOST_BYTES: usize = 64 * 1024;

/// A parameter to be read, decrypted.
#[derive(Debug, Clone, Copy)]
pub struct GetParameter<'a> {
    /// Its whole name, like `/LlmExeLambda/Secret/KeyOpenAI`.
    pub name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

impl Ssm {
    /// The parameter's value, or what is wrong with it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn get_parameter(
        &self,
        get: GetParameter<'_>,
        deadline: Deadline,
    ) -> Result<Result<Secret, InvalidSecret>, CallError> {
        let reply = self.aws.send(&self.get_parameter_call(get), deadline).await?;
        let read = serde_json::from_slice::<Answer>(&reply.body);
        // The answer holds the secret, too.
        if let Ok(mut bytes) = reply.body.try_into_mut() {
            bytes.as_mut().zeroize();
        }
        match read {
            Ok(answer) => Ok(Secret::new(&Zeroizing::new(answer.parameter.value))),
            Err(_) => Err(CallError::Unreadable("it is not what GetParameter answers")),
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
            most_bytes: MOST_BYTES,
            patience: PATIENCE,
            hidden: |_| None,
        }
    }
}
