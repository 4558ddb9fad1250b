//! A chain of ten steps, each of which uses the result of the one before it. Measures the CPU time
//! of such requests.

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::measure::{COUNTED, SETTLING, check_calls, milliseconds};
use crate::running::Running;

/// The number of steps, each of which calls the model once.
pub(crate) const STEPS: u32 = 10;

/// Measures the CPU time of warm invocations once and adds it to `samples`.
pub(crate) async fn once(
    simulator: &Simulator,
    function: &Function,
    samples: &mut Samples,
) -> Result<(), Error> {
    simulator.clear();
    let (body, openai) = (request().to_string(), simulator.openai_base_url());
    let running = Running::start_under(&[], function, &openai, &[]).await?;
    running.repeat(SETTLING, &body, Value::is_string).await?;
    let before = running.idle().await.cpu()?;
    running.repeat(COUNTED, &body, Value::is_string).await?;
    let cpu = running.idle().await.cpu()?.saturating_sub(before);
    samples.add(Figure::WarmChainCpu, milliseconds(cpu / COUNTED));
    check_calls(simulator, function, STEPS * (SETTLING + COUNTED))
}

/// Returns the request.
pub(crate) fn request() -> Value {
    let mut steps = vec![json!({ "name": "s0", "message": "Write a slogan for {{product}}." })];
    for index in 1..STEPS {
        let name = format!("s{index}");
        steps.push(json!({ "name": name, "message": "Improve this slogan: {{previous}}" }));
    }
    json!({
        "provider": "openai", "model": "gpt-4o-mini", "data": { "product": "tea" }, "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::{STEPS, request};

    #[test]
    fn every_step_but_the_first_uses_the_result_before_it() {
        let request = request();
        let steps = request["steps"].as_array().unwrap();
        assert_eq!(steps.len(), STEPS as usize);
        let uses =
            |step: &serde_json::Value| step["message"].as_str().unwrap().contains("previous");
        assert!(!uses(&steps[0]) && steps[1..].iter().all(uses), "{request}");
    }
}
