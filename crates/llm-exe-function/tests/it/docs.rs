//! Checks that the table of settings in docs/lambda.md and the rules of the CDK app match the code.
//!
//! `scripts/update` rewrites both.

use std::path::Path;

use llm_exe::LOCAL_NAMES;
use llm_exe::providers::API_PATHS;
use llm_exe_function::{Settings, setting_rows};
use serde_json::{Value, json};

/// The comments around the table.
const MARKERS: [&str; 2] = ["<!-- settings: written by scripts/update -->\n", "\n<!-- end -->"];

#[test]
fn table_of_settings_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lambda.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKERS[0]).expect(MARKERS[0]);
    let (_, after) = rest.split_once(MARKERS[1]).expect(MARKERS[1]);
    let mut table = "\n| setting | default | |\n|---|---|---|\n".to_owned();
    for row in setting_rows() {
        let default = match row.default {
            "" => String::new(),
            default => format!("`{default}` "),
        };
        table.push_str(&format!("| `{}` | {default}| {} |\n", row.name, row.description));
    }
    let expected = [before, MARKERS[0], &table, MARKERS[1], after].concat();
    if update() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(page == expected, "docs/lambda.md is out of date; run scripts/update");
    }
}

/// The CDK app and its constructs check settings with this file at synth.
#[test]
fn settings_of_the_cdk_app_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cdk/lib/settings-data.ts");
    let settings = Value::Array(setting_rows().iter().map(|row| rules_of(row.name)).collect());
    let lists = [
        ("SETTINGS", "The settings of the function and the values that they accept.", settings),
        ("API_PATHS", "Paths that providers append to a base URL.", json!(API_PATHS)),
        ("LOCAL_NAMES", "Domains of local networks, without configs.", json!(LOCAL_NAMES)),
        (
            "SERVER_FIELDS",
            "The fields of a provider in OPENAI_COMPATIBLE_PROVIDERS.",
            alternatives("OPENAI_COMPATIBLE_PROVIDERS", r#"{"a": {"?": 1}}"#),
        ),
        (
            "STRUCTURED_OUTPUTS",
            "The values of structuredOutput.",
            alternatives("OPENAI_COMPATIBLE_PROVIDERS", r#"{"a": {"structuredOutput": "?"}}"#),
        ),
    ];
    let mut expected = "// The settings of the function. Written by scripts/update.\n".to_owned();
    for (name, description, list) in lists {
        expected += &format!("\n/** {description} */\nexport const {name} = {list:#} as const;\n");
    }
    if update() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(text == expected, "cdk/lib/settings-data.ts is out of date; run scripts/update");
    }
}

/// Returns the error for a setting with a value, if there is one.
fn error_for(name: &str, value: &str) -> Option<String> {
    // Without an endpoint, the other settings of traces are not read.
    let endpoint = |variable: &str| {
        let is_endpoint = variable == "OTEL_EXPORTER_OTLP_ENDPOINT" && name.starts_with("OTEL_");
        is_endpoint.then(|| "http://localhost:4318".to_owned())
    };
    let look_up = |variable: &str| match variable == name {
        true => Some(value.to_owned()),
        false => endpoint(variable),
    };
    Settings::parse(&look_up).err().map(|error| error.to_string())
}

/// Returns the names in backquotes after "expected one of" in the error for an invalid value.
fn alternatives(name: &str, invalid: &str) -> Value {
    let error = error_for(name, invalid).expect(invalid);
    let (_, names) = error.split_once("expected one of ").expect(&error);
    json!(names.split('`').skip(1).step_by(2).collect::<Vec<_>>())
}

/// Returns which values a setting accepts, as the error for an invalid value describes them.
fn rules_of(name: &str) -> Value {
    let error = error_for(name, "::invalid::");
    let kind = match error.as_deref().and_then(|text| text.split_once("expected ")) {
        Some((_, expected)) => kind_of(expected),
        None => json!({ "kind": "text" }),
    };
    let mut rules = json!({ "name": name });
    rules.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    rules
}

fn kind_of(expected: &str) -> Value {
    if expected.starts_with("a URL") {
        return json!({ "kind": "baseUrl" });
    }
    let expected = expected.split_once(", got").map_or(expected, |(expected, _)| expected);
    if let Some(words) = expected.strip_prefix("one of ") {
        return json!({ "kind": "word", "words": words.split(", ").collect::<Vec<_>>() });
    }
    let range = expected.rsplit_once(" from ").map(|(_, range)| range);
    let (min, max) = match range.map(|range| range.split_once(" to ").ok_or(range)) {
        Some(Ok((min, max))) => (min.parse::<u64>().ok(), max.parse::<u64>().ok()),
        Some(Err(min)) => (min.parse::<u64>().ok(), None),
        None => (None, None),
    };
    match (min, max) {
        (Some(min), Some(max)) => json!({ "kind": "number", "min": min, "max": max }),
        (Some(min), None) => json!({ "kind": "number", "min": min }),
        _ => json!({ "kind": "text" }),
    }
}

fn update() -> bool {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    std::env::var_os("UPDATE").is_some()
}
