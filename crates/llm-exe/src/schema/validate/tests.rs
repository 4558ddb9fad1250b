//! Tests of compiling schemas, checking values and describing errors.

use serde_json::{Value, json};

use super::{Budget, Validator};

/// Enough units of work for each value of these tests.
const WORK: u64 = 1_000_000;

fn compile(schema: &Value) -> Validator {
    Validator::compile(schema.as_object().unwrap()).unwrap()
}

fn compile_error(schema: &Value) -> String {
    match Validator::compile(schema.as_object().unwrap()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    compile(schema).is_valid(value, &Budget::new(WORK)).unwrap()
}

fn errors(schema: &Value, value: &Value) -> String {
    let validator = compile(schema);
    assert_eq!(validator.is_valid(value, &Budget::new(WORK)), Ok(false), "{schema} {value}");
    validator.explain(value, &Budget::new(WORK))
}

/// Returns a schema with definitions that each refer to the next one.
fn chain(length: usize, level: impl Fn(Value) -> Value) -> Value {
    let mut schema = json!({"type": "object", "$ref": "#/$defs/a0", "$defs": {}});
    for index in 0..length {
        let next = json!({"$ref": format!("#/$defs/a{}", index + 1)});
        schema["$defs"][format!("a{index}")] = level(next);
    }
    schema["$defs"][format!("a{length}")] = json!({"type": "object"});
    schema
}

#[test]
fn invalid_schemas_are_rejected_with_their_place() {
    let types = "(null, boolean, integer, number, string, array, object)";
    for (schema, expected) in [
        (
            json!({"properties": {"a/b": {"type": "strin"}}}),
            format!(
                "invalid JSON Schema at /properties/a~1b/type: expected a type name {types}, got \
                 \"strin\" (did you mean string?)"
            ),
        ),
        (json!({"type": []}), "at /type: expected at least one type name, got none".into()),
        (json!({"type": ["null", "null"]}), "at /type/1: the type \"null\" is listed twice".into()),
        (
            json!({"items": 5}),
            "at /items: expected a schema (an object or a boolean), got 5".into(),
        ),
        (json!({"items": []}), "use prefixItems for a list of schemas".into()),
        (json!({"anyOf": []}), "at /anyOf: expected at least one schema, got none".into()),
        (json!({"minLength": -1}), "expected a number of 0 or more without a fraction".into()),
        (json!({"maxItems": 1.5}), "expected a number of 0 or more without a fraction".into()),
        (json!({"multipleOf": 0}), "at /multipleOf: expected a number greater than 0".into()),
        (json!({"required": ["a", "a"]}), "the name \"a\" is listed twice".into()),
        (json!({"required": ["a", 5]}), "at /required/1: expected a name, got 5".into()),
        (json!({"enum": {}}), "at /enum: expected a list, got an object".into()),
        (json!({"pattern": "("}), "at /pattern: \"(\" is not a regular expression".into()),
        (json!({"patternProperties": {"[": {}}}), "at /patternProperties/[: ".into()),
        (json!({"uniqueItems": "yes"}), "expected true or false".into()),
        (json!({"$defs": {"a": {"title": 5}}}), "at /$defs/a/title: expected a string".into()),
        (json!({"$id": "a#b"}), "at /$id: a fragment is not allowed".into()),
        (json!({"$anchor": "1a"}), "at /$anchor: expected a name of letters".into()),
        (
            json!({"$ref": "#/$defs/a"}),
            "at /$ref: the reference \"#/$defs/a\" does not lead to a schema: it has no \"$defs\""
                .into(),
        ),
        (json!({"$ref": "#a"}), "no schema has the anchor \"a\"".into()),
        (json!({"$ref": "#/x", "x": 5}), "does not lead to a schema: it leads to 5".into()),
        (
            json!({"items": {"$ref": "other.json#/a"}}),
            "at /items/$ref: the reference \"other.json#/a\" leads to another document, which is \
             never loaded (\"json-schema:///other.json\"); copy the schema into $defs"
                .into(),
        ),
    ] {
        let error = compile_error(&schema);
        assert!(error.contains(&expected), "{schema}: {error}");
        assert!(error.starts_with("invalid JSON Schema at /"), "{error}");
    }
}

#[test]
fn keywords_of_other_drafts_are_ignored() {
    let draft = |uri: &str, rules: Value| {
        let mut schema = json!({ "$schema": uri });
        schema.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
        schema
    };
    let (draft4, draft6) =
        ("http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#");
    let draft7 = "http://json-schema.org/draft-07/schema#";
    let draft2019 = "https://json-schema.org/draft/2019-09/schema";
    for (schema, value, valid) in [
        (draft(draft4, json!({"const": 1})), json!(2), true),
        (draft(draft6, json!({"const": 1})), json!(2), false),
        (draft(draft4, json!({"minimum": 1, "exclusiveMinimum": true})), json!(1), false),
        (draft(draft4, json!({"type": "integer"})), json!(1.0), false),
        (draft(draft6, json!({"type": "integer"})), json!(1.0), true),
        (draft(draft6, json!({"if": true, "then": false})), json!(1), true),
        (draft(draft7, json!({"if": true, "then": false})), json!(1), false),
        (
            draft(
                draft7,
                json!({"$ref": "#/definitions/a", "type": "null",
            "definitions": {"a": {"type": "string"}}}),
            ),
            json!("x"),
            true,
        ),
        (
            draft(
                draft2019,
                json!({"$ref": "#/$defs/a", "type": "null",
            "$defs": {"a": {"type": "string"}}}),
            ),
            json!("x"),
            false,
        ),
        (
            draft(draft7, json!({"items": [{"type": "null"}], "additionalItems": false})),
            json!([null, 1]),
            false,
        ),
        (draft(draft7, json!({"prefixItems": [false]})), json!([1]), true),
        (json!({"prefixItems": [false]}), json!([1]), false),
        (draft(draft7, json!({"contentEncoding": "base64"})), json!("%"), false),
        (json!({"contentEncoding": "base64"}), json!("%"), true),
        (draft(draft7, json!({"unevaluatedProperties": false})), json!({"a": 1}), true),
    ] {
        assert_eq!(is_valid(&schema, &value), valid, "{schema} {value}");
    }
}

#[test]
fn references_lead_to_ids_anchors_and_pointers() {
    for schema in [
        json!({"$ref": "#/$defs/a%25b~1", "$defs": {"a%b/": {"type": "null"}}}),
        json!({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "type": "null"}}}),
        json!({"$id": "https://a.example/b/c", "$ref": "d#e",
            "$defs": {"x": {"$id": "/b/d", "$defs": {"y": {"$anchor": "e", "type": "null"}}}}}),
        json!({"$ref": "urn:uuid:1#/$defs/y",
            "$defs": {"x": {"$id": "urn:uuid:1", "$defs": {"y": {"type": "null"}}}}}),
        json!({"$ref": "#/components/schemas/a",
            "components": {"schemas": {"a": {"$ref": "#/components/schemas/b"},
                "b": {"type": "null"}}}}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#a",
            "definitions": {"x": {"$id": "#a", "type": "null"}}}),
        json!({"$schema": "http://json-schema.org/draft-04/schema#", "$ref": "x.json",
            "definitions": {"x": {"id": "x.json", "type": "null"}}}),
    ] {
        assert!(is_valid(&schema, &json!(null)), "{schema}");
        assert!(!is_valid(&schema, &json!(1)), "{schema}");
    }
}

#[test]
fn meta_schemas_can_be_referred_to() {
    for uri in [
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-04/schema#",
    ] {
        let schema = json!({"properties": {"parameters": {"$ref": uri}}});
        let value = |inner: Value| json!({"parameters": {"properties": {"a": inner}}});
        assert!(is_valid(&schema, &value(json!({"type": "string"}))), "{uri}");
        assert!(!is_valid(&schema, &value(json!({"type": "strin"}))), "{uri}");
    }
}

#[test]
fn dynamic_references_lead_to_the_outermost_anchor() {
    let schema = json!({
        "$id": "https://a.example/tree-of-numbers", "$dynamicAnchor": "node", "$ref": "tree",
        "properties": {"data": {"type": "number"}},
        "$defs": {"tree": {"$id": "tree", "$dynamicAnchor": "node",
            "properties": {"children": {"items": {"$dynamicRef": "#node"}}}}}
    });
    assert!(is_valid(&schema, &json!({"children": [{"data": 1}]})));
    assert!(!is_valid(&schema, &json!({"children": [{"data": "x"}]})));
}

#[test]
fn unevaluated_keywords_know_what_other_keywords_have_evaluated() {
    let schema = json!({
        "properties": {"a": true},
        "anyOf": [{"properties": {"b": {"const": 1}}, "required": ["b"]},
            {"patternProperties": {"^c": true}, "required": ["c"]}],
        "if": {"properties": {"d": {"const": 1}}, "required": ["d"]},
        "unevaluatedProperties": {"type": "null"}
    });
    for (value, valid) in [
        (json!({"a": 1, "b": 1}), true),
        (json!({"b": 2, "c": 1}), false),
        (json!({"b": 1, "c": 1, "cc": 1, "d": 1}), true),
        (json!({"b": 1, "d": 2}), false),
        (json!({"b": 1, "e": null}), true),
    ] {
        assert_eq!(is_valid(&schema, &value), valid, "{value}");
    }
    let schema = json!({"contains": {"type": "string"}, "unevaluatedItems": false});
    assert!(is_valid(&schema, &json!(["a", "b"])));
    assert_eq!(errors(&schema, &json!(["a", 1])), "/1: no value is allowed here");
}

#[test]
fn errors_say_what_was_received_and_expected() {
    for (schema, value, expected) in [
        (json!({"type": "string"}), json!(5), "the value: expected a string, got 5"),
        (
            json!({"type": ["string", "null"]}),
            json!({}),
            "the value: expected a string or null, got an object",
        ),
        (
            json!({"properties": {"a/b": {"enum": ["x", 1]}}}),
            json!({"a/b": "y"}),
            "/a~1b: expected one of \"x\" or 1, got \"y\"",
        ),
        (json!({"minLength": 3}), json!("ä"), "expected at least 3 characters, got 1"),
        (json!({"maxItems": 1}), json!([1, 2]), "expected at most 1 item, got 2"),
        (json!({"exclusiveMinimum": 5}), json!(5), "expected a number greater than 5, got 5"),
        (json!({"multipleOf": 0.1}), json!(0.25), "expected a multiple of 0.1, got 0.25"),
        (json!({"pattern": "^a"}), json!("b"), "\"b\" does not match the pattern \"^a\""),
        (json!({"required": ["a"]}), json!({}), "the value: the property \"a\" is missing"),
        (
            json!({"properties": {"a": true}, "additionalProperties": false}),
            json!({"b": 1}),
            "/b: the property is not allowed (known: \"a\")",
        ),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"ab": 1}),
            "the property name \"ab\" is not allowed: expected at most 1 character, got 2",
        ),
        (
            json!({"propertyNames": false}),
            json!({"a": 1}),
            "the value: the property name \"a\" is not allowed",
        ),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!({"a": 1}),
            "the property \"b\" is missing, which \"a\" requires",
        ),
        (json!({"uniqueItems": true}), json!([1, 2, 1.0]), "items 0 and 2 are equal"),
        (json!({"contains": {"type": "null"}}), json!([1]), "at least 1 item that matches"),
        (json!({"not": {"type": "null"}}), json!(null), "it must not match the schema in not"),
    ] {
        let text = errors(&schema, &value);
        assert!(text.contains(expected), "{schema} {value}: {text}");
    }
}

#[test]
fn errors_of_unions_are_those_of_the_branch_that_fits_best() {
    let pets = json!({"oneOf": [
        {"properties": {"kind": {"const": "cat"}, "age": {"type": "integer"},
            "color": {"enum": ["red", "black"]}}, "required": ["kind"]},
        {"properties": {"kind": {"enum": ["dog", "fox"]}}, "required": ["kind", "name"]}
    ]});
    for (schema, value, expected) in [
        (
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            "the value: expected a string or null, got 1",
        ),
        (
            json!({"oneOf": [{"type": "integer"}, {"minimum": 1}]}),
            json!(2),
            "it matches several schemas in oneOf (oneOf/0 and oneOf/1), but only one may match",
        ),
        (
            json!({"anyOf": [{"minLength": 3}, {"pattern": "^x"}]}),
            json!("a"),
            "the value: it matches none of the 2 schemas in anyOf (the value: expected at least 3 \
             characters, got 1 or the value: \"a\" does not match the pattern \"^x\")",
        ),
        (pets.clone(), json!({"kind": "cat", "age": "x"}), "/age: expected an integer, got \"x\""),
        (
            pets.clone(),
            json!({"kind": "cat", "color": "blue"}),
            "/color: expected one of \"red\" or \"black\", got \"blue\"",
        ),
        (pets.clone(), json!({"kind": "dog"}), "the value: the property \"name\" is missing"),
        (
            pets.clone(),
            json!({"kind": "cow"}),
            "/kind: expected one of \"cat\", \"dog\" or \"fox\", got \"cow\"",
        ),
    ] {
        let text = errors(&schema, &value);
        assert!(text.contains(expected), "{schema} {value}: {text}");
    }
}

#[test]
fn only_the_first_three_errors_are_described() {
    let columns: Vec<String> = (0..20).map(|index| format!("column{index}")).collect();
    let row = json!({"type": "object", "required": columns});
    let schema = json!({"properties": {"rows": {"items": row}}});
    let value = json!({"rows": vec![json!({}); 50_000]});
    let text = errors(&schema, &value);
    assert_eq!(text.matches("is missing").count(), 3, "{text}");
    assert!(text.starts_with("/rows/0: the property \"column0\" is missing; /rows/0: "), "{text}");
    let union = json!({"properties": {"rows": {"items": {"anyOf": [row, {"type": "null"}]}}}});
    assert_eq!(errors(&union, &value).matches("is missing").count(), 3);
}

#[test]
fn errors_are_short() {
    let name = "n".repeat(10_000);
    let schema = json!({"properties": {&name: {"enum": [&name, "a"]}}});
    let mut value = json!({});
    value[&name] = json!("x".repeat(10_000));
    let text = errors(&schema, &value);
    assert!(text.len() < 400, "{text}");
}

#[test]
fn doubling_references_are_rejected_with_their_place() {
    for level in [
        |next: Value| json!({"oneOf": [next, next]}),
        |next: Value| json!({"anyOf": [next, {"$ref": next["$ref"]}]}),
        |next: Value| json!({"allOf": [next, next]}),
        |next: Value| json!({"if": next, "then": next, "else": next}),
        |next: Value| json!({"dependentSchemas": {"x": next, "y": next}}),
        |next: Value| json!({"not": {"allOf": [next, next]}}),
    ] {
        let error = compile_error(&chain(60, level));
        assert!(error.contains("against more than 20000 subschemas"), "{error}");
        assert!(error.starts_with("/$defs/a"), "{error}");
        assert_eq!(compile_error(&chain(5, level)), "");
    }
}

#[test]
fn every_kind_of_reference_is_counted() {
    for (keyword, reference) in
        [("$anchor", "$ref"), ("$dynamicAnchor", "$dynamicRef"), ("$id", "$ref")]
    {
        let name = |index: usize| match keyword {
            "$id" => format!("https://example.com/a{index}"),
            _ => format!("a{index}"),
        };
        let next = |index: usize| match keyword {
            "$id" => json!({ reference: name(index) }),
            _ => json!({ reference: format!("#{}", name(index)) }),
        };
        let mut schema = next(0);
        schema["$id"] = json!("https://example.com/root");
        for index in 0..20 {
            let next = next(index + 1);
            schema["$defs"][format!("d{index}")] =
                json!({ keyword: name(index), "anyOf": [next, next] });
        }
        schema["$defs"]["end"] = json!({ keyword: name(20), "type": "object" });
        let error = compile_error(&schema);
        assert!(error.contains("more than 20000"), "{keyword}: {error}");
    }
}

#[test]
fn cycles_that_consume_nothing_are_rejected() {
    let schema = json!({
        "$ref": "#/$defs/a",
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}
    });
    assert!(compile_error(&schema).contains("refers back to itself"));
    assert!(compile_error(&json!({"$ref": "#"})).starts_with("the root refers back"));
}

#[test]
fn long_chain_is_rejected_in_any_order() {
    let mut schema = json!({"properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": {}});
    for index in (0..2000).rev() {
        let next = json!({"$ref": format!("#/$defs/a{}", index + 1)});
        schema["$defs"][format!("a{index}")] = next.clone();
        schema["properties"][format!("p{index}")] = next;
    }
    schema["$defs"]["a2000"] = json!({});
    let error = compile_error(&schema);
    assert!(error.contains("more than 500 references in a row"), "{error}");
    let error = compile_error(&chain(600, |next| json!({"allOf": [next]})));
    assert!(error.contains("more than 500 references in a row"), "{error}");
    assert!(error.len() < 400, "{error}");
}

#[test]
fn definitions_that_nothing_refers_to_are_not_counted() {
    let schema = json!({
        "type": "object",
        "$defs": {
            "Pet": {"oneOf": [{"$ref": "#/$defs/Cat"}]},
            "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"type": "object"}]},
            "Dog": {"$ref": "#/$defs/Missing"}
        }
    });
    assert_eq!(compile_error(&schema), "");
}

#[test]
fn written_alternatives_inheritance_and_recursion_are_fine() {
    let constants: Vec<Value> = (0..30_000).map(|value| json!({"const": value})).collect();
    assert_eq!(compile_error(&json!({"oneOf": constants})), "");
    let tree = json!({
        "$defs": {"node": {"anyOf": [
            {"type": "object", "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
            }},
            {"type": "null"}
        ]}},
        "$ref": "#/$defs/node"
    });
    assert_eq!(compile_error(&tree), "");
    // A definition that is used in many places is checked once for each place.
    let wide = chain(60, |next| json!({"properties": {"x": next, "y": next}}));
    assert_eq!(compile_error(&wide), "");
    // Evaluated properties are collected in the same pass.
    let sealed = chain(60, |next| json!({"allOf": [next], "unevaluatedProperties": false}));
    assert_eq!(compile_error(&sealed), "");
}

#[test]
fn large_schemas_are_compiled_in_time() {
    let start = std::time::Instant::now();
    // Many properties below a long name, a long chain of references outside of `$defs`, and many
    // dynamic anchors.
    let mut wide = json!({"properties": {}});
    let mut chained = json!({"$ref": "#/x/a0", "x": {}});
    let mut dynamic = json!({"properties": {}, "$defs": {}});
    for index in 0..5000 {
        wide["properties"][format!("a{index}")] = json!({});
        chained["x"][format!("a{index}")] = json!({"$ref": format!("#/x/a{}", index + 1)});
        dynamic["properties"][format!("p{index}")] = json!({"$dynamicRef": "#a"});
        let id = format!("https://example.com/{index}");
        dynamic["$defs"][format!("d{index}")] = json!({"$id": id, "$dynamicAnchor": "a"});
    }
    chained["x"]["a5000"] = json!({});
    dynamic["$dynamicAnchor"] = json!("a");
    let wide = json!({"properties": {"n".repeat(50_000): wide}});
    assert_eq!(compile_error(&wide), "");
    assert!(compile_error(&chained).contains("references in a row"));
    assert_eq!(compile_error(&dynamic), "");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn deep_values_and_schemas_need_little_stack() {
    let depth = 60;
    let schema = json!({
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {"allOf": [{"$ref": "#/$defs/b"}]},
            "b": {"anyOf": [{"$ref": "#/$defs/c"}, {"type": "null"}]},
            "c": {"oneOf": [{"properties": {"l": {"items": {"$ref": "#/$defs/a"}}}}]}
        }
    });
    let mut value = json!("leaf");
    for _ in 0..depth {
        value = json!({ "l": [value] });
    }
    on_small_stack(move || assert!(is_valid(&schema, &value)));
}

/// Runs a function on a thread with the stack of the threads of Tokio.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
    thread.join().unwrap();
}

#[test]
fn deepest_checks_do_not_overflow_the_stack() {
    let inner = json!({"properties": {"l": {"$ref": "#"}}, "required": ["l"]});
    let levels = [
        json!({"anyOf": [{"oneOf": [{"allOf": [inner]}]}], "unevaluatedProperties": false}),
        json!({"if": {"if": inner, "then": inner}, "then": inner, "else": inner}),
        json!({"dependentSchemas": {"l": {"not": {"not": inner}}}}),
        json!({"patternProperties": {"^l": {"allOf": [{"allOf": [{"allOf": [{"$ref": "#"}]}]}]}}}),
    ];
    for schema in levels {
        on_small_stack(move || {
            let validator = compile(&schema);
            for leaf in [json!({}), json!(1)] {
                let mut value = leaf;
                for _ in 0..120 {
                    value = json!({ "l": value });
                }
                let outcome = validator.is_valid(&value, &Budget::new(10_000_000));
                let text = validator.explain(&value, &Budget::new(10_000_000));
                assert!(outcome.is_ok() || text.len() < 1000, "{outcome:?} {text}");
            }
        });
    }
}

#[test]
fn value_that_is_nested_too_deeply_is_an_error() {
    let schema = json!({"items": {"$ref": "#"}});
    let mut value = json!([]);
    for _ in 0..1500 {
        value = Value::Array(vec![value]);
    }
    let validator = compile(&schema);
    assert!(validator.is_valid(&value, &Budget::new(WORK)).is_err());
    // Dropping a value is recursive.
    while let Value::Array(mut items) = value {
        value = items.pop().unwrap_or_default();
    }
}

#[test]
fn work_that_multiplies_ends_with_an_error() {
    // A `$ref` and `properties` lead to the same place.
    let mut schema = json!({"$ref": "#/$defs/a0", "$defs": {"a24": {}}});
    let mut value = json!(1);
    for index in (0..24).rev() {
        let level = json!({"l": {"$ref": format!("#/$defs/a{}", index + 1)}});
        schema["$defs"][format!("a{index}")] =
            json!({"$ref": format!("#/$defs/b{index}"), "properties": level});
        schema["$defs"][format!("b{index}")] = json!({"properties": level});
        value = json!({ "l": value });
    }
    let error = compile(&schema).is_valid(&value, &Budget::new(WORK)).unwrap_err();
    assert!(error.to_string().contains("too much work"), "{error}");
}

#[test]
fn long_lists_of_constants_cost_little_per_value() {
    let constants: Vec<Value> = (0..1000).map(|value| json!({"a": value})).collect();
    let branches: Vec<Value> = constants.iter().map(|value| json!({"const": value})).collect();
    let value = json!(vec![json!({"a": 999}); 1000]);
    for items in
        [json!({"enum": constants}), json!({"oneOf": branches}), json!({"anyOf": branches})]
    {
        let schema = json!({ "items": items });
        assert_eq!(compile(&schema).is_valid(&value, &Budget::new(100_000)), Ok(true));
        assert!(!is_valid(&schema, &json!([{"a": 1000}])));
    }
}
