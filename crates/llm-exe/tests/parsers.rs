//! What each parser makes of a reply: `cases/parsers/<name>.json`, thought out by hand, and
//! `cases/parsers/corpus`, whose expected results npm `llm-exe` made (scripts/oracles), with the
//! cases in which we differ in `exceptions.json`, each with its reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "every mismatch is printed")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use llm_exe::parsers::{PARSERS, SchemaUse};
use llm_exe::{Plan, Rules};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    asked: Asked,
    #[serde(default)]
    strict_variables: bool,
    result: Option<Value>,
    fault: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Asked {
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
    asked: Asked,
}

#[derive(Deserialize)]
struct Expected {
    result: Option<Value>,
    #[serde(default)]
    error: bool,
    reason: Option<String>,
}

fn read<T: DeserializeOwned>(path: &str) -> T {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/parsers");
    let text = std::fs::read_to_string(folder.join(path)).expect(path);
    serde_json::from_str(&text).expect(path)
}

/// What a request with this output makes of the reply.
fn parse(
    output: &str,
    asked: &Asked,
    strict_variables: bool,
) -> Result<(Value, Vec<String>), String> {
    let request = json!({
        "provider": "openai", "model": "m", "message": "hi", "output": output,
        "outputOptions": asked.options, "schema": asked.schema, "data": asked.data,
        "strictVariables": strict_variables,
    });
    let plan = Plan::from_value(request, &Rules::default()).map_err(|error| error.to_string())?;
    assert_eq!(plan.warnings, Vec::<String>::new(), "{output}: {}", asked.text);
    plan.parse_output(&asked.text).map_err(|fault| fault.0)
}

#[test]
fn every_parser_reads_its_cases_and_nothing_else() {
    let mut wrong = Vec::new();
    for row in PARSERS {
        let cases: Vec<Case> = read(&format!("{}.json", row.name));
        assert!(!cases.is_empty(), "{}", row.name);
        for case in cases {
            let told = match parse(row.name, &case.asked, case.strict_variables) {
                // As text, so that the order of keys counts.
                Ok((value, warnings))
                    if case.result.as_ref().map(Value::to_string) == Some(value.to_string())
                        && warnings == case.warnings =>
                {
                    continue;
                }
                Err(fault) if case.fault.as_ref().is_some_and(|text| fault.contains(text)) => {
                    continue;
                }
                Ok((value, warnings)) => format!("{value} {warnings:?}"),
                Err(fault) => fault,
            };
            wrong.push(format!("{}: {}: {told}", row.name, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether two values are the same, whatever the order of keys. JSON's own numbers are kept as
/// the model wrote them: there 1.0 is the 1 of JavaScript.
fn same(one: &Value, other: &Value, as_written: bool) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| same(one, other, as_written))
        }
        (Value::Object(one), Value::Object(other)) => {
            let found = |name: &String, value: &Value| {
                other.get(name).is_some_and(|other| same(value, other, as_written))
            };
            one.len() == other.len() && one.iter().all(|(name, value)| found(name, value))
        }
        (Value::Number(one), Value::Number(other)) if as_written => {
            let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let (one_text, other_text) = (one.to_string(), other.to_string());
            one_text == other_text
                || (!(whole(&one_text) && whole(&other_text)) && one.as_f64() == other.as_f64())
        }
        _ => one == other,
    }
}

#[test]
fn every_parser_accepts_and_refuses_what_llm_exe_does() {
    let exceptions: BTreeMap<String, BTreeMap<String, Expected>> = read("corpus/exceptions.json");
    let (mut count, mut excepted, mut wrong) = (0, 0, 0);
    for row in PARSERS {
        let cases: Vec<CorpusCase> = read(&format!("corpus/{}.in.json", row.name));
        let made: BTreeMap<String, Expected> = read(&format!("corpus/{}.out.json", row.name));
        let exceptions = exceptions.get(row.name);
        let mut used = 0;
        for case in &cases {
            let exception = exceptions.and_then(|all| all.get(&case.name));
            let expected = exception.unwrap_or_else(|| &made[&case.name]);
            if let Some(exception) = exception {
                used += 1;
                assert!(exception.reason.is_some(), "{}: no reason", case.name);
                let same = made[&case.name].error == exception.error
                    && made[&case.name].result == exception.result;
                assert!(!same, "{}: {}: is no exception any more", row.name, case.name);
            }
            let ours = parse(row.name, &case.asked, false);
            let right = match &ours {
                Ok((value, _)) => {
                    let as_written = row.schema != SchemaUse::Unused;
                    expected.result.as_ref().is_some_and(|one| same(one, value, as_written))
                }
                Err(_) => expected.error,
            };
            if !right {
                wrong += 1;
                let ours = ours.map(|(value, _)| value.to_string());
                println!("{}\t{}\t{ours:?}", row.name, case.name);
            }
        }
        let known = exceptions.map_or(0, BTreeMap::len);
        assert_eq!(used, known, "{}: exceptions without a case", row.name);
        count += cases.len();
        excepted += used;
    }
    println!("{count} cases, {excepted} exceptions, {wrong} wrong");
    assert!(count >= 450, "{count} cases");
    assert_eq!(wrong, 0, "{wrong} of {count} cases differ");
}
