//! docs/templates.md: every example of it renders what stands below it, and every helper and
//! partial that there is has one.
//!
//! An example is a `handlebars` block, a `json` block with its data, and a `text` block.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe::prompt::{Limits, Scope, Template};
use serde_json::{Map, Value};

const DOC: &str = include_str!("../../../docs/templates.md");

/// The fenced blocks: what kind, and what is in them. A longer fence may hold shorter ones.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut blocks = Vec::new();
    let mut rest = DOC;
    while let Some(at) = rest.find("\n```") {
        let start = &rest[at + 1..];
        let fence = &start[..start.find(|c| c != '`').unwrap()];
        let (kind, body) = start[fence.len()..].split_once('\n').unwrap();
        let end = body.find(&format!("\n{fence}\n")).or(body.starts_with(fence).then_some(0));
        let end = end.unwrap_or_else(|| panic!("{body}: the fence is not closed"));
        blocks.push((kind, &body[..end]));
        rest = &body[end + 1 + fence.len()..];
    }
    blocks
}

#[test]
fn every_example_renders_what_stands_below_it() {
    let blocks = blocks();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (at, (kind, source)) in blocks.iter().enumerate() {
        if *kind != "handlebars" {
            continue;
        }
        let [("json", data), ("text", expected)] = blocks[at + 1..at + 3] else {
            panic!("{source}: no json and text blocks follow");
        };
        let mut data: Map<String, Value> = serde_json::from_str(data).expect(data);
        let schema = data.shift_remove("schema");
        let extra: Vec<(&str, &Value)> = schema.iter().map(|one| ("schema", one)).collect();
        let template = Template::compile(source).unwrap_or_else(|faults| panic!("{faults:?}"));
        let scope = Scope { data: &data, extra: &extra };
        let rendered = template.render(&scope, &Limits::default()).unwrap();
        if rendered.text.trim_end() != expected.trim_end() {
            wrong.push(format!("{source}\n-> {}\n", rendered.text));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 17, "{count} examples found");
}

#[test]
fn every_helper_and_partial_has_an_example() {
    let helpers = include_str!("../src/prompt/helpers/mod.rs");
    let names = helpers.split("own(\"").chain(helpers.split("row(\"")).skip(1);
    let names = names.filter_map(|rest| rest.split('"').next()).filter(|name| name.len() < 30);
    let partials = include_str!("../src/prompt/partials.rs");
    let table = partials.split("BUILTIN").nth(1).unwrap().split("];").next().unwrap();
    let partials = table.split("(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let examples: Vec<&str> = blocks()
        .iter()
        .filter(|(kind, _)| *kind == "handlebars")
        .map(|(_, source)| *source)
        .collect();
    let mut count = 0;
    for name in names.chain(partials) {
        let name = name.trim();
        if name.chars().all(char::is_alphanumeric) && !name.is_empty() {
            assert!(examples.iter().any(|one| one.contains(name)), "{name} has no example");
            count += 1;
        }
    }
    assert!(count >= 25, "{count} names found");
}
