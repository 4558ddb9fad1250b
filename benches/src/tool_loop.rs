//! A request with two tools that are Lambda functions, and the replies of a model that calls them
//! before its final text. The functions are simulated in the driver. Measures the CPU time of such
//! requests.

use std::iter;

use llm_exe_simulator::{Simulator, Step};
use llm_exe_testkit::aws::{AwsSimulator, FunctionResponse};
use serde_json::{Value, json};

use crate::aws::CREDENTIALS;
use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::measure::{COUNTED, SETTLING, check_calls, milliseconds};
use crate::running::Running;

/// The number of turns of the model. All but the last one call a tool.
pub(crate) const TURNS: u32 = 5;

/// The simulated Lambda functions.
pub(crate) struct ToolFunctions {
    aws: AwsSimulator,
    url: String,
}

impl ToolFunctions {
    pub(crate) async fn start() -> Result<Self, Error> {
        let aws = AwsSimulator::start().await?;
        let order = json!({ "id": "1234", "items": ["cup", "saucer"], "total": 540 });
        aws.set_function("orders", [FunctionResponse::Result(order.to_string())]);
        aws.set_function("rates", [FunctionResponse::Result("1.08".to_owned())]);
        let url = aws.url();
        Ok(ToolFunctions { aws, url })
    }

    /// Returns the variables with which a process can call the functions.
    pub(crate) fn variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = CREDENTIALS.to_vec();
        variables.push(("AWS_ENDPOINT_URL_LAMBDA", &self.url));
        variables.push(("TOOL_FUNCTIONS", "orders,rates"));
        variables
    }

    /// Returns an error unless each of `requests` called the functions as the model asked, and
    /// forgets the calls.
    pub(crate) fn check_calls(&self, requests: u32) -> Result<(), Error> {
        let (calls, expected) = (self.aws.invocations().len(), requests * (TURNS - 1));
        self.aws.clear_calls();
        if u32::try_from(calls)? == expected {
            return Ok(());
        }
        Err(format!("expected {expected} calls of Lambda functions, got {calls}").into())
    }
}

/// Measures the CPU time of warm invocations once and adds it to `samples`.
pub(crate) async fn once(
    functions: &ToolFunctions,
    simulator: &Simulator,
    function: &Function,
    samples: &mut Samples,
) -> Result<(), Error> {
    simulator.clear();
    simulator.script(replies(SETTLING + COUNTED));
    let (body, openai) = (request().to_string(), simulator.openai_base_url());
    let running = Running::start_under(&[], function, &openai, &functions.variables()).await?;
    running.repeat(SETTLING, &body, Value::is_string).await?;
    let before = running.idle().await.cpu()?;
    running.repeat(COUNTED, &body, Value::is_string).await?;
    let cpu = running.idle().await.cpu()?.saturating_sub(before);
    samples.add(Figure::WarmToolsCpu, milliseconds(cpu / COUNTED));
    check_calls(simulator, function, TURNS * (SETTLING + COUNTED))?;
    functions.check_calls(SETTLING + COUNTED)
}

/// Returns the request.
pub(crate) fn request() -> Value {
    let tool = |name: &str, function: &str, argument: &str| {
        json!({
            "name": name,
            "description": format!("Looks up one of the {function}."),
            "parameters": {
                "type": "object",
                "properties": { argument: { "type": "string" } },
                "required": [argument],
            },
            "run": { "lambda": function },
        })
    };
    json!({
        "provider": "openai", "model": "gpt-4o-mini",
        "message": "Handle the complaint about order 1234.",
        "tools": [tool("get_order", "orders", "id"), tool("get_rate", "rates", "currency")],
    })
}

/// Returns the replies of the model to this number of requests.
pub(crate) fn replies(requests: u32) -> Vec<Step> {
    let request = || {
        let calls = (0..TURNS - 1).map(|turn| match turn % 2 {
            0 => Step::tool_call("get_order", json!({ "id": "1234" })),
            _ => Step::tool_call("get_rate", json!({ "currency": "EUR" })),
        });
        calls.chain(iter::once(Step::text("The order costs 5.83 dollars.")))
    };
    (0..requests).flat_map(|_| request()).collect()
}

#[cfg(test)]
mod tests {
    use super::{TURNS, replies, request};

    #[test]
    fn every_request_has_five_turns_and_calls_both_tools() {
        assert_eq!(replies(3).len(), 3 * TURNS as usize);
        let calls = format!("{:?}", replies(1));
        for tool in request()["tools"].as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            assert_eq!(calls.matches(name).count(), 2, "{name}: {calls}");
        }
    }
}
