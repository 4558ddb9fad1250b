//! What is ours and has no other engine to compare with: the helpers on top, what counts as
//! missing, and how problems are told.
#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::fs;
use std::path::Path;

use llm_exe::prompt::{Limits, Partials, Scope, Template, TemplateProblem};
use serde_json::{Map, Value, json};

/// What a case ends in, in the shape that the cases are written in.
fn outcome(case: &Value) -> Value {
    let text = |name: &str| case[name].as_str().unwrap();
    let map = |name: &str| case[name].as_object().cloned().unwrap_or_default();
    let mut partials = Partials::builtin();
    for (name, source) in map("partials") {
        partials.add(&name, source.as_str().unwrap()).unwrap();
    }
    let (data, extra): (Map<_, _>, Map<_, _>) = (map("data"), map("extra"));
    let extra: Vec<(&str, &Value)> = extra.iter().map(|(name, value)| (&**name, value)).collect();
    let scope = Scope { data: &data, extra: &extra };
    let rendered = Template::compile_with(text("template"), &partials).and_then(|template| {
        template.render(&scope, &Limits::default()).map_err(|problem| vec![problem])
    });
    match rendered {
        Ok(rendered) => {
            let missing: Vec<&str> = rendered.missing.iter().map(|one| &*one.path).collect();
            let mut outcome = json!({"expected": rendered.text});
            if case.get("missing").is_some() {
                outcome["missing"] = json!(missing);
            }
            outcome
        }
        Err(problems) => {
            let told = |p: &TemplateProblem| format!("{}:{} {:?}", p.line, p.column, p.kind);
            json!({"problems": problems.iter().map(told).collect::<Vec<_>>()})
        }
    }
}

#[test]
fn cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/prompts/ours/cases.json");
    let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let expected: Map<String, Value> = ["expected", "missing", "problems"]
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), case.get(key)?.clone())))
            .collect();
        let ours = outcome(case);
        if ours != Value::Object(expected.clone()) {
            let expected = Value::Object(expected);
            wrong.push(format!("{}\n  expected {expected}\n  ours     {ours}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn problem(source: &str) -> TemplateProblem {
    Template::compile(source).unwrap_err().remove(0)
}

#[test]
fn a_problem_tells_where_it_is_and_shows_the_line() {
    assert_eq!(
        problem("Hello\n  you, {{shout name}}!").to_string(),
        "line 2, column 10: unknown helper `shout`, in: you, {{shout name}}!"
    );
    let long = format!("{}{{{{shout name}}}}{}", "é".repeat(500), "x".repeat(500));
    let shown = problem(&long).shown_line;
    assert_eq!(shown.chars().count(), 122);
    assert!(shown.starts_with('…') && shown.contains("{{shout name}}") && shown.ends_with('…'));
}

#[test]
fn a_problem_in_a_partial_names_the_partial() {
    let mut partials = Partials::default();
    partials.add("p", "a\n{{pluralize 1 2}}").unwrap();
    let template = Template::compile_with("{{> p}}", &partials).unwrap();
    let scope = Scope { data: &Map::new(), extra: &[] };
    let problem = template.render(&scope, &Limits::default()).unwrap_err();
    assert!(problem.to_string().starts_with("line 2, column 3: in the partial `p`: `pluralize`"));
    let problems = partials.add("q", "{{foo 1}}").unwrap_err();
    assert!(problems[0].message.contains("in the partial `q`"));
}

#[test]
fn missing_variables_have_a_place() {
    let mut partials = Partials::default();
    partials.add("p", "\n\n{{deep}}").unwrap();
    let template = Template::compile_with("é {{a}}\n {{> p}}\n{{b.c}}", &partials).unwrap();
    let scope = Scope { data: &Map::new(), extra: &[] };
    let rendered = template.render(&scope, &Limits::default()).unwrap();
    let places: Vec<_> =
        rendered.missing.iter().map(|one| (&*one.path, one.line, one.column)).collect();
    assert_eq!(places, [("a", 1, 5), ("deep", 2, 2), ("b.c", 3, 3)]);
}

#[test]
fn a_whole_message_can_stand_for_a_dialogue() {
    let key =
        |source: &str| Template::compile(source).unwrap().dialogue_history_key().map(str::to_owned);
    assert_eq!(key("{{> DialogueHistory key='history'}}").as_deref(), Some("history"));
    assert_eq!(key(" \n{{>DialogueHistory key=\"a.b\" user='Ann'}}\n ").as_deref(), Some("a.b"));
    for source in [
        "{{> DialogueHistory key='history'}} and more",
        "{{> DialogueHistory key='a'}}{{> DialogueHistory key='b'}}",
        "{{> DialogueHistory key=history}}",
        "{{> DialogueHistory}}",
        "{{> DialogueHistory key='history' title='T'}}",
        "{{> SingleChatMessage key='history'}}",
        "{{#if x}}{{> DialogueHistory key='history'}}{{/if}}",
        "",
    ] {
        assert_eq!(key(source), None, "{source}");
    }
}

#[test]
fn templates_can_be_kept_and_shared() {
    fn kept<T: Send + Sync + Clone + 'static>(_: &T) {}
    kept(&Template::compile("{{a}}").unwrap());
    kept(&Partials::builtin());
}

#[test]
fn the_built_in_partials_are_all_there() {
    for name in [
        "MarkdownCode",
        "JsonSchema",
        "JsonSchemaExampleJson",
        "DialogueHistory",
        "ChatConversationHistory",
        "SingleChatMessage",
        "ThoughtsAndObservations",
        "ThoughtActionResult",
    ] {
        assert!(Template::compile(&format!("{{{{> {name}}}}}")).is_ok(), "{name}");
    }
}
