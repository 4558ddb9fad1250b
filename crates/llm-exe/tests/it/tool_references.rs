//! Tests that every reference in the schema of a tool or a reply still has its target in the form
//! that a provider receives.

use llm_exe::Endpoints;
use llm_exe::chat::{Chat, Message, Role, Structure, Tool};
use llm_exe::providers::{build_request, provider};
use llm_exe::schema::{Schema, to_draft_2020_12};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

/// A model of each way in which schemas are sent.
const MODELS: &[(&str, &str)] = &[
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-3-haiku-20240307"),
    ("amazon:anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("amazon", "us.anthropic.claude-opus-5-5"),
    ("amazon", "amazon.nova-lite-v1:0"),
    ("amazon", "mistral.mistral-large-2402-v1:0"),
    ("google", "gemini-2.5-flash"),
    ("ollama", "qwen3"),
    ("xai", "grok-4.3"),
    ("deepseek", "deepseek-v4-flash"),
];
/// The text in place of the pointer of a reference.
const PLACEHOLDER: &str = "?";

/// Generates a subschema whose references are placeholders.
fn generate_subschema() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!({ "type": "string" }),
        json!({ "minimum": 3, "$comment": "c" }),
        json!({ "$ref": PLACEHOLDER }),
        json!({ "$ref": PLACEHOLDER, "description": "d", "maximum": 9 }),
    ]);
    leaf.prop_recursive(3, 24, 3, |inner| {
        let with_keyword = |keyword: &'static str, wrap: fn(Vec<Value>) -> Value| {
            let nodes = proptest::collection::vec(inner.clone(), 1..3);
            (nodes, any::<bool>()).prop_map(move |(nodes, has_reference)| {
                let mut schema = json!({ keyword: wrap(nodes) });
                match keyword {
                    "additionalItems" if !has_reference => schema["items"] = json!([{}]),
                    "then" => schema["if"] = json!({ "required": ["a"] }),
                    _ if has_reference => schema["$ref"] = json!(PLACEHOLDER),
                    _ => {}
                }
                schema
            })
        };
        let named = |nodes: Vec<Value>| {
            let names = ["a", "b/c", "d%41~"];
            let fields = names.into_iter().map(str::to_owned).zip(nodes);
            Value::Object(Map::from_iter(fields))
        };
        let single = |mut nodes: Vec<Value>| nodes.remove(0);
        // Two keywords with the same meaning, which apply together.
        let schemas = [inner.clone(), inner.clone()];
        let schemas = schemas.prop_map(|[first, second]| {
            json!({ "dependentSchemas": { "a": first }, "dependencies": { "a": second } })
        });
        let name = || select(vec!["a", "b/c", "d%41~"]);
        let lists = [name(), name(), name()].prop_map(|[property, first, second]| {
            json!({
                "dependentRequired": { property: [first] }, "dependencies": { property: [second] }
            })
        });
        prop_oneof![
            with_keyword("properties", named),
            with_keyword("definitions", named),
            with_keyword("$defs", named),
            with_keyword("dependencies", named),
            with_keyword("dependentSchemas", named),
            with_keyword("patternProperties", named),
            with_keyword("items", Value::Array),
            with_keyword("prefixItems", Value::Array),
            with_keyword("allOf", Value::Array),
            with_keyword("additionalItems", single),
            with_keyword("then", single),
            with_keyword("not", single),
            with_keyword("components", single),
            schemas,
            lists,
        ]
    })
}

/// Generates a schema of any draft, in which each reference leads to a subschema.
fn generate_schema() -> impl Strategy<Value = Value> {
    let draft = select(vec![
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ]);
    let indexes = proptest::collection::vec(any::<prop::sample::Index>(), 1..6);
    (draft, generate_subschema(), generate_subschema(), indexes, any::<bool>()).prop_map(
        |(draft, property, definition, indexes, has_root_reference)| {
            let mut schema = json!({
                "$schema": draft, "type": "object", "properties": { "p": property },
                "definitions": { "D": definition }
            });
            if has_root_reference {
                schema["$ref"] = json!(PLACEHOLDER);
            }
            let mut pointers = Vec::new();
            add_pointers(&schema, "", true, &mut pointers);
            let mut indexes = indexes.iter().cycle();
            set_references(&mut schema, &mut || {
                let index = indexes.next().unwrap();
                format!("#{}", index.get(&pointers).replace('%', "%25"))
            });
            schema
        },
    )
}

/// Adds the pointers of all subschemas of a value.
fn add_pointers(value: &Value, pointer: &str, is_schema: bool, pointers: &mut Vec<String>) {
    if is_schema && value.is_object() {
        pointers.push(pointer.to_owned());
    }
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields.iter().filter(|(name, _)| *name != "dependentRequired") {
                let is_map = is_schema
                    && matches!(
                        name.as_str(),
                        "properties"
                            | "definitions"
                            | "$defs"
                            | "dependencies"
                            | "dependentSchemas"
                            | "patternProperties"
                    );
                let step = name.replace('~', "~0").replace('/', "~1");
                add_pointers(inner, &format!("{pointer}/{step}"), !is_map, pointers);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                add_pointers(inner, &format!("{pointer}/{index}"), true, pointers);
            }
        }
        _ => {}
    }
}

/// Replaces the placeholders.
fn set_references(value: &mut Value, next: &mut impl FnMut() -> String) {
    match value {
        Value::String(text) if text == PLACEHOLDER => *text = next(),
        Value::Object(fields) => fields.values_mut().for_each(|inner| set_references(inner, next)),
        Value::Array(items) => items.iter_mut().for_each(|inner| set_references(inner, next)),
        _ => {}
    }
}

/// Returns the first reference without a target.
fn broken_reference<'a>(root: &'a Value, value: &'a Value) -> Option<&'a str> {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        let path = percent_decode_str(reference.strip_prefix('#').unwrap_or("?"));
        if root.pointer(&path.decode_utf8().unwrap()).is_none() {
            return Some(reference);
        }
    }
    match value {
        Value::Object(fields) => fields.values().find_map(|inner| broken_reference(root, inner)),
        Value::Array(items) => items.iter().find_map(|inner| broken_reference(root, inner)),
        _ => None,
    }
}

/// Returns the schemas of the tools in the body of a request.
fn tool_schemas(body: &Value) -> Vec<&Value> {
    const KEYS: &[&str] = &["parameters", "input_schema", "parametersJsonSchema", "json"];
    match body {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, inner)| match KEYS.contains(&key.as_str()) {
                true => vec![inner],
                false => tool_schemas(inner),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(tool_schemas).collect(),
        _ => Vec::new(),
    }
}

/// Returns the schemas that the body of a request to a model contains for this tool.
fn sent_tools(name: &str, model: &str, schema: &Value) -> Vec<Value> {
    let row = provider(name).unwrap();
    let endpoint = {
        let mut endpoints = Endpoints::new();
        endpoints.set_region("eu-central-1").unwrap();
        endpoints.resolve(&row.into())
    };
    let mut chat = Chat::new(model, vec![Message::text(Role::User, "hi")]);
    chat.tools = vec![Tool::new("t", schema.clone())];
    // A dialect can reject a schema that its API does not support.
    let Ok(built) = build_request(row.dialect, &endpoint, &chat) else { return Vec::new() };
    let body = built.request.to_json()["body"].take();
    tool_schemas(&body["tools"])
        .into_iter()
        .chain(tool_schemas(&body["toolConfig"]))
        .cloned()
        .collect()
}

/// Returns the forms of a reply's schema for a model, from the strongest to the weakest.
fn sent_structures(name: &str, model: &str, schema: &Schema) -> Vec<Value> {
    let dialect = provider(name).unwrap().dialect;
    let mut structure = dialect.structure(model, "answer", schema);
    let mut sent = Vec::new();
    for _ in 0..5 {
        match &structure {
            Structure::Native { schema, .. } | Structure::ForcedTool { schema, .. } => {
                sent.push(schema.clone());
            }
            _ => break,
        }
        structure = dialect.weaker_structure(model, "answer", schema, &structure);
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_reference_that_is_sent_has_a_target(schema in generate_schema()) {
        let compiled = Schema::compile(schema.as_object().unwrap().clone());
        for (name, model) in MODELS {
            let mut sent = sent_tools(name, model, &schema);
            let has_fields =
                |tool: &Value| tool["type"] == "object" && tool["properties"].is_object();
            prop_assert!(sent.iter().all(has_fields), "{name} {model}: {sent:?}");
            if let Ok(compiled) = &compiled {
                sent.extend(sent_structures(name, model, compiled));
            }
            for form in sent {
                let broken = broken_reference(&form, &form);
                prop_assert_eq!(broken, None, "{} {}: {} sent as {}", name, model, schema, form);
            }
        }
    }

    #[test]
    fn conversion_preserves_validity(schema in generate_schema()) {
        let compile = |schema: &Value| Schema::compile(schema.as_object().unwrap().clone());
        let converted = to_draft_2020_12(&schema);
        let Ok(original) = compile(&schema) else { return Ok(()) };
        let compiled = compile(&converted);
        prop_assert!(compiled.is_ok(), "{} converted to {}: {:?}", schema, converted, compiled);
        let compiled = compiled.unwrap();
        for value in sample_values() {
            prop_assert_eq!(
                original.is_valid(&value), compiled.is_valid(&value),
                "{} for {} converted to {}", value, schema, converted
            );
        }
    }
}

fn sample_values() -> Vec<Value> {
    let inner = [json!("s"), json!(1), json!(5), json!(10), json!([1, 5]), json!([["s"], 1])];
    let objects = inner.clone().map(|value| json!({ "a": value, "b/c": value, "d%41~": 10 }));
    let few_fields = [json!({ "a": "s" }), json!({ "a": 5, "b/c": 1 }), json!({ "d%41~": 1 })];
    let all = inner.into_iter().chain(objects).chain(few_fields);
    all.map(|value| json!({ "p": value })).collect()
}

#[test]
fn many_generated_schemas_are_sent_with_references() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut with_references = 0;
    for _ in 0..200 {
        let schema = generate_schema().new_tree(&mut runner).unwrap().current();
        let sent = sent_tools("anthropic", "claude-sonnet-4-5", &schema);
        assert_eq!(sent.len(), 1);
        with_references += usize::from(sent[0].to_string().contains("\"$ref\""));
    }
    assert!(with_references > 50, "{with_references}");
}
