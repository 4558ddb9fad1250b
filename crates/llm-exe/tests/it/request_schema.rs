//! Generates the JSON Schema of a request and compares it with the validation of requests.
//!
//! The names and descriptions of the fields come from the Rust types. The values that a field
//! accepts come from the tables of providers, outputs and efforts, and from the rules here.

use llm_exe::parsers::Parsers;
use llm_exe::providers::PROVIDERS;
use llm_exe::{
    Plan, Provider, Providers, Request, Rules, config_schema, request_schema, request_schema_with,
};
use serde_json::{Value, json};

use crate::common::{read_cases, root, update};

/// The names of the Rust types, and those in the schema.
const TYPES: &[(&str, &str)] = &[
    ("RequestMessage", "Message"),
    ("RequestPart", "Part"),
    ("RequestImage", "Image"),
    ("RequestOptions", "Options"),
    ("RequestFallback", "Fallback"),
    ("RequestToolRun", "ToolRun"),
    ("RequestToolChoice", "ToolChoice"),
    ("RequestToolResult", "ToolResult"),
    ("RequestTool", "Tool"),
    ("RequestStep", "Step"),
    ("RequestRepeat", "Repeat"),
];

/// The values of `effort`. A test compares them with the validation.
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Fields that the request of a tool and a step may not set.
const NOT_NESTED: &[&str] = &[
    "return",
    "dryRun",
    "destination",
    "idempotencyKey",
    "conversation",
    "continue",
    "toolResults",
    "stream",
    "streamFormat",
];

const NOT_BLANK: &str = "\\S";
const MODEL: &str = r"^(?!.*\.\.)[A-Za-z0-9._:/@+-]+$";

/// A provider that contains a model, such as `openai.gpt-4o-mini`.
const WITH_MODEL: &str = r"^[^.]+\.(?!chat$|chat\.v1$).+";

/// Removes the defaults, which are null everywhere, and the line breaks of doc comments.
fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "default" || !value.is_null());
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                for (rust, name) in TYPES {
                    *reference = reference.replace(rust, name);
                }
            }
            fields.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

/// Adds keywords to a schema, or replaces them.
fn set(schema: &mut Value, keywords: Value) {
    let Value::Object(keywords) = keywords else { panic!("{keywords}") };
    schema.as_object_mut().unwrap_or_else(|| panic!("{keywords:?}")).extend(keywords);
}

/// Replaces all keywords of a schema but its description.
fn replace(schema: &mut Value, keywords: Value) {
    let description = schema["description"].take();
    *schema = json!({ "description": description });
    set(schema, keywords);
}

/// Returns the values of a field that may be null.
fn one_of(names: impl IntoIterator<Item = impl Into<String>>) -> Value {
    let names = names.into_iter().map(|name| Value::from(name.into()));
    json!({ "enum": names.chain([Value::Null]).collect::<Vec<_>>() })
}

fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn set_options(options: &mut Value) {
    let fields = &mut options["properties"];
    for (name, minimum, maximum) in [
        ("temperature", 0, 2),
        ("topP", 0, 1),
        ("frequencyPenalty", -2, 2),
        ("presencePenalty", -2, 2),
    ] {
        set(&mut fields[name], json!({ "minimum": minimum, "maximum": maximum }));
    }
    for (name, minimum, maximum) in [
        ("topK", 1, u64::MAX),
        ("maxTokens", 1, u64::MAX),
        ("numOfAttempts", 1, 10),
        ("timeout", 1, 86_400_000),
        ("maxDelay", 0, 86_400_000),
    ] {
        set(&mut fields[name], json!({ "minimum": minimum, "maximum": maximum }));
    }
    set(&mut fields["maxCost"], json!({ "exclusiveMinimum": 0 }));
    set(&mut fields["effort"], one_of(EFFORTS.iter().copied()));
    set(&mut fields["jitter"], one_of(["full", "none"]));
    let strings = json!({ "type": "string", "minLength": 1 });
    set(&mut fields["stopSequences"], json!({ "maxItems": 16, "items": strings }));
}

fn set_messages(message: &mut Value, types: &mut Value) {
    let text = json!({ "type": "string", "pattern": NOT_BLANK });
    let list = |title: &str, items: &Value| {
        let mut list = json!({ "title": title, "type": "array", "minItems": 1, "maxItems": 1000 });
        list["items"] = items.clone();
        list
    };
    let objects = json!({ "$ref": "#/$defs/Message" });
    let mut system = text.clone();
    set(&mut system, json!({ "title": "One system message" }));
    let alternating = list("Messages that alternate: system, user, assistant and so on", &text);
    let with_roles = list("Messages with their roles", &objects);
    replace(message, json!({ "anyOf": [system, alternating, with_roles, { "type": "null" }] }));

    let parts = json!({ "type": "array", "minItems": 1, "maxItems": 200 });
    let mut parts_of_message = parts;
    set(&mut parts_of_message, json!({ "items": { "$ref": "#/$defs/Part" } }));
    let message = &mut types["Message"];
    set(message, json!({ "required": ["role", "content"] }));
    set(&mut message["properties"]["role"], json!({ "type": "string" }));
    set(&mut message["properties"]["role"], json!({ "enum": ["system", "user", "assistant"] }));
    replace(&mut message["properties"]["content"], json!({ "anyOf": [text, parts_of_message] }));

    let part = &mut types["Part"];
    let is_text = json!({ "properties": { "type": { "const": "text" } } });
    let needs = |field: &str, kind: &str| {
        let fields = json!({ field: { "type": kind } });
        json!({ "required": [field], "properties": fields })
    };
    set(
        &mut part["properties"]["type"],
        json!({ "type": "string", "enum": ["text", "image_url"] }),
    );
    set(part, json!({ "required": ["type"], "if": is_text }));
    set(part, json!({ "then": needs("text", "string"), "else": needs("image_url", "object") }));
    let image = &mut types["Image"];
    set(image, json!({ "required": ["url"] }));
    set(&mut image["properties"]["url"], json!({ "type": "string" }));
}

fn set_tools(fields: &mut Value, types: &mut Value) {
    let list = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    set(&mut fields["tools"], json!({ "maxItems": 128, "items": list("Tool") }));
    set(&mut fields["toolResults"], json!({ "items": list("ToolResult") }));
    set(&mut fields["maxTurns"], json!({ "minimum": 1, "maximum": 50 }));
    set(&mut fields["toolErrors"], one_of(["report", "fail"]));
    let words = json!({ "enum": ["auto", "none", "required", null] });
    let named = json!({ "$ref": "#/$defs/ToolChoice" });
    replace(&mut fields["toolChoice"], json!({ "anyOf": [words, named] }));

    let name = json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$" });
    let tool = &mut types["Tool"];
    set(tool, json!({ "required": ["name"] }));
    set(&mut tool["properties"]["name"], name.clone());
    set(&mut tool["properties"]["timeout"], json!({ "minimum": 1, "maximum": 86_400_000 }));
    let object = json!({ "type": { "const": "object" } });
    set(&mut tool["properties"]["parameters"], json!({ "properties": object }));
    let kinds = ["request", "lambda", "key", "url"].map(|kind| json!({ "required": [kind] }));
    set(&mut types["ToolRun"], json!({ "oneOf": kinds }));
    for field in ["lambda", "key", "url"] {
        set(&mut types["ToolRun"]["properties"][field], json!({ "type": "string" }));
    }
    let mut not_nested = json!({});
    for field in NOT_NESTED {
        not_nested[field] = json!({ "type": "null" });
    }
    let nested = json!([{ "$ref": "#" }, { "type": "object", "properties": not_nested }]);
    let request = &mut types["ToolRun"]["properties"]["request"];
    replace(request, json!({ "allOf": nested }));
    set(&mut types["ToolRun"], json!({ "additionalProperties": false }));
    set(&mut types["ToolChoice"], json!({ "required": ["name"] }));
    set(&mut types["ToolChoice"]["properties"]["name"], name);
    let result = &mut types["ToolResult"];
    let either = json!([{ "required": ["result"] }, { "required": ["error"] }]);
    set(result, json!({ "required": ["id"], "oneOf": either }));
    for field in ["id", "error"] {
        set(&mut result["properties"][field], json!({ "type": "string" }));
    }
}

fn set_steps(fields: &mut Value, types: &mut Value) {
    let items = json!({ "$ref": "#/$defs/Step" });
    set(&mut fields["steps"], json!({ "minItems": 1, "maxItems": 50, "items": items }));
    let name = json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$" });
    let count = json!({ "minimum": 1, "maximum": 50 });
    set(&mut fields["concurrency"], count.clone());
    let step = &mut types["Step"];
    let properties = &mut step["properties"];
    set(&mut properties["name"], name);
    set(&mut properties["concurrency"], count);
    set(&mut properties["onItemError"], one_of(["fail", "null"]));
    let paths = json!({ "type": "string", "minLength": 1 });
    set(&mut properties["dataFrom"], json!({ "additionalProperties": paths }));
    for field in fields.as_object().unwrap().keys() {
        if NOT_NESTED.contains(&field.as_str()) {
            properties[field] = json!({ "type": "null" });
        } else if properties.get(field).is_none() {
            properties[field] = json!({ "$ref": format!("#/properties/{field}") });
        }
    }
    let kinds = ["message", "steps", "key", "url"];
    let kinds = kinds.map(|kind| json!({ "required": [kind] }));
    set(step, json!({ "required": ["name"], "anyOf": kinds }));
    let repeat = &mut types["Repeat"];
    set(repeat, json!({ "required": ["until", "max"], "additionalProperties": false }));
    let text = json!({ "type": "string", "pattern": NOT_BLANK });
    set(&mut repeat["properties"]["until"], text);
    let runs = json!({ "type": "integer", "minimum": 2, "maximum": 20 });
    set(&mut repeat["properties"]["max"], runs);
}

fn output_options() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let mut choices = json!({
        "match": one_of(["exact", "extract", "word", "substring"]),
        "enum": nullable(json!({ "type": "array", "minItems": 1, "items": text })),
        "ignoreCase": { "type": ["boolean", "null"] },
        "keyTransform": one_of(["camelCase", "preserve"]),
        "repairs": { "type": ["integer", "null"], "minimum": 0, "maximum": 3 }
    });
    for (name, text) in [
        ("match", "How a boolean, number or stringExtract is found in the reply."),
        ("enum", "The values that stringExtract returns."),
        ("ignoreCase", "Whether stringExtract ignores case. Default: true."),
        ("keyTransform", "How the keys of listToJson are written."),
        ("repairs", "How often the model may correct an unusable reply."),
    ] {
        set(&mut choices[name], json!({ "description": text }));
    }
    choices
}

/// Returns the rules for the provider and the model of a request or a fallback.
fn target_rules() -> Value {
    let with =
        |name: &str| json!({ "required": [name], "properties": { name: { "type": "string" } } });
    let with_model = |name: &str| {
        let provider = json!({ "type": "string", "pattern": WITH_MODEL });
        json!({ "required": [name], "properties": { name: provider } })
    };
    json!([
        { "anyOf": [with("provider"), with("providor")] },
        {
            "if": { "anyOf": [with_model("provider"), with_model("providor")] },
            "else": with("model")
        }
    ])
}

/// Returns the rules for a request without a hosted config, which could provide any field.
fn complete_request() -> Value {
    let message = json!({ "properties": { "message": { "not": { "type": "null" } } } });
    let has = |field: &str, schema: Value| {
        let fields = json!({ field: schema });
        json!({ "required": [field], "properties": fields })
    };
    let output = |name: &str| has("output", json!({ "const": name }));
    let list = has("enum", json!({ "type": "array" }));
    let mut rules = target_rules();
    rules.as_array_mut().unwrap().extend([
        json!({ "if": output("json"), "then": has("schema", json!({ "type": "object" })) }),
        json!({ "if": output("stringExtract"), "then": has("outputOptions", list) }),
    ]);
    let mut complete = json!({ "required": ["message"], "allOf": rules });
    set(&mut complete, message);
    complete
}

fn has_steps() -> Value {
    json!({ "required": ["steps"], "properties": { "steps": { "type": "array" } } })
}

/// Returns the rules for a request with steps.
fn chain() -> Value {
    let mut fields = json!({});
    for name in ["message", "output", "outputOptions", "schema", "conversation", "continue"] {
        fields[name] = json!({ "type": "null" });
    }
    json!({ "properties": fields })
}

fn generate() -> Value {
    let mut schema = schemars::schema_for!(Request).to_value();
    clean(&mut schema);
    let mut types = schema["$defs"].take();
    let types_of = types.as_object_mut().unwrap();
    types_of.retain(|name, _| !name.starts_with("TextOr"));
    for (rust, name) in TYPES {
        let mut kind = types_of.shift_remove(*rust).unwrap_or_else(|| panic!("{rust}"));
        set(&mut kind, json!({ "title": name }));
        types_of.insert((*name).to_owned(), kind);
    }
    let names: Vec<&str> = PROVIDERS.iter().map(|row| row.name).collect();
    let dotted = format!("^(?:{})\\..+$", names.join("|"));
    types["Provider"] = json!({
        "title": "Provider",
        "anyOf": [
            { "enum": names },
            { "title": "A provider with a model", "type": "string", "pattern": dotted },
            { "type": "null" }
        ]
    });
    set_options(&mut types["Options"]);
    let fields = &mut schema["properties"];
    set_messages(&mut fields["message"], &mut types);
    set_tools(fields, &mut types);
    set_steps(fields, &mut types);
    for target in [&mut *fields, &mut types["Fallback"]["properties"]] {
        for name in ["provider", "providor"] {
            replace(&mut target[name], json!({ "$ref": "#/$defs/Provider" }));
        }
        set(&mut target["model"], json!({ "maxLength": 256, "pattern": MODEL }));
    }
    set(&mut types["Fallback"], json!({ "allOf": target_rules() }));
    set(&mut fields["output"], one_of(Parsers::default().names()));
    set(&mut fields["outputOptions"], json!({ "properties": output_options() }));
    let fallback = json!({ "$ref": "#/$defs/Fallback" });
    set(&mut fields["fallbacks"], json!({ "maxItems": 20, "items": fallback }));
    set(&mut fields["return"], one_of(["result", "full"]));
    set(&mut fields["streamFormat"], one_of(["sse", "ndjson"]));
    let tag = json!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$" });
    let names = json!({ "pattern": tag["pattern"] });
    set(
        &mut fields["tags"],
        json!({ "maxProperties": 10, "propertyNames": names, "additionalProperties": tag }),
    );
    set(&mut fields["idempotencyKey"], json!({ "minLength": 1 }));
    let text = "The JSON Schema of this file, for editors.";
    fields["$schema"] = json!({ "description": text, "type": ["string", "null"] });
    let points_by =
        |name: &str| json!({ "required": [name], "properties": { name: { "type": "string" } } });
    let fields = fields.take();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/llm-exe/llm-exe-lambda/request.schema.json",
        "title": schema["title"],
        "description": schema["description"],
        "type": "object",
        "properties": fields,
        "if": { "anyOf": [points_by("key"), points_by("url")] },
        "else": { "if": has_steps(), "then": chain(), "else": complete_request() },
        "$defs": types
    })
}

#[test]
fn request_schema_is_up_to_date() {
    let path = root().join("crates/llm-exe/src/request/schema.json");
    let expected = format!("{:#}\n", generate());
    if update() {
        std::fs::write(&path, &expected).unwrap();
    }
    let current = std::fs::read_to_string(&path).unwrap();
    assert!(current == expected, "{} is out of date; run scripts/update", path.display());
}

/// Problems that a schema can't express, because they concern several fields, the text of a
/// template or of an unknown name, another schema, or the setting of an operator.
const BEYOND_A_SCHEMA: &[&str] = &[
    "provider and providor differ",
    "model in provider and a different model",
    "image in a system message",
    "invalid schema",
    "remote reference in the schema",
    "file reference in the schema",
    "invalid pattern in the schema",
    "pointer to a hosted config is not fetched",
    "template with a syntax error",
    "unknown template helper",
    "tools of the request of a tool must run",
    "nested requests of tools",
    "choice of a tool that does not exist",
    "empty list of tools",
    "results without tools",
    "results without a conversation",
    "conversation that is not one",
    "misplaced version of a function",
    "maximum cost without a known price",
    "maximum cost of a fallback",
    "steps with the same name",
    "references to steps that do not exist",
    "references to later steps",
    "steps that refer to each other",
    "step that refers to itself",
    "reference in a list leads to the root",
    "steps with tools that are handed back",
    "concurrency without steps",
    "step without a provider",
    "too many steps in nested chains",
    "chain that is too deep",
    "price of a model in a step",
    "pointer in a step is not fetched",
    "value before the first step",
    "several references of one field",
    "model of another provider is not inherited",
    "model of another provider in a name is not inherited",
    "inherited tools that are too deep",
    "lists in data that are not lists",
    "variables that a step does not have",
    "misspelled fields of a step",
    "template in place of a path",
];

#[test]
fn schema_accepts_and_rejects_what_the_validation_does() {
    let schema = jsonschema::validator_for(&request_schema()).unwrap();
    let cases: Vec<Value> = read_cases("requests.json");
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let is_valid = case["problems"].as_array().unwrap().is_empty();
        let expected = is_valid || BEYOND_A_SCHEMA.contains(&name);
        if schema.is_valid(&case["request"]) != expected {
            let errors: Vec<String> =
                schema.iter_errors(&case["request"]).map(|error| error.to_string()).collect();
            wrong.push(format!("{name}: expected {expected}: {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn invalid_shapes_are_rejected_by_both() {
    let schema = jsonschema::validator_for(&request_schema()).unwrap();
    let with = |name: &str, value: Value| {
        let mut request = json!({ "provider": "openai", "model": "m", "message": "Hi" });
        request[name] = value;
        request
    };
    for invalid in [
        json!({}),
        json!([]),
        with("provider", json!("opnai")),
        with("provider", json!(null)),
        with("model", json!(null)),
        with("message", json!(null)),
        with("message", json!([])),
        with("message", json!([{ "role": "usr", "content": "a" }])),
        with("output", json!("jsn")),
        with("return", json!("all")),
        with("options", json!({ "temperature": 9 })),
        with("options", json!({ "effort": "huge" })),
        with("options", json!({ "maxTokens": 0 })),
        with("options", json!({ "jitter": "some" })),
        with("options", json!({ "numOfAttempts": 11 })),
        with("options", json!({ "timeout": 0 })),
        with("options", json!({ "stopSequences": [""] })),
        with("fallbacks", json!([{ "provider": "openai" }])),
        with("fallbacks", json!([null])),
        with("steps", json!([])),
        with("data", json!([])),
    ] {
        assert!(!schema.is_valid(&invalid), "the schema accepts {invalid}");
        assert!(Plan::from_value(invalid.clone(), &Rules::default()).is_err(), "{invalid}");
    }
    for valid in [
        with("provider", json!("openai.chat.v1")),
        json!({ "provider": "anthropic.claude-sonnet-4-5", "message": ["a"] }),
        json!({ "providor": "amazon:anthropic", "model": "a.b:0", "message": "Hi" }),
        with("$schema", json!("./request.schema.json")),
        with("output", json!(null)),
        with("tools", json!(null)),
        with("unknown", json!(1)),
        with("fallbacks", json!([{ "provider": "xai.grok-4" }])),
    ] {
        let errors: Vec<String> =
            schema.iter_errors(&valid).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{valid}: {errors:?}");
        let plan = Plan::from_value(valid.clone(), &Rules::default());
        assert!(plan.is_ok(), "{valid}: {plan:?}");
        let unknown = usize::from(valid.get("unknown").is_some());
        assert_eq!(plan.unwrap().warnings.len(), unknown, "{valid}");
    }
    for pointer in [json!({ "key": "a.json" }), json!({ "url": "s3://a/b", "provider": "xai" })] {
        assert!(schema.is_valid(&pointer), "{pointer}");
    }
}

#[test]
fn efforts_are_those_of_the_validation() {
    let options = json!({ "effort": "huge" });
    let request = json!({ "provider": "xai", "model": "m", "message": "Hi", "options": options });
    let error = Plan::from_value(request, &Rules::default()).unwrap_err();
    let expected = format!("expected one of {}, got", EFFORTS.join(", "));
    assert!(error.message().contains(&expected), "{error}");
}

#[test]
fn registered_providers_are_accepted() {
    let server = Provider::openai_compatible("inhouse", "https://api.example.com/v1");
    let providers = Providers::with([server.key_name("Key")]).unwrap();
    let schema = jsonschema::validator_for(&request_schema_with(&providers)).unwrap();
    for (provider, expected) in
        [("inhouse", true), ("inhouse.m", true), ("openai", true), ("inhous", false)]
    {
        let request = json!({ "provider": provider, "model": "m", "message": "Hi" });
        assert_eq!(schema.is_valid(&request), expected, "{provider}");
    }
}

#[test]
fn config_may_omit_fields_and_list_overridable_ones() {
    let schema = jsonschema::validator_for(&config_schema(&Providers::default())).unwrap();
    for (config, expected) in [
        (json!({}), true),
        (json!({ "provider": "openai", "output": "json" }), true),
        (json!({ "overridable": ["model", "options"] }), true),
        (json!({ "overridable": ["modle"] }), false),
        (json!({ "overridable": ["url"] }), false),
        (json!({ "key": "a.json" }), false),
        (json!({ "options": { "temperature": 9 } }), false),
    ] {
        assert_eq!(schema.is_valid(&config), expected, "{config}");
    }
}

/// Calls a function with each description and each name of a type in a schema.
fn visit_texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("description" | "title" | "$ref", Value::String(text)) => visit(text),
                    ("$defs", Value::Object(types)) => types.keys().for_each(|name| visit(name)),
                    _ => {}
                }
                visit_texts(value, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit_texts(item, visit)),
        _ => {}
    }
}

#[test]
fn descriptions_do_not_mention_rust() {
    let schema = config_schema(&Providers::default());
    let mut texts = Vec::new();
    visit_texts(&schema, &mut |text| texts.push(text.to_owned()));
    assert!(texts.len() > 50, "{}", texts.len());
    for text in texts {
        for name in ["TextOr", "Request", "`T`", "serde", "deserial", "Option<", "struct ", "\n"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
    let fields = schema["properties"].as_object().unwrap();
    assert!(fields.values().all(|field| field["description"].is_string()), "{fields:#?}");
}
