//! A client for AWS Lambda, which calls the functions that are tools. It supports only the
//! operation `Invoke` with the type `RequestResponse`:
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
//!
//! A call is repeated only if the function has certainly not run: after throttling, or if the
//! connection failed before the request was sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::error::{MAX_TOOL_ERROR_CHARS, shorten};
use llm_exe::ports::{FunctionCall, FunctionInvoker, PortFuture};
use llm_exe::transport::HttpError;
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Error, ErrorKind, FunctionName, Secret};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use crate::client::{AwsClient, Call, CallError};
use crate::endpoint::{QUERY, service_url};
use crate::error_context::ErrorContext;

/// The maximum duration of a Lambda function.
const TIMEOUT: Duration = Duration::from_secs(900);
/// The maximum size of the response of a Lambda function is 6 MB.
const MAX_RESPONSE_BYTES: usize = 7 * 1024 * 1024;

/// A client for Lambda. Calls go to the region in the ARN of a function, or to a custom base URL if
/// one is set.
#[derive(Debug)]
pub struct LambdaFunctions {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoint: Option<String>,
}

/// The response of a function that failed. Its stack trace is not read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct FunctionError {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl LambdaFunctions {
    /// Creates a client. `region` applies to functions whose name contains no region.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        LambdaFunctions { client, region, endpoint }
    }

    async fn invoke_function(
        &self,
        call: FunctionCall<'_>,
        deadline: Deadline,
    ) -> Result<Bytes, Error> {
        let name = shown(call.function);
        let context = ErrorContext {
            unavailable: ErrorKind::ToolFailed,
            failed: "can't call the function",
            resource: &name,
            action: "lambda:InvokeFunction",
            denial_hint: "",
        };
        let request = self.invoke_call(call).map_err(|error| context.error(error))?;
        let reply = self.client.send(&request, deadline).await.map_err(|error| match error {
            CallError::Failed(HttpError::TimedOut) => {
                let text = format!(
                    "the function {name} did not respond in time; it may have completed anyway"
                );
                Error::new(ErrorKind::Timeout, text)
            }
            CallError::Failed(error) if error.may_have_arrived() => {
                context.unavailable(&format!("{error}; it may have completed anyway"))
            }
            CallError::Rejected(response) if response.status == 404 => {
                context.unavailable(&format!("it does not exist ({response})"))
            }
            error => context.error(error),
        })?;
        match reply.header("x-amz-function-error") {
            None => Ok(reply.body),
            Some(_) => Err(function_error(&name, &reply)),
        }
    }

    pub(crate) fn invoke_call(&self, call: FunctionCall<'_>) -> Result<Call, CallError> {
        let FunctionCall { function, event, trace_id } = call;
        let region = function.region.as_deref().or(self.region.as_deref());
        let region = region.ok_or_else(CallError::no_region)?;
        let base = service_url(self.endpoint.as_deref(), "lambda", region);
        let name = match &function.account {
            Some(account) => format!("{account}:function:{}", function.name),
            None => function.name.clone(),
        };
        let name = utf8_percent_encode(&name, QUERY);
        let mut url = format!("{base}/2015-03-31/functions/{name}/invocations");
        if let Some(qualifier) = &function.qualifier {
            url.push_str(&format!("?Qualifier={}", utf8_percent_encode(qualifier, QUERY)));
        }
        let mut headers = vec![("x-amz-invocation-type", "RequestResponse".to_owned())];
        headers.extend(trace_id.map(|id| ("x-amzn-trace-id", id.to_owned())));
        Ok(Call {
            service: "lambda",
            region: region.to_owned(),
            method: Method::POST,
            url,
            headers,
            body: Bytes::copy_from_slice(event),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
            is_repeatable: false,
            error_in_success: |_| None,
        })
    }
}

impl FunctionInvoker for LambdaFunctions {
    fn invoke<'a>(
        &'a self,
        call: FunctionCall<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>> {
        Box::pin(self.invoke_function(call, deadline))
    }

    fn secrets(&self) -> PortFuture<'_, Vec<Secret>> {
        Box::pin(self.client.secrets())
    }
}

/// Returns the name of a function for messages.
fn shown(function: &FunctionName) -> String {
    match &function.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", function.name),
        None => function.name.clone(),
    }
}

/// Returns the error of a function that failed. Its message is the data of the function, which is
/// not logged.
fn function_error(name: &str, reply: &WireReply) -> Error {
    let failure: FunctionError = serde_json::from_slice(&reply.body).unwrap_or_default();
    let mut text = format!("the function {name} failed");
    for part in [failure.error_type, failure.error_message].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(&part);
    }
    let text = shorten(&text, MAX_TOOL_ERROR_CHARS);
    Error::new(ErrorKind::ToolFailed, text).logged_as(format!("the function {name} failed"))
}
