//! Property tests of hosted configs: parsing never panics, and merging follows its rules. Also
//! checks that the example prompts are valid.

use llm_exe::hosted::{Format, HostedConfig, Position, merge, parse_config_url};
use llm_exe::{Plan, Rules};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::common::root;

const FORMATS: [Format; 3] = [Format::Json, Format::Yaml, Format::Markdown];

/// Strings that have a special meaning in at least one document format.
const PIECES: &[&str] = &[
    "---\n",
    "...\n",
    "System:",
    "user: ",
    "\\Assistant:",
    "```",
    "~~~~",
    "\n",
    "\r\n",
    "  ",
    "\t",
    "message",
    "model: m\n",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "|\n",
    ">",
    "&a ",
    "*a",
    "<<: ",
    "!t ",
    "? ",
    "# x\n",
    "<!-- prompt start -->",
    "<!-- prompt end -->",
    "{{x}}",
    "\u{feff}",
    "é",
    "null",
    "1",
    "overridable",
];

fn layer() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec!["provider", "providor", "model", "data", "options", "x"]);
    let plain = prop_oneof![Just(Value::Null), any::<u8>().prop_map(Value::from)];
    let inner = prop::collection::btree_map("[ab]", plain.clone(), 0..3);
    let value =
        prop_oneof![plain, inner.prop_map(|fields| Value::Object(fields.into_iter().collect())),];
    prop::collection::btree_map(name, value, 0..5).prop_map(|fields| {
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let _ = HostedConfig::parse(&bytes, format);
        }
    }

    #[test]
    fn error_positions_start_at_one(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
    ) {
        for format in FORMATS {
            if let Err(error) = HostedConfig::parse(pieces.concat().as_bytes(), format) {
                let is_valid = |position: Position| position.line > 0 && position.column > 0;
                prop_assert!(error.position.is_none_or(is_valid));
            }
        }
    }

    #[test]
    fn parsing_a_url_never_panics(text in any::<String>()) {
        let _ = parse_config_url(&text);
        let _ = parse_config_url(&format!("s3://{text}"));
        let _ = parse_config_url(&format!("https://{text}"));
    }

    #[test]
    fn json_survives_a_round_trip(fields in layer()) {
        let text = Value::Object(fields.clone()).to_string();
        let read = HostedConfig::parse(text.as_bytes(), Format::Json).unwrap();
        prop_assert_eq!(read.fields, fields.clone());
        // Every JSON document is also valid YAML.
        let read = HostedConfig::parse(text.as_bytes(), Format::Yaml).unwrap();
        prop_assert_eq!(read.fields, fields);
    }

    #[test]
    fn fields_of_the_caller_win(hosted in layer(), caller in layer()) {
        let merged = merge([hosted, caller.clone()]);
        for (name, value) in caller.iter().filter(|(name, _)| *name != "providor") {
            match value {
                Value::Null => {}
                Value::Object(inner) if name == "data" => {
                    for (key, value) in inner {
                        prop_assert_eq!(&merged["data"][key], value);
                    }
                }
                Value::Object(_) if name == "options" => {}
                other => prop_assert_eq!(&merged[name], other),
            }
        }
        prop_assert!(merged.values().all(|value| !value.is_null()));
    }

    #[test]
    fn merging_is_associative(
        first in layer(), second in layer(), third in layer()
    ) {
        let has_one_provider = |layer: &Map<String, Value>| {
            !(layer.contains_key("provider") && layer.contains_key("providor"))
        };
        prop_assume!([&first, &second, &third].into_iter().all(has_one_provider));
        let nested = merge([merge([first.clone(), second.clone()]), third.clone()]);
        prop_assert_eq!(merge([first, second, third]), nested);
    }

    #[test]
    fn an_empty_layer_changes_nothing(fields in layer()) {
        let once = merge([fields]);
        prop_assert_eq!(merge([once.clone(), Map::new()]), once.clone());
        prop_assert_eq!(merge([Map::new(), once.clone()]), once);
    }
}

#[test]
fn hosted_examples_are_valid_requests() {
    let mut count = 0;
    for entry in root().join("examples/prompts").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let format = Format::detect(path.to_str().unwrap(), &text);
        let config = HostedConfig::parse_text(&text, format).unwrap();
        assert_eq!(config.warnings, Vec::<String>::new(), "{}", path.display());
        let plan = Plan::from_value(Value::Object(config.fields), &Rules::default());
        assert_eq!(plan.unwrap().warnings, Vec::<String>::new(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "only {count} prompts");
}

#[test]
fn many_fences_are_parsed_in_linear_time() {
    let text = "```x\n".repeat(200_000);
    let start = std::time::Instant::now();
    HostedConfig::parse(text.as_bytes(), Format::Markdown).unwrap();
    assert!(start.elapsed().as_secs() < 5);
}
