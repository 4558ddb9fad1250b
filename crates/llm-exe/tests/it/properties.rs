//! Property tests: any input results in a value or a typed error, without a panic, a hang or
//! unbounded memory use.

use llm_exe::parsers::{Context, OutputError, OutputOptions, PARSERS, ParserRow, SchemaUse};
use llm_exe::schema::{Schema, closed, open, strict};
use llm_exe::{ErrorKind, Plan, Rules, field_names, json, scrub};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Parses a reply. Every parser receives the same options and ignores those that it does not know.
fn parse(
    row: &'static ParserRow,
    text: &str,
    schema: Option<&Schema>,
) -> Result<Value, OutputError> {
    let options = json!({"enum": ["a", "b", "("], "match": "extract"});
    let mut given = OutputOptions::new(options.as_object().unwrap().clone());
    let render = |text: &str| Ok(text.to_owned());
    row.with_options(&mut given).parse(text, &Context::new(schema, &render))
}

/// Generates arbitrary JSON, a few levels deep. Many of its names and strings also occur in
/// requests and schemas.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        proptest::sample::select(field_names::<llm_exe::Request>()).prop_map(str::to_owned),
        proptest::sample::select(field_names::<llm_exe::RequestOptions>()).prop_map(str::to_owned),
        proptest::sample::select(vec![
            "role",
            "content",
            "type",
            "text",
            "image_url",
            "url",
            "$ref",
            "#",
            "properties",
            "items",
            "required",
            "additionalProperties",
            "default",
            "anyOf",
            "enum",
            "openai",
            "anthropic",
            "json",
            "list",
            "system",
            "user",
            "{{a}}",
            "{{#if a}}",
            "object",
            "string",
            "integer",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_a_plan_or_a_list_of_problems(mut value in any_json(), valid in any::<bool>()) {
        if valid && value.is_object() {
            value["provider"] = json!("openai");
            value["model"] = json!("m");
        }
        if let Err(error) = Plan::from_value(value, &Rules::default()) {
            let kinds = [ErrorKind::InvalidRequest, ErrorKind::PromptInvalid];
            prop_assert!(kinds.contains(&error.kind()));
            prop_assert!(!error.problems().is_empty());
            prop_assert!(error.problems().len() <= 200);
        }
    }

    #[test]
    fn any_bytes_are_json_or_an_error_with_a_position(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Err(error) = json::parse(&bytes) {
            prop_assert!(error.line >= 1 && error.column >= 1);
            prop_assert!(!error.message.contains(" at line "));
        }
    }

    #[test]
    fn any_schema_and_reply_terminate(
        schema in any_json(),
        text in any::<String>(),
        value in any_json(),
    ) {
        let Value::Object(schema) = schema else { return Ok(()) };
        let written = Value::Object(schema.clone());
        let (_, _, _) = (strict(&written), closed(&written), open(&written));
        let Ok(schema) = Schema::compile(schema) else { return Ok(()) };
        for row in PARSERS {
            for reply in [text.clone(), value.to_string(), format!("so {value} {text}")] {
                // `json` and `listToJson` return only values that satisfy the schema.
                if let Ok(result) = parse(row, &reply, Some(&schema)) {
                    let unchecked = row.schema == SchemaUse::Unused;
                    prop_assert!(unchecked || schema.validate(&result).is_ok());
                }
            }
        }
    }

    #[test]
    fn a_secret_never_survives_scrubbing(
        before in any::<String>(),
        after in any::<String>(),
        secret in "[!-~]{8,60}",
    ) {
        let text = format!("{before} {secret} {after}");
        prop_assert!(!scrub(&text, &[&secret]).contains(&secret));
    }
}

#[test]
fn deeply_nested_json_is_an_error() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let error = json::parse(text.as_bytes()).unwrap_err();
        assert!(error.message.contains("127 levels"), "{error}");
        let unclosed = open.repeat(1_000_000);
        assert!(json::parse(unclosed.as_bytes()).is_err());
        for row in PARSERS.iter().filter(|row| row.name == "json") {
            assert!(parse(row, &format!("so {text}"), None).is_err());
            assert!(parse(row, &unclosed, None).is_err());
        }
    }
}

/// The time to search for JSON must grow linearly with the length of the reply.
#[test]
fn a_reply_full_of_brackets_is_parsed_in_time() {
    let row = PARSERS.iter().find(|row| row.name == "json").unwrap();
    let schema = json!({"type": "object", "required": ["a"]});
    let schema = Schema::compile(schema.as_object().unwrap().clone()).unwrap();
    for (index, piece) in [
        "[a] ",
        "[1] ",
        "[",
        "]",
        "{x ",
        "{\"a\":[",
        "{\"a\":1} ",
        "{\"a\":1}\n",
        "\"",
        "[\"",
        "\\\"",
        "[\"\\\"",
        "'",
        "{'",
        "'a\\'",
        "[1,",
        "{a:",
        "{{",
        "[}",
        "{]",
        "}{",
        "[{",
        "//[\n",
        "/*",
        ",",
        "[1]x",
        "[0, 5) ",
        "“",
        "```json\n{}\n```\n",
        "```json\n[\n",
        "</think>",
        "<think>",
        "a: ",
        "{} \"",
        "a\":[] ",
        "\\",
        "{\"a\":",
        "\n",
        "[[1],",
        "True,",
    ]
    .into_iter()
    .enumerate()
    {
        let long = if index < 8 { 1_000_000 } else { 100_000 };
        for (before, size, after) in [
            ("so ", long, ""),
            ("", 20_000, ""),
            ("", 20_000, " {\"a\":2}"),
            ("[", 20_000, " {\"a\":2}"),
            ("{\"a\":1} ", 20_000, ""),
            ("<think>x</think>", 20_000, "]"),
        ] {
            let text = format!("{before}{}{after}", piece.repeat(size / piece.len()));
            let start = std::time::Instant::now();
            let _ = parse(row, &text, Some(&schema));
            let elapsed = start.elapsed();
            assert!(elapsed.as_secs() < 60, "{before:?} and {piece:?}: {elapsed:?}");
        }
    }
}

/// The time of each parser must grow linearly with the length of a repetitive reply.
#[test]
fn a_repetitive_reply_is_parsed_in_time() {
    let start = std::time::Instant::now();
    for piece in [
        "not true ",
        "a",
        "aa ",
        "1",
        "1,",
        "1.",
        "-1",
        "``` ",
        "```\n",
        "```` ``` ",
        "~~~ ",
        "~~~\n",
        "`",
        "a: 1 ",
        "- a: b\n",
        "x{{y}}",
        " ",
        "\u{301}",
        "no-",
        "```a\n```\n",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        for row in PARSERS {
            let _ = parse(row, &text, None);
            let _ = parse(row, &format!("~~~\n{text}"), None);
        }
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
