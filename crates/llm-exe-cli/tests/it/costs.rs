//! Checks that no schema and no reply takes much CPU time or memory.
//!
//! Each row of the table is an input whose cost once grew much faster than its size. It runs at
//! half of that size, at that size, at double and at ten times the size, with the limits of
//! [`run_limited`]. A size that is refused must be refused within the same limits.

use llm_exe_simulator::{Simulator, Step};
use serde_json::{Map, Value, json};

use crate::harness::Folder;
use crate::limits::{chain, run_limited};

/// An input whose cost depends on a size.
struct Row {
    name: &'static str,
    size: usize,
    /// Returns the fields of a request.
    request: fn(usize) -> Value,
    /// Returns the text of the reply, or `None` if the request is only rendered.
    reply: Option<fn(usize) -> String>,
}

/// Returns the fields of a request for JSON with a schema.
fn with_schema(schema: Value) -> Value {
    json!({ "output": "json", "schema": schema, "outputOptions": { "repairs": 0 } })
}

/// Returns a request for a model without structured outputs, so that an example is rendered.
fn by_prompt(schema: Value) -> Value {
    let mut request = with_schema(schema);
    request["model"] = json!("gpt-3.5-turbo");
    request
}

fn list_of(items: Value) -> Value {
    json!({ "type": "object", "properties": { "l": { "type": "array", "items": items } } })
}

fn list(item: &Value, length: usize) -> String {
    json!({ "l": vec![item; length] }).to_string()
}

fn object(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(Map::from_iter(fields))
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("n{index}")).collect()
}

/// Returns a schema in which two paths lead to the same part of the value at each level.
fn two_paths(levels: usize) -> Value {
    let mut definitions = Map::new();
    definitions.insert(format!("a{levels}"), json!({}));
    for index in 0..levels {
        let next = format!("#/$defs/a{}", index + 1);
        let level = json!({ "l": { "$ref": next } });
        let both = json!({ "$ref": format!("#/$defs/b{index}"), "properties": level });
        definitions.insert(format!("a{index}"), both);
        definitions.insert(format!("b{index}"), json!({ "properties": level }));
    }
    json!({ "type": "object", "$ref": "#/$defs/a0", "$defs": definitions })
}

/// Returns an object that is nested in itself. JSON has at most 127 levels.
fn nested(levels: usize) -> Value {
    (0..levels.min(120)).fold(json!({}), |inner, _| json!({ "l": inner }))
}

/// Returns a schema whose number of properties with patterns is `count`.
fn key_patterns(count: usize) -> Value {
    let patterns = (0..count).map(|index| (format!("^(k{index}|q)+$"), json!({})));
    json!({
        "type": "object", "additionalProperties": false, "patternProperties": object(patterns)
    })
}

/// Returns a schema with one reference per property.
fn references(count: usize) -> Value {
    let place = |index: usize| format!("#/$defs/a{index}");
    let properties = (0..count).map(|index| (format!("p{index}"), json!({ "$ref": place(index) })));
    let definitions = (0..count).map(|index| (format!("a{index}"), json!({ "type": "integer" })));
    json!({
        "type": "object", "additionalProperties": false,
        "properties": object(properties), "$defs": object(definitions)
    })
}

const DOUBLED: &[Row] = &[
    Row {
        name: "an example of a oneOf of two references",
        size: 19,
        request: |size| by_prompt(chain(size, |next| json!({ "oneOf": [next, next] }))),
        reply: None,
    },
    Row {
        name: "an example of an anyOf of two references",
        size: 20,
        request: |size| by_prompt(chain(size, |next| json!({ "anyOf": [next, next] }))),
        reply: None,
    },
    Row {
        name: "a oneOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "oneOf": [next, next] }))),
        reply: Some(|_| r#"{"x":"no"}"#.to_owned()),
    },
    Row {
        name: "an anyOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "anyOf": [next, next] }))),
        reply: Some(|_| r#"{"x":"no"}"#.to_owned()),
    },
    Row {
        name: "an allOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "allOf": [next, next] }))),
        reply: Some(|_| r#"{"x":1}"#.to_owned()),
    },
    Row {
        name: "unevaluatedProperties",
        size: 18,
        request: |size| {
            let level =
                |next: Value| json!({ "anyOf": [next, next], "unevaluatedProperties": false });
            with_schema(chain(size, level))
        },
        reply: Some(|_| r#"{"x":1}"#.to_owned()),
    },
    Row {
        name: "dependentSchemas",
        size: 26,
        request: |size| {
            with_schema(chain(size, |next| json!({ "dependentSchemas": { "x": next, "y": next } })))
        },
        reply: Some(|_| r#"{"x":1,"y":2}"#.to_owned()),
    },
    Row {
        name: "two paths to the same value",
        size: 24,
        request: |size| with_schema(two_paths(size)),
        reply: Some(|size| nested(size).to_string()),
    },
];

const ERRORS: &[Row] = &[
    Row {
        name: "items without required properties",
        size: 1_500,
        request: |size| with_schema(list_of(json!({ "required": names(size) }))),
        reply: Some(|size| list(&json!({}), size)),
    },
    Row {
        name: "rows without columns",
        size: 130_000,
        request: |_| with_schema(list_of(json!({ "type": "object", "required": names(20) }))),
        reply: Some(|size| list(&json!({}), size)),
    },
    Row {
        name: "rows of a union",
        size: 70_000,
        request: |_| {
            let branch =
                |index: usize| json!({ "type": "object", "required": [format!("n{index}")] });
            with_schema(list_of(json!({ "anyOf": (0..8).map(branch).collect::<Vec<_>>() })))
        },
        reply: Some(|size| list(&json!({}), size)),
    },
];

const QUADRATIC: &[Row] = &[
    Row {
        name: "lookahead at each position",
        size: 100_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)a*b" } } }),
            )
        },
        reply: Some(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "lookahead at each position of a short text",
        size: 2_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)a*b" } } }),
            )
        },
        reply: Some(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "nested quantifiers",
        size: 100_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "^((a+)+)+$" } } }),
            )
        },
        reply: Some(|size| json!({ "a": format!("{}b", "a".repeat(size)) }).to_string()),
    },
    Row {
        name: "a back-reference",
        size: 2_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "(a*)*\\1b" } } }),
            )
        },
        reply: Some(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "patterns of keys",
        size: 2_500,
        request: |size| with_schema(key_patterns(size)),
        reply: Some(|size| {
            object((0..size).map(|index| (format!("kk{index}"), json!(1)))).to_string()
        }),
    },
    Row {
        name: "an enum of objects",
        size: 10_000,
        request: |size| {
            let values: Vec<Value> = (0..size).map(|index| json!({ "a": index })).collect();
            with_schema(list_of(json!({ "enum": values })))
        },
        reply: Some(|size| list(&json!({ "a": size - 1 }), size)),
    },
    Row {
        name: "a oneOf of constants",
        size: 10_000,
        request: |size| {
            let values: Vec<Value> = (0..size).map(|index| json!({ "const": index })).collect();
            with_schema(list_of(json!({ "oneOf": values })))
        },
        reply: Some(|size| list(&json!(size - 1), size)),
    },
    Row {
        name: "a long divisor",
        size: 100_000,
        request: |size| {
            let number: Value = serde_json::from_str(&"9".repeat(size)).unwrap();
            let property = json!({ "multipleOf": number });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        reply: Some(|_| r#"{"a":5}"#.to_owned()),
    },
    Row {
        name: "a long dividend",
        size: 100_000,
        request: |_| {
            let number: Value = serde_json::from_str(&"7".repeat(400)).unwrap();
            let property = json!({ "multipleOf": number });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        reply: Some(|size| format!("{{\"a\":{}}}", "9".repeat(size))),
    },
    Row {
        name: "a large exponent",
        size: 100_000,
        request: |_| {
            let property = json!({ "multipleOf": 7, "maximum": 5, "type": "integer" });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        reply: Some(|size| format!("{{\"a\":1e{}}}", "9".repeat(size.ilog10() as usize + 4))),
    },
    Row {
        name: "uniqueItems of objects",
        size: 10_000,
        request: |_| {
            let unique = json!({ "type": "array", "uniqueItems": true });
            with_schema(json!({ "type": "object", "properties": { "l": unique } }))
        },
        reply: Some(|size| {
            let items: Vec<Value> = (0..size).map(|index| json!({ "a": index })).collect();
            json!({ "l": items }).to_string()
        }),
    },
];

const REWRITTEN: &[Row] = &[
    Row {
        name: "references for a model of Anthropic",
        size: 30_000,
        request: |size| {
            // A request has at most 6 MB.
            let mut request = with_schema(references(size.min(60_000)));
            request["provider"] = json!("anthropic");
            request["model"] = json!("claude-sonnet-4-5");
            request
        },
        reply: None,
    },
    Row {
        name: "many nested properties",
        size: 60,
        request: |size| {
            let property = (0..size.min(100)).fold(json!({}), |inner, _| {
                json!({ "type": "object", "properties": { "l": inner, "x".repeat(200): {} } })
            });
            with_schema(property)
        },
        reply: Some(|size| nested(size).to_string()),
    },
];

/// Runs the rows with the limits and collects those that exceed them.
async fn run_rows(rows: &[Row]) {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let mut wrong = Vec::new();
    for row in rows {
        for size in [row.size / 2, row.size, row.size * 2, row.size * 10] {
            let mut request =
                json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Hi" });
            for (name, value) in (row.request)(size).as_object().unwrap() {
                request[name] = value.clone();
            }
            let file = folder.file("request.json", request.to_string());
            let output = match row.reply {
                Some(reply) => {
                    simulator.script(vec![Step::text(reply(size))]);
                    run_limited(&folder, &simulator, &["invoke", "--json", &file]).await
                }
                None => run_limited(&folder, &simulator, &["render", &file]).await,
            };
            let failure: Value = serde_json::from_str(&output.stderr).unwrap_or_default();
            let kind = match (output.code, failure["error"]["type"].as_str()) {
                (Some(0), _) => "result",
                (Some(_), Some(kind)) => kind,
                // Only `invoke` prints errors as JSON.
                (Some(2), None) if row.reply.is_none() => "InvalidRequest",
                _ => "none",
            };
            if !["result", "InvalidRequest", "OutputInvalid"].contains(&kind) {
                let text = format!("{}{}", output.stdout, output.stderr);
                let text: String = text.chars().take(300).collect();
                wrong.push(format!("{} at {size}: {kind} {:?} {text}", row.name, output.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn schemas_that_double_with_each_level_are_cheap() {
    run_rows(DOUBLED).await;
}

#[tokio::test]
async fn values_with_many_errors_are_cheap() {
    run_rows(ERRORS).await;
}

#[tokio::test]
async fn checks_of_many_alternatives_are_cheap() {
    run_rows(QUADRATIC).await;
}

#[tokio::test]
async fn schemas_that_are_rewritten_are_cheap() {
    run_rows(REWRITTEN).await;
}
