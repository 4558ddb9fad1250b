//! Whatever bytes a document has, it is a config or a fault; what merging always does; and the
//! hosted examples.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use llm_exe::hosted::{Format, HostedConfig, merge, place_of_url};
use llm_exe::{Plan, Rules};
use proptest::prelude::*;
use serde_json::{Map, Value};

const FORMATS: [Format; 3] = [Format::Json, Format::Yaml, Format::Markdown];

/// Pieces that mean something in one format or another.
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
    prop::collection::btree_map(name, value, 0..5)
        .prop_map(|fields| fields.into_iter().map(|(name, one)| (name.to_owned(), one)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_config_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let _ = HostedConfig::read(&bytes, format);
        }
    }

    #[test]
    fn any_pieces_are_a_config_or_a_fault(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
    ) {
        for format in FORMATS {
            if let Err(fault) = HostedConfig::read(pieces.concat().as_bytes(), format) {
                prop_assert!(fault.place.is_none_or(|(line, column)| line > 0 && column > 0));
            }
        }
    }

    #[test]
    fn any_text_is_a_place_or_is_told(text in any::<String>()) {
        let _ = place_of_url(&text);
        let _ = place_of_url(&format!("s3://{text}"));
        let _ = place_of_url(&format!("https://{text}"));
    }

    #[test]
    fn json_reads_as_it_was_written(fields in layer()) {
        let text = Value::Object(fields.clone()).to_string();
        let read = HostedConfig::read(text.as_bytes(), Format::Json).unwrap();
        prop_assert_eq!(read.fields, fields.clone());
        // JSON is YAML.
        let read = HostedConfig::read(text.as_bytes(), Format::Yaml).unwrap();
        prop_assert_eq!(read.fields, fields);
    }

    #[test]
    fn what_the_caller_says_stands(hosted in layer(), caller in layer()) {
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
    fn merging_is_the_same_however_it_is_bracketed(
        one in layer(), two in layer(), three in layer()
    ) {
        let normal = |layer: &Map<String, Value>| {
            !(layer.contains_key("provider") && layer.contains_key("providor"))
        };
        prop_assume!([&one, &two, &three].into_iter().all(normal));
        let left = merge([merge([one.clone(), two.clone()]), three.clone()]);
        prop_assert_eq!(merge([one, two, three]), left);
    }

    #[test]
    fn nothing_over_a_request_changes_nothing(one in layer()) {
        let once = merge([one]);
        prop_assert_eq!(merge([once.clone(), Map::new()]), once.clone());
        prop_assert_eq!(merge([Map::new(), once.clone()]), once);
    }
}

#[test]
fn the_hosted_examples_are_valid_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prompts");
    let mut count = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let format = Format::of_name(path.to_str().unwrap());
        let config = HostedConfig::read(&std::fs::read(&path).unwrap(), format).unwrap();
        let plan = Plan::from_value(Value::Object(config.fields), &Rules::default());
        assert_eq!(plan.unwrap().warnings, Vec::<String>::new(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "{count} prompts found");
}

#[test]
fn many_fences_take_no_time() {
    let text = "```x\n".repeat(200_000);
    let started = std::time::Instant::now();
    HostedConfig::read(text.as_bytes(), Format::Markdown).unwrap();
    assert!(started.elapsed().as_secs() < 5);
}
