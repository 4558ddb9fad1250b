//! Measures how the CPU time of an invocation grows with the size of its input, and checks that no
//! input makes it grow much faster than its size.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::function::Function;
use crate::provider::Provider;
use crate::running::{Queue, Running, TEXT};

/// The number of measured invocations per size. The fastest one counts.
const REPETITIONS: usize = 7;
/// Maximum ratio of the growth of the CPU time to the growth of the size, from one step to the
/// next. Caches and memory from the kernel need some margin; a step of quadratic growth exceeds it.
pub(crate) const MARGIN: f64 = 2.0;

const KILO: usize = 1_000;
const MEGA: usize = 1_000_000;

/// An input whose size is varied.
struct Series {
    name: &'static str,
    sizes: &'static [usize],
    input: fn(usize) -> Input,
}

/// An invocation of one size.
struct Input {
    request: Value,
    /// The text that the provider replies with.
    reply: String,
    /// The number of SQS records with the request, or `None` for a direct request.
    records: Option<usize>,
    is_expected: fn(&Value) -> bool,
}

/// The CPU time of an invocation of one size.
#[derive(Debug, Clone, Copy)]
struct Step {
    size: usize,
    milliseconds: f64,
}

/// The measured steps of all series.
#[derive(Debug, Default)]
pub(crate) struct Growth(Vec<(&'static str, Vec<Step>)>);

const ALL: [Series; 5] = [
    Series { name: "SQS records", sizes: &[1, 10, 100, 1_000], input: records },
    Series { name: "bytes of prompt", sizes: &[KILO, 10 * KILO, 100 * KILO, MEGA], input: prompt },
    Series {
        name: "bytes of reply, text",
        sizes: &[KILO, 10 * KILO, 100 * KILO, MEGA, 5 * MEGA],
        input: text_reply,
    },
    Series {
        name: "bytes of reply, JSON with a schema",
        sizes: &[KILO, 10 * KILO, 100 * KILO, MEGA, 5 * MEGA],
        input: json_reply,
    },
    Series { name: "properties of a schema", sizes: &[10, 100, 1_000], input: schema },
];

impl Growth {
    /// Measures all series with a new process for each.
    pub(crate) async fn measure(provider: &Provider, function: &Function) -> Result<Self, Error> {
        let mut growth = Growth::default();
        for series in ALL {
            eprintln!("growth, {}", series.name);
            let running = Running::start_under(&[], function, &provider.url, &[]).await?;
            let mut steps = Vec::new();
            for &size in series.sizes {
                let input = (series.input)(size);
                let cpu = cpu(provider, &running, &input).await;
                let cpu = cpu.map_err(|error| format!("{}, {size}: {error}", series.name))?;
                steps.push(Step { size, milliseconds: cpu.as_secs_f64() * 1e3 });
            }
            growth.0.push((series.name, steps));
        }
        Ok(growth)
    }

    /// Returns whether the CPU time of no step grew much faster than the size.
    pub(crate) fn is_linear(&self) -> bool {
        let mut steps = self.0.iter().flat_map(|(_, steps)| steps.windows(2));
        steps.all(|pair| is_linear(&pair[0], &pair[1]))
    }

    /// Returns a Markdown table with a row for each step.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "| input | size | ms of CPU | times the size before | times the CPU before | |\n\
             |---|---|---|---|---|---|\n",
        );
        for (name, steps) in &self.0 {
            for (index, step) in steps.iter().enumerate() {
                let Step { size, milliseconds } = step;
                let _ = write!(text, "| {name} | {size} | {milliseconds:.2} |");
                let Some(before) = index.checked_sub(1).map(|before| &steps[before]) else {
                    text += " | | |\n";
                    continue;
                };
                let (sizes, times) = ratios(before, step);
                let verdict = if is_linear(before, step) { "reached" } else { "**missed**" };
                let _ = writeln!(text, " {sizes:.0} | {times:.1} | {verdict} |");
            }
        }
        text
    }
}

/// Returns the ratios of the sizes and of the CPU times of two steps.
fn ratios(before: &Step, step: &Step) -> (f64, f64) {
    (step.size as f64 / before.size as f64, step.milliseconds / before.milliseconds)
}

fn is_linear(before: &Step, step: &Step) -> bool {
    let (sizes, times) = ratios(before, step);
    times <= sizes * MARGIN
}

/// Returns the lowest CPU time of an invocation.
async fn cpu(provider: &Provider, running: &Running, input: &Input) -> Result<Duration, Error> {
    provider.reply_with(&input.reply);
    let mut queue = Queue::default();
    let body = input.request.to_string();
    let mut lowest = Duration::MAX;
    // The first invocation opens connections and is not measured.
    for repetition in 0..=REPETITIONS {
        let event = input.records.map_or_else(|| body.clone(), |count| queue.batch(count, &body));
        let process = running.idle().await;
        process.wait_until_idle().await?;
        let before = process.cpu()?;
        let (result, _) = running.invoke(event).await?;
        process.wait_until_idle().await?;
        let used = process.cpu()?.saturating_sub(before);
        if !(input.is_expected)(&result) {
            return Err(format!("unexpected result: {:.300}", result.to_string()).into());
        }
        if repetition > 0 {
            lowest = lowest.min(used);
        }
    }
    let calls = (1 + REPETITIONS) * input.records.unwrap_or(1);
    match provider.take_calls() {
        made if made == calls => Ok(lowest),
        made => Err(format!("expected {calls} provider calls, got {made}").into()),
    }
}

fn records(count: usize) -> Input {
    Input {
        request: serde_json::from_str(TEXT).unwrap_or_default(),
        reply: "Meow!".to_owned(),
        records: Some(count),
        is_expected: |result| result["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
    }
}

/// A template with a variable in every 50 bytes.
fn prompt(bytes: usize) -> Input {
    let line = "The topic of this line of the prompt: {{ topic }}\n";
    Input {
        request: json!({
            "provider": "openai", "model": "gpt-4o-mini",
            "message": line.repeat(bytes / line.len()), "data": { "topic": "sharks" },
        }),
        reply: "Meow!".to_owned(),
        records: None,
        is_expected: Value::is_string,
    }
}

fn text_reply(bytes: usize) -> Input {
    let line = "A line of a long reply with \"quotes\" in it.\n";
    Input {
        request: json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Write." }),
        reply: line.repeat(bytes / line.len()),
        records: None,
        is_expected: Value::is_string,
    }
}

/// A list of objects that a schema validates.
fn json_reply(bytes: usize) -> Input {
    let item = json!({ "name": "Great white shark", "length": 4.6, "tags": ["fish", "large"] });
    let count = bytes / (item.to_string().len() + ",".len());
    let string = json!({ "type": "string" });
    let schema = json!({
        "type": "object", "required": ["items"],
        "properties": { "items": { "type": "array", "items": {
            "type": "object", "required": ["name", "length", "tags"],
            "properties": {
                "name": string, "length": { "type": "number", "minimum": 0 },
                "tags": { "type": "array", "items": string },
            },
        } } },
    });
    Input {
        request: json!({
            "provider": "openai", "model": "gpt-4o-mini", "message": "List.", "output": "json",
            "schema": schema,
        }),
        reply: json!({ "items": vec![item; count] }).to_string(),
        records: None,
        is_expected: |result| result["items"][0]["length"] == 4.6,
    }
}

/// A schema with this number of properties, each of which the reply has.
fn schema(properties: usize) -> Input {
    let names = (0..properties).map(|number| format!("property{number}"));
    let schema: Map<String, Value> = names
        .clone()
        .map(|name| (name, json!({ "type": "string", "maxLength": 20, "default": "none" })))
        .collect();
    let reply: Map<String, Value> = names.map(|name| (name, json!("a short text"))).collect();
    Input {
        request: json!({
            "provider": "openai", "model": "gpt-4o-mini", "message": "Fill in.",
            "output": "json", "schema": { "type": "object", "properties": schema },
        }),
        reply: Value::from(reply).to_string(),
        records: None,
        is_expected: |result| result["property9"] == "a short text",
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Growth, Step};

    fn growth(steps: &[(usize, f64)]) -> Growth {
        let step = |&(size, milliseconds): &(usize, f64)| Step { size, milliseconds };
        Growth(vec![("records", steps.iter().map(step).collect())])
    }

    #[test]
    fn linear_growth_is_accepted() {
        let growth = growth(&[(1, 0.3), (10, 0.9), (100, 8.0), (500, 76.0)]);
        assert!(growth.is_linear());
        assert!(!growth.table().contains("missed"), "{}", growth.table());
    }

    #[test]
    fn quadratic_growth_is_missed() {
        let growth = growth(&[(1, 0.3), (10, 0.9), (100, 90.0), (500, 2000.0)]);
        assert!(!growth.is_linear());
        let table = growth.table();
        assert!(table.contains("| records | 100 | 90.00 | 10 | 100.0 | **missed** |"), "{table}");
        assert_eq!(table.matches("**missed**").count(), 2, "{table}");
    }

    #[test]
    fn inputs_have_about_the_size_of_their_step() {
        for series in ALL.iter().filter(|series| series.name.starts_with("bytes")) {
            for &size in series.sizes {
                let input = (series.input)(size);
                let prompt = input.request["message"].as_str().unwrap().len();
                let length = prompt.max(input.reply.len());
                assert!(length > size * 9 / 10 && length <= size + 100, "{}: {size}", series.name);
            }
        }
    }
}
