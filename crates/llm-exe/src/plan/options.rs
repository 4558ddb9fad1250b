//! Validates `options`, which contains the sampling options and the retry policy.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problems::Problems;
use super::rules::Rules;
use crate::chat::Sampling;
use crate::json;
use crate::providers::{EFFORTS, is_effort};
use crate::request::{RequestOptions, suggestion};
use crate::transport::{Jitter, Policy};

const MAX_ATTEMPTS: u32 = 10;
const MAX_STOP_SEQUENCES: usize = 16;
/// One day. It exceeds the maximum duration of a Lambda invocation, and adding it to an instant
/// does not overflow.
pub(super) const MAX_MILLISECONDS: u64 = 86_400_000;

/// Adds problems with an `options` object, prefixing their paths with the path of the object.
struct OptionProblems<'a> {
    path: &'a str,
    problems: &'a mut Problems,
}

impl OptionProblems<'_> {
    fn add(&mut self, name: &str, message: impl Into<String>) {
        self.problems.add(format!("{}.{name}", self.path), message);
    }
}

/// Validates the `options` object at `path`, and adds a problem for each value that is out of
/// range.
pub(super) fn check_options(
    written: RequestOptions,
    path: &str,
    rules: &Rules,
    problems: &mut Problems,
) -> (Sampling, Policy) {
    let problems = &mut OptionProblems { path, problems };
    let mut range = |name: &str, value: Option<f64>, allowed: RangeInclusive<f64>| {
        let value = value?;
        if allowed.contains(&value) {
            return Some(value);
        }
        let (low, high) = (allowed.start(), allowed.end());
        let text = format!("expected a number from {low} to {high}, got {value}");
        problems.add(name, text);
        None
    };
    let temperature = range("temperature", written.temperature, 0.0..=2.0);
    let top_p = range("topP", written.top_p, 0.0..=1.0);
    let frequency_penalty = range("frequencyPenalty", written.frequency_penalty, -2.0..=2.0);
    let presence_penalty = range("presencePenalty", written.presence_penalty, -2.0..=2.0);
    for (name, value) in [("topK", written.top_k), ("maxTokens", written.max_tokens)] {
        if value == Some(0) {
            problems.add(name, "expected a whole number of at least 1, got 0");
        }
    }
    if let (Some(max_tokens), Some(ceiling)) = (written.max_tokens, rules.max_tokens_ceiling)
        && max_tokens > ceiling
    {
        let text = format!(
            "expected at most {ceiling} (the setting MAX_TOKENS_CEILING), got {max_tokens}"
        );
        problems.add("maxTokens", text);
    }
    let effort = written.effort.filter(|effort| {
        let is_known = is_effort(effort);
        if !is_known {
            let known: Vec<&str> = EFFORTS.split(' ').collect();
            let (received, hint) = (json::quoted(effort), suggestion(effort, &known));
            let known = known.join(", ");
            problems.add("effort", format!("expected one of {known}, got {received}{hint}"));
        }
        is_known
    });
    let stop_sequences = check_stop_sequences(written.stop_sequences.unwrap_or_default(), problems);
    let sampling = Sampling {
        temperature,
        top_p,
        top_k: written.top_k,
        max_tokens: written.max_tokens.or(rules.max_tokens_ceiling),
        stop_sequences,
        frequency_penalty,
        presence_penalty,
        seed: written.seed,
        effort,
    };
    let policy = Policy {
        attempts: check_attempts(written.num_of_attempts, problems),
        max_delay: check_milliseconds("maxDelay", written.max_delay, 0, problems)
            .unwrap_or(Policy::default().max_delay),
        jitter: parse_jitter(written.jitter.as_deref(), problems),
        timeout: check_milliseconds("timeout", written.timeout, 1, problems),
    };
    (sampling, policy)
}

fn check_stop_sequences(written: Vec<String>, problems: &mut OptionProblems<'_>) -> Vec<String> {
    if written.len() > MAX_STOP_SEQUENCES {
        let text = format!("expected at most {MAX_STOP_SEQUENCES} strings, got {}", written.len());
        problems.add("stopSequences", text);
    }
    if let Some(at) = written.iter().position(String::is_empty) {
        problems.add(&format!("stopSequences[{at}]"), "is empty; expected a non-empty string");
    }
    written
}

fn check_attempts(written: Option<u32>, problems: &mut OptionProblems<'_>) -> u32 {
    match written {
        None => Policy::default().attempts,
        Some(count) if (1..=MAX_ATTEMPTS).contains(&count) => count,
        Some(count) => {
            let text = format!("expected a whole number from 1 to {MAX_ATTEMPTS}, got {count}");
            problems.add("numOfAttempts", text);
            1
        }
    }
}

fn check_milliseconds(
    name: &str,
    written: Option<u64>,
    min: u64,
    problems: &mut OptionProblems<'_>,
) -> Option<Duration> {
    let count = written?;
    if (min..=MAX_MILLISECONDS).contains(&count) {
        return Some(Duration::from_millis(count));
    }
    let text = format!("expected {min} to {MAX_MILLISECONDS} milliseconds, got {count}");
    problems.add(name, text);
    None
}

fn parse_jitter(written: Option<&str>, problems: &mut OptionProblems<'_>) -> Jitter {
    match written {
        None | Some("full") => Jitter::Full,
        Some("none") => Jitter::None,
        Some(other) => {
            let text = format!("expected \"full\" or \"none\", got {}", json::quoted(other));
            problems.add("jitter", text);
            Jitter::Full
        }
    }
}
