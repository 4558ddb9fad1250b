//! Checks docs/templates.md: every example renders to the text below it, every helper and partial
//! has an example, and the table of helpers is complete.
//!
//! An example consists of a `handlebars` block, a `json` block with its data, and a `text` block
//! with the expected result.

use llm_exe::prompt::{HelperInfo, Limits, Partials, Scope, Template, helpers};
use serde_json::{Map, Value, json};

use crate::common::{read_cases, root, update};

const DOC: &str = include_str!("../../../../docs/templates.md");

/// Returns the language and content of each fenced block. A longer fence can contain shorter
/// fences.
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
fn every_example_renders_to_the_text_below_it() {
    let blocks = blocks();
    let mut mismatches = Vec::new();
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
        let extra: Vec<(&str, &Value)> = schema.iter().map(|schema| ("schema", schema)).collect();
        let template = Template::compile(source).unwrap_or_else(|problems| panic!("{problems:?}"));
        let scope = Scope { data: &data, more: &[], extra: &extra };
        let rendered = template.render(&scope, &Limits::default()).unwrap();
        if rendered.text.trim_end() != expected.trim_end() {
            mismatches.push(format!("{source}\n-> {}\n", rendered.text));
        }
        count += 1;
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(count >= 17, "only {count} examples");
}

/// Partials need an example in docs/templates.md. For helpers, which the table there shows with a
/// call, a test case is enough.
#[test]
fn every_helper_and_partial_has_an_example() {
    let examples: Vec<&str> = blocks()
        .iter()
        .filter(|(kind, _)| *kind == "handlebars")
        .map(|(_, source)| *source)
        .collect();
    let partials = Partials::builtin();
    let helpers = helpers();
    for name in partials.names() {
        let has_example = examples.iter().any(|source| source.contains(name));
        assert!(has_example, "docs/templates.md: add an example of {name}");
    }
    let own_cases: Vec<Value> = read_cases("prompts/ours/cases.json");
    let own_cases = own_cases.iter().filter_map(|case| case["template"].as_str());
    let templates: Vec<&str> = examples.into_iter().chain(own_cases).collect();
    for HelperInfo { name, .. } in &helpers {
        let calls = [
            format!("{{{{{name} "),
            format!("{{{{#{name} "),
            format!("({name} "),
            format!("{{{{{{{{{name}}}}}}}}}"),
        ];
        let has_case =
            templates.iter().any(|source| calls.iter().any(|call| source.contains(call)));
        assert!(
            has_case,
            "crates/llm-exe/tests/cases/prompts/ours/cases.json: add cases of the helper {name}"
        );
    }
}

/// `scripts/update` rewrites the table.
#[test]
fn the_table_of_helpers_is_up_to_date() {
    let head = "| helper | example | what it does |\n|---|---|---|\n";
    let (before, after) = DOC.split_once(head).expect("the head of the table");
    let old_rows = after.split_inclusive('\n').take_while(|line| line.starts_with('|'));
    let after = &after[old_rows.map(str::len).sum()..];
    // In a Markdown table, a vertical bar separates columns even inside inline code.
    let escape = |text: &str| text.replace('|', "\\|");
    let row = |helper: &HelperInfo| {
        let HelperInfo { signature, usage, about, .. } = helper;
        format!("| `{}` | `{}` | {} |\n", escape(signature), escape(usage), escape(about))
    };
    let rows: String = helpers().iter().map(row).collect();
    let expected = format!("{before}{head}{rows}{after}");
    if update() {
        std::fs::write(root().join("docs/templates.md"), expected).unwrap();
    } else {
        assert!(DOC == expected, "docs/templates.md is out of date; run scripts/update");
    }
}

/// Checks that the example call of each helper compiles and has the declared arguments.
#[test]
fn example_calls_match_the_signatures() {
    for helper in helpers() {
        assert!(helper.usage.contains(helper.name), "{}", helper.name);
        assert!(helper.about.ends_with('.'), "{}", helper.name);
        let template =
            Template::compile(helper.usage).unwrap_or_else(|problems| panic!("{problems:?}"));
        let scope = Scope { data: &Map::new(), more: &[], extra: &[] };
        match template.render(&scope, &Limits::default()) {
            Ok(rendered) => assert_eq!(rendered.warnings(), [], "{}", helper.name),
            Err(problem) => assert!(
                !problem.message.replace("arguments,", "argument,").contains("argument, got"),
                "{problem}"
            ),
        }
    }
}

/// Returns calls of every helper and partial with an argument that leads to `steps.a.x`: as a path,
/// as a string, and as a string that is computed.
fn templates_with_references() -> Vec<String> {
    let mut templates = Vec::new();
    for argument in ["steps.a.x", "\"steps.a.x\"", "k", "(getOr k)"] {
        for HelperInfo { name, .. } in helpers() {
            for count in 0..4 {
                let more = " true".repeat(count);
                let call = format!("{name} {argument}{more}");
                templates.push(format!("{{{{{call}}}}}"));
                templates.push(format!("{{{{#if ({call})}}}}yes{{{{/if}}}}"));
                templates.push(format!("{{{{#{call}}}}}{{{{this}}}}{{{{/{name}}}}}"));
                templates.push(format!(
                    "{{{{#each list}}}}{{{{#with ..}}}}{{{{{call}}}}}{{{{/with}}}}{{{{/each}}}}"
                ));
                templates.push(format!(
                    "{{{{#*inline \"p\"}}}}{{{{{call}}}}}{{{{/inline}}}}{{{{> p}}}}"
                ));
            }
        }
        for name in Partials::builtin().names() {
            for key in ["key", "chat_history", "code", "content", "thoughts"] {
                templates.push(format!("{{{{> {name} {key}={argument}}}}}"));
                templates.push(format!("{{{{> (getOr \"{name}\") {key}={argument}}}}}"));
                templates.push(format!(
                    "{{{{#each list}}}}{{{{> {name} .. {key}={argument}}}}}{{{{/each}}}}"
                ));
            }
        }
    }
    // The path comes from the variable `key`.
    templates.extend(Partials::builtin().names().iter().map(|name| format!("{{{{> {name}}}}}")));
    templates
}

#[test]
fn every_argument_that_leads_to_a_value_is_a_reference() {
    let values = [
        json!("text"),
        json!({ "type": "object", "properties": { "p": { "default": 1, "true": 2 } } }),
        json!([{ "role": "user", "content": "hi", "thought": "t" }]),
    ];
    let data = |steps: Value| {
        let path = "steps.a.x";
        let data = json!({ "steps": steps, "k": path, "key": path, "list": [1], "role": "user" });
        data.as_object().unwrap().clone()
    };
    let (mut count, mut missed) = (0, Vec::new());
    for source in templates_with_references() {
        let Ok(template) = Template::compile(&source) else { continue };
        let render = |steps: Value| {
            let scope = Scope { data: &data(steps), extra: &[], more: &[] };
            template.render(&scope, &Limits::default()).map(|rendered| rendered.text)
        };
        let without = render(json!({}));
        if values.iter().all(|value| render(json!({ "a": { "x": value } })) == without) {
            continue;
        }
        count += 1;
        let is_reference = |path: &[String]| match path {
            [] => true,
            [root] => root == "steps",
            [root, name, ..] => root == "steps" && name == "a",
        };
        if !template.variables().iter().any(|variable| is_reference(&variable.path)) {
            missed.push(source);
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(count > 200, "only {count} templates use the value");
}
