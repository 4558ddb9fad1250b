//! Tests each parser with hand-written cases in `cases/parsers/<name>.json` and with the corpus in
//! `cases/parsers/corpus`. The expected results of the corpus were produced by npm `llm-exe` (see
//! scripts/oracles). `corpus/exceptions.json` lists the cases in which this crate's results differ,
//! each with a reason.

use std::collections::BTreeMap;

use llm_exe::parsers::{PARSERS, SchemaUse};
use llm_exe::{Plan, Rules};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::read_cases;

/// The content of `cases/parsers/<name>.json`: the hand-written cases of a parser.
#[derive(Deserialize)]
struct CaseFile {
    oracle: Oracle,
    cases: Vec<Case>,
}

/// The program that produced the expected results in a parser's corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Oracle {
    /// npm `llm-exe` has the same parser and produced the results.
    LlmExe,
    /// Only this project has the parser, so it has no corpus.
    None,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    input: Input,
    /// Whether the case requires the feature `exact-numbers`.
    #[serde(default, rename = "exactNumbers")]
    exact_numbers: bool,
    #[serde(default)]
    strict_variables: bool,
    result: Option<Value>,
    /// A string that the error message must contain.
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Input {
    #[serde(alias = "reply")]
    text: String,
    options: Option<Map<String, Value>>,
    schema: Option<Map<String, Value>>,
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct CorpusCase {
    name: String,
    #[serde(flatten)]
    input: Input,
}

#[derive(Deserialize)]
struct Expected {
    result: Option<Value>,
    #[serde(default)]
    error: bool,
    reason: Option<String>,
    /// Whether the case requires the feature `exact-numbers`.
    #[serde(default, rename = "exactNumbers")]
    exact_numbers: bool,
}

/// Returns the hand-written cases of a parser.
fn case_file(parser: &str) -> CaseFile {
    read_cases(&format!("parsers/{parser}.json"))
}

/// Parses a reply as a request with this `output` would.
fn parse(
    output: &str,
    input: &Input,
    strict_variables: bool,
) -> Result<(Value, Vec<String>), String> {
    let request = json!({
        "provider": "openai", "model": "m", "message": "hi", "output": output,
        "outputOptions": input.options, "schema": input.schema, "data": input.data,
        "strictVariables": strict_variables,
    });
    let plan = Plan::from_value(request, &Rules::default()).map_err(|error| error.to_string())?;
    assert_eq!(plan.warnings, Vec::<String>::new(), "{output}: {}", input.text);
    plan.parse_output(&input.text).map_err(|error| error.0)
}

#[test]
fn parsers_return_the_expected_results() {
    let mut failures = Vec::new();
    for row in PARSERS {
        let file = case_file(row.name);
        assert!(!file.cases.is_empty(), "{}", row.name);
        let is_supported = |case: &Case| cfg!(feature = "exact-numbers") || !case.exact_numbers;
        for case in file.cases.into_iter().filter(is_supported) {
            let actual = match parse(row.name, &case.input, case.strict_variables) {
                // Comparing the JSON as text also compares the order of the keys.
                Ok((value, warnings))
                    if case.result.as_ref().map(Value::to_string) == Some(value.to_string())
                        && warnings == case.warnings =>
                {
                    continue;
                }
                Err(error) if case.error.as_ref().is_some_and(|text| error.contains(text)) => {
                    continue;
                }
                Ok((value, warnings)) => format!("{value} {warnings:?}"),
                Err(error) => error,
            };
            failures.push(format!("{}: {}: {actual}", row.name, case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Returns whether two values are equal, ignoring the order of keys. With `numbers_by_value`, 1.0
/// equals 1: unlike JavaScript, JSON outputs keep each number as the model wrote it.
fn same(left: &Value, right: &Value, numbers_by_value: bool) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len()
                && pairs.all(|(left, right)| same(left, right, numbers_by_value))
        }
        (Value::Object(left), Value::Object(right)) => {
            let is_in_right = |name: &String, value: &Value| {
                right.get(name).is_some_and(|right| same(value, right, numbers_by_value))
            };
            left.len() == right.len() && left.iter().all(|(name, value)| is_in_right(name, value))
        }
        (Value::Number(left), Value::Number(right)) if numbers_by_value => {
            let is_integer = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let (left_text, right_text) = (left.to_string(), right.to_string());
            left_text == right_text
                || (!(is_integer(&left_text) && is_integer(&right_text))
                    && left.as_f64() == right.as_f64())
        }
        _ => left == right,
    }
}

#[test]
fn parsers_agree_with_npm_llm_exe() {
    let exceptions: BTreeMap<String, BTreeMap<String, Expected>> =
        read_cases("parsers/corpus/exceptions.json");
    let (mut count, mut excepted, mut failures) = (0, 0, 0);
    for row in PARSERS {
        if case_file(row.name).oracle == Oracle::None {
            continue;
        }
        let corpus = format!("parsers/corpus/{}", row.name);
        let cases: Vec<CorpusCase> = read_cases(&format!("{corpus}.in.json"));
        let oracle: BTreeMap<String, Expected> = read_cases(&format!("{corpus}.out.json"));
        let exceptions = exceptions.get(row.name);
        let mut used = 0;
        for case in &cases {
            let exception = exceptions.and_then(|all| all.get(&case.name));
            let expected = exception.unwrap_or_else(|| &oracle[&case.name]);
            if let Some(exception) = exception {
                used += 1;
                assert!(exception.reason.is_some(), "{}: no reason", case.name);
                if exception.exact_numbers && !cfg!(feature = "exact-numbers") {
                    continue;
                }
                let same = oracle[&case.name].error == exception.error
                    && oracle[&case.name].result == exception.result;
                assert!(!same, "{}: {}: the exception is not needed", row.name, case.name);
            }
            let actual = parse(row.name, &case.input, false);
            let agrees = match &actual {
                Ok((value, _)) => {
                    let numbers_by_value = row.schema != SchemaUse::Unused;
                    let result = expected.result.as_ref();
                    result.is_some_and(|result| same(result, value, numbers_by_value))
                }
                Err(_) => expected.error,
            };
            if !agrees {
                failures += 1;
                let actual = actual.map(|(value, _)| value.to_string());
                println!("{}\t{}\t{actual:?}", row.name, case.name);
            }
        }
        let known = exceptions.map_or(0, BTreeMap::len);
        assert_eq!(used, known, "{}: exceptions without a case", row.name);
        count += cases.len();
        excepted += used;
    }
    println!("{count} cases, {excepted} exceptions, {failures} failures");
    assert!(count >= 450, "{count} cases");
    assert_eq!(failures, 0, "{failures} of {count} cases differ");
}
