//! Checks that no request and no reply uses more CPU time or memory than the limits allow.
//!
//! Each row of the table is an input whose cost once grew much faster than its size. It runs at
//! half of that size, at that size, at double and at ten times the size, with the limits of
//! [`Build`]. A size that is rejected must be rejected within the same limits. Ten times the size
//! is skipped if it would be larger than all limits on texts.

use std::time::Duration;

use llm_exe_simulator::{ScriptedResponse, Simulator, Step};
use serde_json::{Map, Value, json};

use crate::harness::{Folder, as_pairs, simulator_variables};
use crate::health::Server;
use crate::limits::{Build, chain, run_limited};

/// No request and no response with more bytes is parsed.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// An input whose cost depends on a size.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    size: usize,
    /// Returns the fields of a request.
    request: fn(usize) -> Value,
    call: Call,
}

/// The command that handles the request.
#[derive(Clone, Copy)]
enum Call {
    /// Renders the request.
    Render,
    /// Runs the request. The model replies with this text.
    Invoke(fn(usize) -> String),
    /// Runs the request. The provider responds with this body.
    InvokeBody(fn(usize) -> Value),
    /// Runs the request in ten records of a queue at the same time. The model replies to each
    /// record with this text.
    Records(fn(usize) -> String),
}

impl Call {
    /// Returns the responses of the provider, and the length of a response in bytes.
    fn script(self, size: usize) -> (Vec<Step>, usize) {
        let (step, bytes) = match self {
            Call::Render => return (Vec::new(), 0),
            Call::Invoke(reply) | Call::Records(reply) => {
                let text = reply(size);
                let bytes = text.len();
                (Step::text(text), bytes)
            }
            Call::InvokeBody(body) => {
                let body = body(size);
                let bytes = body.to_string().len();
                (Step::new(ScriptedResponse::Json(body)), bytes)
            }
        };
        (vec![Step { times: 10, ..step }], bytes)
    }
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

/// Returns a list of different numbers with exponents.
fn exponents(length: usize) -> String {
    let numbers: Vec<String> = (0..length).map(|index| format!("{index}e1")).collect();
    format!("[{}]", numbers.join(","))
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

/// Returns a request for one of these strings.
fn string_extract(strings: Vec<String>) -> Value {
    json!({ "output": "stringExtract", "outputOptions": { "enum": strings, "repairs": 0 } })
}

/// Returns a request that searches a text for a pattern.
fn cut(pattern: &str, length: usize) -> Value {
    json!({ "message": "{{cut s p}}", "data": { "s": "a".repeat(length), "p": pattern } })
}

fn data_of(item: &Value, length: usize) -> Value {
    json!({ "data": { "a": vec![item; length] } })
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

/// Returns a request for JSON with a schema, for a model.
fn with_model(provider: &str, model: &str, schema: Value) -> Value {
    let mut request = with_schema(schema);
    request["provider"] = json!(provider);
    request["model"] = json!(model);
    request
}

/// Returns a request for a model of Anthropic with structured outputs.
fn for_claude(schema: Value) -> Value {
    with_model("anthropic", "claude-sonnet-4-5", schema)
}

/// Returns a request for a model of Anthropic that gets the schema as a tool.
fn for_tool(schema: Value) -> Value {
    with_model("anthropic", "claude-3-haiku-20240307", schema)
}

fn strings(count: usize) -> Value {
    object(names(count).into_iter().map(|name| (name, json!({ "type": "string" }))))
}

/// Returns a closed object with references to a definition with this keyword and a long text.
fn references_to_text(count: usize, keyword: &str, length: usize) -> Value {
    let names = names(count);
    let reference = json!({ "$ref": "#/$defs/A", "title": "t" });
    let properties = names.iter().map(|name| (name.clone(), reference.clone()));
    let mut definition = json!({ "type": "string" });
    definition[keyword] = match keyword {
        "enum" => json!(["a".repeat(length)]),
        _ => json!("a".repeat(length)),
    };
    json!({
        "type": "object", "properties": object(properties), "required": names,
        "additionalProperties": false, "$defs": { "A": definition }
    })
}

/// Returns an object with alternatives, next to a keyword of this size.
fn alternatives(count: usize, keyword: &str, value: Value) -> Value {
    let branches = vec![json!({ "required": ["a"] }); count];
    let properties = json!({ "a": { "type": "string" } });
    let mut schema = json!({ "type": "object", "properties": properties, "anyOf": branches });
    schema[keyword] = value;
    schema
}

/// Returns an object with an `allOf`.
fn all_of(branches: impl Iterator<Item = Value>) -> Value {
    json!({ "type": "object", "allOf": branches.collect::<Vec<_>>() })
}

/// Returns a schema whose anchors are below a property with a long name.
fn anchors(length: usize, count: usize, references: usize) -> Value {
    let anchor = |index: usize| json!({ "$anchor": format!("x{index}"), "type": "string" });
    let children = (0..count).map(|index| (format!("c{index}"), anchor(index)));
    let mut properties = Map::new();
    let named = json!({ "type": "object", "properties": object(children) });
    properties.insert("n".repeat(length), named);
    for index in 0..references {
        properties.insert(format!("r{index}"), json!({ "$ref": format!("#x{index}") }));
    }
    json!({ "type": "object", "properties": properties })
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
        call: Call::Render,
    },
    Row {
        name: "an example of an anyOf of two references",
        size: 20,
        request: |size| by_prompt(chain(size, |next| json!({ "anyOf": [next, next] }))),
        call: Call::Render,
    },
    Row {
        name: "a oneOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "oneOf": [next, next] }))),
        call: Call::Invoke(|_| r#"{"x":"no"}"#.to_owned()),
    },
    Row {
        name: "an anyOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "anyOf": [next, next] }))),
        call: Call::Invoke(|_| r#"{"x":"no"}"#.to_owned()),
    },
    Row {
        name: "an allOf of two references",
        size: 19,
        request: |size| with_schema(chain(size, |next| json!({ "allOf": [next, next] }))),
        call: Call::Invoke(|_| r#"{"x":1}"#.to_owned()),
    },
    Row {
        name: "unevaluatedProperties",
        size: 18,
        request: |size| {
            let level =
                |next: Value| json!({ "anyOf": [next, next], "unevaluatedProperties": false });
            with_schema(chain(size, level))
        },
        call: Call::Invoke(|_| r#"{"x":1}"#.to_owned()),
    },
    Row {
        name: "dependentSchemas",
        size: 26,
        request: |size| {
            with_schema(chain(size, |next| json!({ "dependentSchemas": { "x": next, "y": next } })))
        },
        call: Call::Invoke(|_| r#"{"x":1,"y":2}"#.to_owned()),
    },
    Row {
        name: "two paths to the same value",
        size: 24,
        request: |size| with_schema(two_paths(size)),
        call: Call::Invoke(|size| nested(size).to_string()),
    },
];

const ERRORS: &[Row] = &[
    Row {
        name: "items without required properties",
        size: 1_500,
        request: |size| with_schema(list_of(json!({ "required": names(size) }))),
        call: Call::Invoke(|size| list(&json!({}), size)),
    },
    Row {
        name: "rows without columns",
        size: 130_000,
        request: |_| with_schema(list_of(json!({ "type": "object", "required": names(20) }))),
        call: Call::Invoke(|size| list(&json!({}), size)),
    },
    Row {
        name: "rows of a union",
        size: 70_000,
        request: |_| {
            let branch =
                |index: usize| json!({ "type": "object", "required": [format!("n{index}")] });
            with_schema(list_of(json!({ "anyOf": (0..8).map(branch).collect::<Vec<_>>() })))
        },
        call: Call::Invoke(|size| list(&json!({}), size)),
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
        call: Call::Invoke(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "lookahead at each position of a short text",
        size: 2_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "(?=a)a*b" } } }),
            )
        },
        call: Call::Invoke(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "nested quantifiers",
        size: 100_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "^((a+)+)+$" } } }),
            )
        },
        call: Call::Invoke(|size| json!({ "a": format!("{}b", "a".repeat(size)) }).to_string()),
    },
    Row {
        name: "a back-reference",
        size: 2_000,
        request: |_| {
            with_schema(
                json!({ "type": "object", "properties": { "a": { "pattern": "(a*)*\\1b" } } }),
            )
        },
        call: Call::Invoke(|size| json!({ "a": "a".repeat(size) }).to_string()),
    },
    Row {
        name: "patterns of keys",
        size: 2_500,
        request: |size| with_schema(key_patterns(size)),
        call: Call::Invoke(|size| {
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
        call: Call::Invoke(|size| list(&json!({ "a": size - 1 }), size)),
    },
    Row {
        name: "a oneOf of constants",
        size: 10_000,
        request: |size| {
            let values: Vec<Value> = (0..size).map(|index| json!({ "const": index })).collect();
            with_schema(list_of(json!({ "oneOf": values })))
        },
        call: Call::Invoke(|size| list(&json!(size - 1), size)),
    },
    Row {
        name: "a long divisor",
        size: 100_000,
        request: |size| {
            let number: Value = serde_json::from_str(&"9".repeat(size)).unwrap();
            let property = json!({ "multipleOf": number });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        call: Call::Invoke(|_| r#"{"a":5}"#.to_owned()),
    },
    Row {
        name: "a long dividend",
        size: 100_000,
        request: |_| {
            let number: Value = serde_json::from_str(&"7".repeat(400)).unwrap();
            let property = json!({ "multipleOf": number });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        call: Call::Invoke(|size| format!("{{\"a\":{}}}", "9".repeat(size))),
    },
    Row {
        name: "a large exponent",
        size: 100_000,
        request: |_| {
            let property = json!({ "multipleOf": 7, "maximum": 5, "type": "integer" });
            with_schema(json!({ "type": "object", "properties": { "a": property } }))
        },
        call: Call::Invoke(|size| {
            format!("{{\"a\":1e{}}}", "9".repeat(size.ilog10() as usize + 4))
        }),
    },
    Row {
        name: "uniqueItems of objects",
        size: 10_000,
        request: |_| {
            let unique = json!({ "type": "array", "uniqueItems": true });
            with_schema(json!({ "type": "object", "properties": { "l": unique } }))
        },
        call: Call::Invoke(|size| {
            let items: Vec<Value> = (0..size).map(|index| json!({ "a": index })).collect();
            json!({ "l": items }).to_string()
        }),
    },
];

const COERCED: &[Row] = &[
    Row {
        name: "strings that are in a long enum in another case",
        size: 10_000,
        request: |size| with_schema(list_of(json!({ "enum": names(size) }))),
        call: Call::Invoke(|size| list(&json!("N1"), size)),
    },
    Row {
        name: "a long string in another case",
        size: 1_000,
        request: |_| with_schema(list_of(json!({ "enum": ["é".repeat(100_000)] }))),
        call: Call::Invoke(|size| list(&json!("É".repeat(size)), 10)),
    },
    Row {
        name: "JSON in strings",
        size: 20_000,
        request: |_| with_schema(list_of(json!({ "type": "array" }))),
        call: Call::Invoke(|size| list(&json!("[0,0,0,0,0,0,0,0,0,0]"), size)),
    },
    Row {
        name: "many values in one string",
        size: 300_000,
        request: |_| with_schema(list_of(json!({ "type": "array" }))),
        call: Call::Invoke(|size| list(&json!(format!("[{}0]", "0,".repeat(size))), 2)),
    },
    Row {
        name: "strings in strings",
        size: 12,
        request: |_| with_schema(list_of(json!({ "type": "array" }))),
        call: Call::Invoke(|size| {
            let text =
                (0..size.min(19)).fold("1".to_owned(), |inner, _| json!([inner]).to_string());
            list(&json!(text), 1)
        }),
    },
    Row {
        name: "a union with a tag in each branch",
        size: 1_000,
        request: |size| {
            let branch = |index| {
                let properties = json!({ "kind": { "const": index }, "a": { "type": "integer" } });
                json!({ "type": "object", "properties": properties })
            };
            with_schema(list_of(json!({ "oneOf": (0..size).map(branch).collect::<Vec<_>>() })))
        },
        call: Call::Invoke(|size| list(&json!({ "kind": 1, "a": "1" }), size)),
    },
    Row {
        name: "unions with null in each other",
        size: 200,
        request: |size| {
            let union = |next: Value| json!({ "anyOf": [next, { "type": "null" }] });
            with_schema(chain(size, union))
        },
        call: Call::Invoke(|_| r#"{"x":"1"}"#.to_owned()),
    },
    Row {
        name: "a recursive union",
        size: 50,
        request: |_| {
            let node = json!({ "$ref": "#/$defs/node" });
            let properties = json!({
                "l": { "anyOf": [node, { "type": "null" }] }, "x": { "type": "integer" }
            });
            let definition = json!({ "type": "object", "properties": properties });
            let definitions = json!({ "node": definition });
            with_schema(json!({ "type": "object", "$ref": "#/$defs/node", "$defs": definitions }))
        },
        call: Call::Invoke(|size| {
            let inner = json!({ "x": "1" });
            (0..size.min(120)).fold(inner, |inner, _| json!({ "l": inner, "x": "1" })).to_string()
        }),
    },
    Row {
        name: "null for optional properties",
        size: 100_000,
        request: |_| {
            let row = json!({ "properties": { "a": { "type": "string" } } });
            with_schema(list_of(row))
        },
        call: Call::Invoke(|size| list(&json!({ "a": null }), size)),
    },
    Row {
        name: "unknown properties",
        size: 100_000,
        request: |_| {
            with_schema(json!({ "properties": { "a": {} }, "additionalProperties": false }))
        },
        call: Call::Invoke(|size| {
            let unknown = (0..size).map(|index| (format!("n{index}"), json!(1)));
            object(unknown.chain([("a".to_owned(), json!(1))])).to_string()
        }),
    },
    Row {
        name: "a long default of many items",
        size: 100_000,
        request: |size| {
            let default = json!({ "default": "x".repeat(size) });
            with_schema(list_of(json!({ "properties": { "a": default } })))
        },
        call: Call::Invoke(|_| list(&json!({}), 10_000)),
    },
    Row {
        name: "references to a long default that is refused",
        size: 5_000,
        request: |size| {
            let reference = json!({ "$ref": "#/$defs/d" });
            let properties = (0..size).map(|index| (format!("p{index}"), reference.clone()));
            let definition = json!({ "default": vec![0; size], "type": "array", "items": false });
            with_schema(json!({
                "type": "object", "properties": object(properties), "$defs": { "d": definition }
            }))
        },
        call: Call::Invoke(|_| "{}".to_owned()),
    },
    Row {
        name: "defaults that hold each other",
        size: 20,
        request: |size| {
            with_schema(chain(size, |next| {
                let mut part = next;
                part["default"] = json!({});
                json!({ "properties": { "x": part, "y": part } })
            }))
        },
        call: Call::Invoke(|_| "{}".to_owned()),
    },
];

const REQUESTS: &[Row] = &[
    Row {
        name: "the strings of stringExtract",
        size: 60_000,
        request: |size| string_extract(names(size)),
        call: Call::Render,
    },
    Row {
        name: "a search for many strings",
        size: 5_000,
        request: |size| string_extract(names(size)),
        call: Call::Invoke(|size| "n".repeat(size * 40)),
    },
    Row {
        name: "a search for a long string in many places",
        size: 400,
        request: |size| {
            let mut request = string_extract(vec!["a".repeat(size)]);
            request["outputOptions"]["match"] = json!("substring");
            request
        },
        call: Call::Invoke(|size| "a".repeat(size * 1_000)),
    },
    Row {
        name: "negations around a string in many places",
        size: 400,
        request: |_| string_extract(vec!["式".to_owned()]),
        call: Call::Invoke(|size| "中式".repeat(size * 10)),
    },
    Row {
        name: "quotes around a string",
        size: 5_000,
        request: |size| string_extract(names(size)),
        call: Call::Invoke(|size| format!("{0}n1{0}", "*".repeat(size))),
    },
    Row {
        name: "words around a number",
        size: 300_000,
        request: |_| json!({ "output": "number", "outputOptions": { "repairs": 0 } }),
        call: Call::Invoke(|size| {
            let words = "half of the ".repeat(size / 12);
            format!("{words}5{}", " and a".repeat(size / 6))
        }),
    },
    Row {
        name: "words for true in many places",
        size: 300_000,
        request: |_| json!({ "output": "boolean", "outputOptions": { "match": "extract" } }),
        call: Call::Invoke(|size| "it is yes ".repeat(size)),
    },
    Row {
        name: "marks of emphasis",
        size: 300_000,
        request: |_| json!({ "output": "listToKeyValue", "outputOptions": { "repairs": 0 } }),
        call: Call::Invoke(|size| {
            let marks = "*_".repeat(size / 4);
            format!("{marks}a: b{}", marks.chars().rev().collect::<String>())
        }),
    },
    Row {
        name: "a pattern of cut with many alternatives",
        size: 100_000,
        request: |size| {
            let alternatives: Vec<String> = (1..60).map(|length| "a".repeat(length)).collect();
            cut(&format!("({})b", alternatives.join("|")), size)
        },
        call: Call::Render,
    },
    Row {
        name: "a short pattern of cut",
        size: 100_000,
        request: |size| cut("(a|aa|aaa)+b", size),
        call: Call::Render,
    },
    Row {
        name: "fallbacks",
        size: 100_000,
        request: |size| {
            let fallback = json!({ "provider": "openai", "model": "m" });
            json!({ "fallbacks": vec![fallback; size] })
        },
        call: Call::Render,
    },
    Row {
        name: "an image with fallbacks",
        size: 3_000_000,
        request: |size| {
            let fallback = json!({ "provider": "openai", "model": "gpt-4o" });
            let url = format!("data:image/png;base64,{}", "A".repeat(size / 4 * 4));
            let content = json!([{ "type": "image_url", "image_url": { "url": url } }]);
            json!({
                "fallbacks": vec![fallback; 12],
                "message": [{ "role": "user", "content": content }]
            })
        },
        call: Call::Render,
    },
    Row {
        name: "messages",
        size: 100_000,
        request: |size| json!({ "message": vec![json!({ "role": "user", "content": "a" }); size] }),
        call: Call::Render,
    },
    Row {
        name: "invalid messages",
        size: 300_000,
        request: |size| json!({ "message": vec![json!({}); size] }),
        call: Call::Render,
    },
    Row {
        name: "tags",
        size: 9_000,
        request: |size| json!({ "message": "{{a}}{{#if b}}{{/if}}".repeat(size) }),
        call: Call::Render,
    },
    Row {
        name: "messages with tags",
        size: 50_000,
        request: |size| json!({ "message": vec!["{{a}} {{b}}"; size] }),
        call: Call::Render,
    },
    Row {
        name: "missing variables with names like those in data",
        size: 10_000,
        request: |size| {
            let template: String = (0..size).map(|index| format!("{{{{m{index}}}}}")).collect();
            let data = names(size).into_iter().map(|name| (name, json!(1)));
            json!({ "message": template, "data": object(data) })
        },
        call: Call::Render,
    },
    Row {
        name: "unknown helpers",
        size: 10_000,
        request: |size| json!({ "message": "{{unknown a}}\n".repeat(size) }),
        call: Call::Render,
    },
    Row {
        name: "ignored arguments",
        size: 10_000,
        request: |size| json!({ "message": "{{join a b}}\n".repeat(size) }),
        call: Call::Render,
    },
    Row {
        name: "unknown operators in a loop",
        size: 10_000,
        request: |size| {
            let template = "{{#each l}}{{#ifCond 1 @root.o 2}}{{/ifCond}}{{/each}}";
            json!({ "message": template, "data": { "l": vec![1; size], "o": "x".repeat(size) } })
        },
        call: Call::Render,
    },
    Row {
        name: "turns of a history",
        size: 100_000,
        request: |size| {
            json!({
                "message": "{{> DialogueHistory key='h'}}",
                "data": { "h": vec![json!({ "role": "user" }); size] }
            })
        },
        call: Call::Render,
    },
    Row {
        name: "a loop in a loop",
        size: 1_000,
        request: |size| {
            let template = "{{#each l}}{{#each ../l}}{{#if this}}{{/if}}{{/each}}{{/each}}";
            json!({ "message": template, "data": { "l": vec![1; size] } })
        },
        call: Call::Render,
    },
];

const VALUES: &[Row] = &[
    Row {
        name: "numbers in data",
        size: 1_000_000,
        request: |size| data_of(&json!(0), size),
        call: Call::Render,
    },
    Row {
        name: "objects in data",
        size: 330_000,
        request: |size| data_of(&json!({ "a": 0 }), size),
        call: Call::Render,
    },
    Row {
        name: "objects with two fields in data",
        size: 199_000,
        request: |size| data_of(&json!({ "a": 0, "b": 0 }), size),
        call: Call::Render,
    },
    Row {
        name: "nested objects in data",
        size: 4_100,
        request: |size| data_of(&nested(120), size),
        call: Call::Render,
    },
    Row {
        name: "objects in a schema",
        size: 330_000,
        request: |size| with_schema(json!({ "x": vec![json!({ "a": 0 }); size] })),
        call: Call::Render,
    },
    Row {
        name: "objects in a schema for the prompt",
        size: 330_000,
        request: |size| {
            let schema = json!({ "x": vec![json!({ "a": 0 }); size] });
            json!({ "message": "{{#if schema}}Hi{{/if}}", "schema": schema })
        },
        call: Call::Render,
    },
    Row {
        name: "unknown fields of a step",
        size: 330_000,
        request: |size| {
            let unknown = names(size).into_iter().map(|name| (name, json!(0)));
            json!({ "steps": [object(unknown)] })
        },
        call: Call::Render,
    },
    Row {
        name: "unknown names in needs and dataFrom",
        size: 100_000,
        request: |size| {
            let paths = names(size).into_iter().map(|name| (format!("{name}x"), json!(name)));
            let (b, c) = (vec!["b"; size], vec!["c"; size]);
            json!({ "steps": [
                { "name": "a", "message": "a", "needs": b, "dataFrom": object(paths) },
                { "name": "b", "message": "b", "needs": c },
                { "name": "c", "message": "c", "needs": names(size) }
            ] })
        },
        call: Call::Render,
    },
    Row {
        name: "unknown options of an output",
        size: 330_000,
        request: |size| {
            let unknown = names(size).into_iter().map(|name| (name, json!(0)));
            json!({ "output": "json", "schema": {}, "outputOptions": object(unknown) })
        },
        call: Call::Render,
    },
    Row {
        name: "objects in tools",
        size: 330_000,
        request: |size| json!({ "tools": vec![json!({ "a": 0 }); size] }),
        call: Call::Render,
    },
    Row {
        name: "objects in tools of a step",
        size: 330_000,
        request: |size| {
            let tools = vec![json!({ "a": 0 }); size];
            json!({ "message": null, "steps": [{ "name": "s", "message": "Hi", "tools": tools }] })
        },
        call: Call::Render,
    },
    Row {
        name: "empty objects in fallbacks",
        size: 990_000,
        request: |size| json!({ "fallbacks": vec![json!({}); size] }),
        call: Call::Render,
    },
    Row {
        name: "objects with two fields in place of messages",
        size: 199_000,
        request: |size| json!({ "message": vec![json!({ "a": 0, "b": 0 }); size] }),
        call: Call::Render,
    },
    Row {
        name: "lists of empty lists in data",
        size: 499_000,
        request: |size| data_of(&json!([[]]), size),
        call: Call::Render,
    },
    Row {
        name: "nested lists in data",
        size: 330_000,
        request: |size| data_of(&json!([[[]]]), size),
        call: Call::Render,
    },
    Row {
        name: "empty objects in data",
        size: 1_000_000,
        request: |size| data_of(&json!({}), size),
        call: Call::Render,
    },
    Row {
        name: "empty strings in data",
        size: 1_000_000,
        request: |size| data_of(&json!(""), size),
        call: Call::Render,
    },
    Row {
        name: "numbers in a reply",
        size: 1_000_000,
        request: |_| with_schema(list_of(json!({ "type": "integer" }))),
        call: Call::Invoke(|size| list(&json!(0), size)),
    },
    Row {
        name: "objects in a reply",
        size: 330_000,
        request: |_| with_schema(list_of(json!({ "type": "object" }))),
        call: Call::Invoke(|size| list(&json!({ "a": 0 }), size)),
    },
    Row {
        name: "objects in a fence of a reply",
        size: 330_000,
        request: |_| with_schema(list_of(json!({ "type": "object" }))),
        call: Call::Invoke(|size| {
            format!("So:\n```json\n{}\n```\nDone.", list(&json!({ "a": 0 }), size))
        }),
    },
    Row {
        name: "objects with single quotes in a reply",
        size: 330_000,
        request: |_| with_schema(list_of(json!({ "type": "object" }))),
        call: Call::Invoke(|size| list(&json!({ "a": 0 }), size).replace('"', "'")),
    },
    Row {
        name: "one object per line of a reply",
        size: 330_000,
        request: |_| with_schema(json!({ "type": "array", "items": { "type": "object" } })),
        call: Call::Invoke(|size| "{\"a\":0}\n".repeat(size)),
    },
    Row {
        name: "nested objects in a reply",
        size: 4_100,
        request: |_| with_schema(list_of(json!({ "type": "object" }))),
        call: Call::Invoke(|size| list(&nested(120), size)),
    },
    Row {
        name: "lists of empty lists in a reply",
        size: 499_000,
        request: |_| with_schema(list_of(json!({ "type": "array" }))),
        call: Call::Invoke(|size| list(&json!([[]]), size)),
    },
    Row {
        name: "objects in data and in a reply",
        size: 199_000,
        request: |size| {
            let item = json!({ "a": 0, "b": 0 });
            let mut request = with_schema(list_of(json!({ "type": "object" })));
            request["data"] = json!({ "a": vec![item; size.min(199_000)] });
            request
        },
        call: Call::Invoke(|size| list(&json!({ "a": 0, "b": 0 }), size)),
    },
    Row {
        name: "citations before the JSON of a reply",
        size: 200_000,
        request: |_| with_schema(json!({ "type": "object", "required": ["a"] })),
        call: Call::Invoke(|size| format!("{}{{\"a\":1}}", "[1] ".repeat(size))),
    },
    Row {
        name: "objects in the text of a reply",
        size: 100_000,
        request: |_| with_schema(json!({ "type": "object", "required": ["a"] })),
        call: Call::Invoke(|size| {
            let objects: String = (0..size).map(|index| format!("{{\"b\":{index}}} ")).collect();
            format!("{objects}{{\"a\":1}}")
        }),
    },
    Row {
        name: "brackets in the text of a reply that do not close",
        size: 1_000_000,
        request: |_| with_schema(json!({ "type": "object", "required": ["a"] })),
        call: Call::Invoke(|size| format!("{}{{\"a\":1}}", "[x {".repeat(size / 4))),
    },
    Row {
        name: "rows with columns",
        size: 20_000,
        request: |_| {
            let columns = names(20).into_iter().map(|name| (name, json!({ "type": "string" })));
            with_schema(list_of(json!({ "type": "object", "properties": object(columns) })))
        },
        call: Call::Invoke(|size| {
            let row = object(names(20).into_iter().map(|name| (name, json!("text"))));
            list(&row, size)
        }),
    },
    Row {
        name: "lines of a list",
        size: 500_000,
        request: |_| json!({ "output": "list" }),
        call: Call::Invoke(|size| "- a\n".repeat(size)),
    },
    Row {
        name: "keys of a list",
        size: 300_000,
        request: |_| json!({ "output": "listToKeyValue" }),
        call: Call::Invoke(|size| "a: b\n".repeat(size)),
    },
    Row {
        name: "numbered lines of a list",
        size: 100_000,
        request: |_| json!({ "output": "list" }),
        call: Call::Invoke(|size| (1..size).map(|index| format!("{index} - a\n")).collect()),
    },
    Row {
        name: "a JSON list of numbers with exponents",
        size: 100_000,
        request: |_| json!({ "output": "list" }),
        call: Call::Invoke(exponents),
    },
    Row {
        name: "numbers with exponents for strings",
        size: 100_000,
        request: |_| with_schema(list_of(json!({ "type": "string" }))),
        call: Call::Invoke(exponents),
    },
    Row {
        name: "code blocks",
        size: 300_000,
        request: |_| json!({ "output": "markdownCodeBlocks" }),
        call: Call::Invoke(|size| "```\na\n```\n".repeat(size)),
    },
    Row {
        name: "a template in a reply",
        size: 100_000,
        request: |_| json!({ "output": "replaceStringTemplate" }),
        call: Call::Invoke(|size| "{{a}}{{#if b}}{{/if}}".repeat(size)),
    },
    Row {
        name: "parts of a response",
        size: 1_000_000,
        request: |_| json!({}),
        call: Call::InvokeBody(|size| {
            let message = json!({ "content": vec![json!({}); size] });
            json!({ "choices": [{ "message": message, "finish_reason": "stop" }] })
        }),
    },
    Row {
        name: "tool calls of a response",
        size: 1_000_000,
        request: |_| json!({}),
        call: Call::InvokeBody(|size| {
            let message = json!({ "content": "a", "tool_calls": vec![json!({}); size] });
            json!({ "choices": [{ "message": message, "finish_reason": "stop" }] })
        }),
    },
    Row {
        name: "parts of a response of Anthropic",
        size: 1_000_000,
        request: |_| json!({ "provider": "anthropic", "model": "claude-sonnet-4-5" }),
        call: Call::InvokeBody(|size| {
            json!({
                "type": "message", "role": "assistant", "content": vec![json!({}); size],
                "stop_reason": "end_turn", "usage": { "input_tokens": 1, "output_tokens": 1 }
            })
        }),
    },
    Row {
        name: "a stop reason",
        size: 1_000_000,
        request: |_| with_schema(json!({ "type": "object" })),
        call: Call::InvokeBody(|size| {
            let message = json!({ "content": "{}" });
            json!({ "choices": [{ "message": message, "finish_reason": "x".repeat(size) }] })
        }),
    },
    Row {
        name: "large replies to ten records",
        size: 4_000_000,
        request: |_| json!({}),
        call: Call::Records(|size| "x".repeat(size)),
    },
    Row {
        name: "lists in the replies to ten records",
        size: 100_000,
        request: |_| with_schema(list_of(json!({ "type": "integer" }))),
        call: Call::Records(|size| list(&json!(0), size)),
    },
];

const REWRITTEN: &[Row] = &[
    Row {
        name: "references for a model of Anthropic",
        size: 30_000,
        request: |size| {
            // A request has at most 6 MB.
            for_claude(references(size.min(60_000)))
        },
        call: Call::Render,
    },
    Row {
        name: "references for Gemini",
        size: 30_000,
        request: |size| with_model("google", "gemini-2.5-flash", references(size.min(60_000))),
        call: Call::Render,
    },
    Row {
        name: "references for strict mode",
        size: 30_000,
        request: |size| with_schema(references(size)),
        call: Call::Render,
    },
    Row {
        name: "properties for strict mode",
        size: 30_000,
        request: |size| {
            let properties =
                names(size).into_iter().map(|name| (name, json!({ "type": "string" })));
            with_schema(json!({ "type": "object", "properties": object(properties) }))
        },
        call: Call::Render,
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
        call: Call::Invoke(|size| nested(size).to_string()),
    },
];

const FORMS: &[Row] = &[
    Row {
        name: "references to a long description",
        size: 3_000,
        request: |size| with_schema(references_to_text(size, "description", 100_000)),
        call: Call::Render,
    },
    Row {
        name: "references to a long description for Claude",
        size: 3_000,
        request: |size| for_claude(references_to_text(size, "description", 100_000)),
        call: Call::Render,
    },
    Row {
        name: "references to a long pattern for Gemini",
        size: 3_000,
        request: |size| {
            let schema = references_to_text(size, "pattern", 50_000);
            with_model("google", "gemini-2.5-flash", schema)
        },
        call: Call::Render,
    },
    Row {
        name: "references to a long enum for Claude",
        size: 3_000,
        request: |size| for_claude(references_to_text(size, "enum", 100_000)),
        call: Call::Render,
    },
    Row {
        name: "references to a long default in an example",
        size: 400,
        request: |size| by_prompt(references_to_text(size, "default", 1_000_000)),
        call: Call::Render,
    },
    Row {
        name: "alternatives next to many properties",
        size: 6_000,
        request: |size| for_claude(alternatives(size, "properties", strings(size))),
        call: Call::Render,
    },
    Row {
        name: "alternatives next to a long constant",
        size: 2_000,
        request: |size| {
            let constant = json!({ "const": "x".repeat(200_000) });
            for_claude(alternatives(size, "not", constant))
        },
        call: Call::Render,
    },
    Row {
        name: "alternatives with long lists of literals",
        size: 20_000,
        request: |size| {
            let branch = |prefix: &str| {
                let literals: Vec<String> =
                    (0..size.min(45_000)).map(|index| format!("{prefix}{index}")).collect();
                json!({ "properties": { "k": { "type": "string", "enum": literals }, prefix: {} } })
            };
            let branches = json!([branch("a"), branch("b")]);
            for_claude(json!({ "type": "object", "anyOf": branches, "required": ["k"] }))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of properties",
        size: 9_000,
        request: |size| {
            let branch = |name: String| json!({ "properties": { name: { "type": "string" } } });
            for_claude(all_of(names(size).into_iter().map(branch)))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of properties for a tool",
        size: 9_000,
        request: |size| {
            let branch = |name: String| json!({ "properties": { name: { "type": "string" } } });
            for_tool(all_of(names(size).into_iter().map(branch)))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of properties of a property",
        size: 9_000,
        request: |size| {
            let inner = |name: String| json!({ "properties": { name: { "type": "string" } } });
            let branch = |name: String| json!({ "properties": { "p": inner(name) } });
            for_tool(all_of(names(size).into_iter().map(branch)))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of lists of required names",
        size: 20_000,
        request: |size| {
            let list = |prefix: &str| {
                let names = (0..size.min(45_000)).map(|index| json!(format!("{prefix}{index}")));
                json!({ "required": names.collect::<Vec<_>>() })
            };
            for_tool(all_of([list("a"), list("b")].into_iter()))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of required names",
        size: 9_000,
        request: |size| {
            let branch = |name: String| json!({ "required": [name] });
            for_tool(all_of(names(size).into_iter().map(branch)))
        },
        call: Call::Render,
    },
    Row {
        name: "an allOf of references to a long list",
        size: 9_000,
        request: |size| {
            let mut schema = all_of((0..size).map(|_| json!({ "$ref": "#/$defs/A" })));
            schema["$defs"] = json!({ "A": { "required": names(20_000) } });
            for_tool(schema)
        },
        call: Call::Render,
    },
    Row {
        name: "required names for strict mode",
        size: 30_000,
        request: |size| {
            let properties = strings(size.min(4_999));
            with_schema(json!({
                "type": "object", "additionalProperties": false, "properties": properties,
                "required": names(size.min(85_000))
            }))
        },
        call: Call::Render,
    },
    Row {
        name: "a property with a long name above anchors",
        size: 10_000,
        request: |size| with_schema(anchors(200_000, size.min(45_000), 1)),
        call: Call::Render,
    },
    Row {
        name: "references to anchors below a long name",
        size: 10_000,
        request: |size| with_schema(anchors(50_000, size.min(20_000), size.min(20_000))),
        call: Call::Render,
    },
    Row {
        name: "embedded resources with a long base",
        size: 5_000,
        request: |size| {
            let embedded =
                (0..size).map(|index| (format!("d{index}"), json!({ "$id": index.to_string() })));
            for_claude(json!({
                "$id": format!("https://example.com/{}/a", "x".repeat(1_900)), "type": "object",
                "properties": { "a": { "$ref": "1" } }, "$defs": object(embedded)
            }))
        },
        call: Call::Render,
    },
    Row {
        name: "conditions with references to a large schema",
        size: 5_000,
        request: |size| {
            let condition =
                json!({ "if": { "required": ["n1"] }, "then": { "$ref": "#/$defs/A" } });
            let item = json!({
                "type": "object", "properties": { "n1": { "type": "string" } }, "allOf": [condition]
            });
            let properties = names(size).into_iter().map(|name| (name, item.clone()));
            let mut schema = json!({ "type": "object", "properties": object(properties) });
            schema["$defs"] =
                json!({ "A": { "anyOf": vec![json!({ "required": ["n1"] }); size] } });
            for_claude(schema)
        },
        call: Call::Render,
    },
    Row {
        name: "negations next to a pattern with lookaround",
        size: 5_000,
        request: |size| {
            let property = json!({ "not": { "$ref": "#/$defs/A" } });
            let properties = names(size).into_iter().map(|name| (name, property.clone()));
            let large = json!({ "properties": strings(size) });
            with_schema(json!({
                "type": "object", "properties": object(properties),
                "$defs": { "A": large, "B": { "pattern": "(?=a)" } }
            }))
        },
        call: Call::Render,
    },
    Row {
        name: "a large enum in nested objects",
        size: 50,
        request: |size| {
            let property = (0..size.min(55)).fold(
                json!({ "enum": names(90_000) }),
                |inner, _| json!({ "type": "object", "properties": { "l": inner } }),
            );
            by_prompt(property)
        },
        call: Call::Render,
    },
];

/// Returns a request with these fields.
fn request_with(fields: &Value) -> Value {
    let mut request = json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Hi" });
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

/// Returns an event of a queue with these requests.
fn queue_event(requests: impl IntoIterator<Item = Value>) -> Value {
    let records: Vec<Value> = requests
        .into_iter()
        .enumerate()
        .map(|(index, request)| {
            json!({
                "messageId": format!("m{index}"), "body": request.to_string(), "attributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests"
            })
        })
        .collect();
    json!({ "Records": records })
}

/// The outcome of a row at one size.
struct RowOutcome {
    /// The length of the request or of the response, whichever is longer.
    bytes: usize,
    /// Describes an unexpected outcome.
    problem: Option<String>,
}

/// Runs a row at one size.
async fn run_row(folder: &Folder, simulator: &Simulator, row: &Row, size: usize) -> RowOutcome {
    let request = request_with(&(row.request)(size));
    let is_event = matches!(row.call, Call::Records(_));
    let input = if is_event { queue_event(vec![request; 10]) } else { request };
    let input = input.to_string();
    let (script, response_bytes) = row.call.script(size);
    let bytes = input.len().max(response_bytes);
    let file = folder.file("request.json", input);
    simulator.clear();
    simulator.script(script);
    let arguments: &[&str] = match row.call {
        Call::Render => &["render", "--json", &file],
        Call::Invoke(_) | Call::InvokeBody(_) => &["invoke", "--json", &file],
        Call::Records(_) => &["invoke", "--json", "--event", &file],
    };
    let output = run_limited(folder, simulator, arguments).await;
    let failure: Value = serde_json::from_str(&output.stderr).unwrap_or_default();
    let is_response = |text: &str| {
        serde_json::from_str::<Value>(text).is_ok_and(|value| value["batchItemFailures"].is_array())
    };
    let kind = match (output.code, failure["error"]["type"].as_str()) {
        _ if is_event && is_response(&output.stdout) => "result",
        (Some(0), _) if !is_event => "result",
        (Some(_), Some(kind)) => kind,
        _ => "none",
    };
    let expected = [
        "result",
        "InvalidRequest",
        "PromptInvalid",
        "RequestTooLarge",
        "OutputInvalid",
        "ProviderUnavailable",
    ];
    if expected.contains(&kind) {
        return RowOutcome { bytes, problem: None };
    }
    let text: String = format!("{}{}", output.stderr, output.stdout).chars().take(300).collect();
    let problem = Some(format!("{} at {size}: {kind} {:?} {text}", row.name, output.code));
    RowOutcome { bytes, problem }
}

/// Runs the rows with the limits and collects those that exceed them.
async fn run_rows(rows: &[Row]) {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let mut wrong = Vec::new();
    for row in rows {
        let mut bytes = 0;
        for factor in [0.5, 1.0, 2.0, 10.0] {
            // Such a text would be rejected before it is parsed, and its values need much memory in
            // this process.
            if factor == 10.0 && bytes > MAX_BYTES / 5 {
                continue;
            }
            let size = (row.size as f64 * factor) as usize;
            let outcome = run_row(&folder, &simulator, row, size).await;
            bytes = outcome.bytes;
            wrong.extend(outcome.problem);
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
async fn values_that_are_coerced_are_cheap() {
    run_rows(COERCED).await;
}

#[tokio::test]
async fn schemas_that_are_rewritten_are_cheap() {
    run_rows(REWRITTEN).await;
}

#[tokio::test]
async fn forms_of_schemas_are_cheap() {
    run_rows(FORMS).await;
}

#[tokio::test]
async fn requests_with_many_items_are_cheap() {
    run_rows(REQUESTS).await;
}

#[tokio::test]
async fn many_values_are_cheap() {
    run_rows(VALUES).await;
}

#[tokio::test]
async fn costly_record_does_not_harm_its_batch() {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let rows = [DOUBLED, QUADRATIC, REQUESTS, REWRITTEN, FORMS].concat();
    let costly = rows.iter().filter(|row| matches!(row.call, Call::Render));
    for row in costly {
        let bad = request_with(&(row.request)(row.size.min(50_000)));
        let good = request_with(&json!({ "message": "good" }));
        let mut requests = vec![good; 9];
        requests.insert(0, bad);
        let event = folder.file("event.json", queue_event(requests).to_string());
        simulator.clear();
        simulator.script(vec![Step { times: 10, ..Step::text("fine") }]);
        let output = run_limited(&folder, &simulator, &["invoke", "--event", &event]).await;
        let failures = output.json()["batchItemFailures"].clone();
        let only_bad = json!([{ "itemIdentifier": "m0" }]);
        assert!(failures == json!([]) || failures == only_bad, "{}: {failures}", row.name);
        let journal = simulator.journal();
        let good = journal.iter().filter(|call| call.body.to_string().contains("good")).count();
        assert_eq!(good, 9, "{}", row.name);
    }
}

/// Maximum number of times that a delay above the limit is measured.
const MAX_MEASUREMENTS: usize = 3;

/// The server handles a health check like any other request. Its delay shows how long deadlines and
/// the other records of a batch wait while a request is validated, rendered or checked.
#[tokio::test]
async fn health_checks_are_not_delayed_by_costly_requests() {
    let simulator = Simulator::start().await.unwrap();
    let folder = Folder::new();
    let build = Build::to_test();
    let server = Server::start(&folder, &build, &as_pairs(&simulator_variables(&simulator))).await;
    let mut late = Vec::new();
    let rows = [DOUBLED, ERRORS, QUADRATIC, REWRITTEN, FORMS, REQUESTS, VALUES].concat();
    for row in rows.iter().filter(|row| !matches!(row.call, Call::Records(_))) {
        let mut request = request_with(&(row.request)(row.size));
        if matches!(row.call, Call::Render) {
            request["dryRun"] = json!(true);
        }
        // Other programs on the machine can only add to the delay, so the shortest one counts.
        let mut shortest = Duration::MAX;
        for _ in 0..MAX_MEASUREMENTS {
            simulator.clear();
            simulator.script(row.call.script(row.size).0);
            let delay = server.longest_delay_during(&request.to_string(), 1).await;
            shortest = shortest.min(delay);
            if shortest <= build.max_delay {
                break;
            }
        }
        if shortest > build.max_delay {
            late.push(format!("{}: {shortest:?}", row.name));
        }
    }
    assert!(late.is_empty(), "{}", late.join("\n"));
}
