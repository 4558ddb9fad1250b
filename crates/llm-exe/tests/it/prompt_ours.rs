//! Tests the template features that no npm package has: this crate's own helpers, warnings about
//! missing variables, and the positions of problems. Most cases are in
//! `cases/prompts/ours/cases.json`.

use llm_exe::prompt::{Limits, Partials, Scope, Template, TemplateProblem};
use serde_json::{Map, Value, json};

use crate::common::read_cases;

/// Renders a case and returns the result in the format of the case file.
fn outcome(case: &Value) -> Value {
    let text = |name: &str| case[name].as_str().unwrap();
    let map = |name: &str| case[name].as_object().cloned().unwrap_or_default();
    let mut partials = Partials::builtin();
    for (name, source) in map("partials") {
        partials.add(&name, source.as_str().unwrap()).unwrap();
    }
    let (data, extra): (Map<_, _>, Map<_, _>) = (map("data"), map("extra"));
    let extra: Vec<(&str, &Value)> = extra.iter().map(|(name, value)| (&**name, value)).collect();
    let scope = Scope { data: &data, more: &[], extra: &extra };
    let rendered = Template::compile_with(text("template"), &partials).and_then(|template| {
        template.render(&scope, &Limits::default()).map_err(|problem| vec![problem])
    });
    match rendered {
        Ok(rendered) => {
            let missing: Vec<&str> =
                rendered.missing.iter().map(|missing| &*missing.path).collect();
            let mut outcome = json!({"expected": rendered.text});
            let warnings = rendered.warnings().iter();
            let warnings: Vec<String> = warnings
                .map(|warning| format!("{}:{} {}", warning.line, warning.column, warning.message))
                .collect();
            if case.get("warnings").is_some() || !warnings.is_empty() {
                outcome["warnings"] = json!(warnings);
            }
            if case.get("missing").is_some() {
                outcome["missing"] = json!(missing);
            }
            outcome
        }
        Err(problems) => {
            let summary = |p: &TemplateProblem| format!("{}:{} {:?}", p.line, p.column, p.kind);
            json!({"problems": problems.iter().map(summary).collect::<Vec<_>>()})
        }
    }
}

#[test]
fn cases_have_the_expected_results() {
    let mut mismatches = Vec::new();
    let mut cases: Vec<Value> = read_cases("prompts/ours/cases.json");
    if cfg!(feature = "exact-numbers") {
        cases.append(&mut read_cases("prompts/ours/exact_numbers.json"));
    }
    for case in &cases {
        let expected: Map<String, Value> = ["expected", "missing", "warnings", "problems"]
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), case.get(key)?.clone())))
            .collect();
        let actual = outcome(case);
        let expected = Value::Object(expected);
        if actual != expected {
            mismatches
                .push(format!("{}\n  expected {expected}\n  actual   {actual}", case["name"]));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

fn problem(source: &str) -> TemplateProblem {
    Template::compile(source).unwrap_err().remove(0)
}

#[test]
fn a_problem_has_a_position_and_shows_the_line() {
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
    let scope = Scope { data: &Map::new(), more: &[], extra: &[] };
    let problem = template.render(&scope, &Limits::default()).unwrap_err();
    assert!(problem.to_string().starts_with("line 2, column 3: in the partial `p`: `pluralize`"));
    let problems = partials.add("q", "{{foo 1}}").unwrap_err();
    assert!(problems[0].message.contains("in the partial `q`"));
}

#[test]
fn missing_variables_have_a_position() {
    let mut partials = Partials::default();
    partials.add("p", "\n\n{{deep}}").unwrap();
    let template = Template::compile_with("é {{a}}\n {{> p}}\n{{b.c}}", &partials).unwrap();
    let scope = Scope { data: &Map::new(), more: &[], extra: &[] };
    let rendered = template.render(&scope, &Limits::default()).unwrap();
    let positions: Vec<_> = rendered
        .missing
        .iter()
        .map(|missing| (&*missing.path, missing.line, missing.column))
        .collect();
    assert_eq!(positions, [("a", 1, 5), ("deep", 2, 2), ("b.c", 3, 3)]);
}

#[test]
fn a_dialogue_history_alone_has_a_key() {
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
fn templates_can_be_stored_and_shared() {
    fn assert_shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    assert_shareable(&Template::compile("{{a}}").unwrap());
    assert_shareable(&Partials::builtin());
}

#[test]
fn all_built_in_partials_compile() {
    let names = [
        "ChatConversationHistory",
        "DialogueHistory",
        "JsonSchema",
        "JsonSchemaExampleJson",
        "MarkdownCode",
        "SingleChatMessage",
        "ThoughtActionResult",
        "ThoughtsAndObservations",
    ];
    assert_eq!(Partials::builtin().names(), names);
    for name in names {
        assert!(Template::compile(&format!("{{{{> {name}}}}}")).is_ok(), "{name}");
    }
}

/// Checks the position and message of each kind of syntax error.
#[test]
fn syntax_errors_say_what_was_expected() {
    let cases = [
        ("a {{! b", "1:3 the comment is never closed; expected `}}`, or `--}}` after `{{!--`"),
        ("{{/if}}", "1:1 the closing tag `{{/if}}` has no opening tag"),
        ("{{else}}", "1:1 `else` is allowed only inside a block"),
        ("{{#if a}}", "1:1 the block `if` is never closed; expected `{{/if}}`"),
        ("{{#if a}}{{/each}}", "1:10 expected `{{/if}}` to close the block, found `{{/each}}`"),
        ("{{{{a}}}} {{{{/", "1:1 the raw block `a` is never closed; expected `{{{{/a}}}}`"),
        (
            "{{{{a}}}} {{{{/b}}}}",
            "1:16 expected `{{{{/a}}}}` to close the raw block, found `{{{{/b}}}}`",
        ),
        (
            "{{^a}}{{else if b}}{{/a}}",
            "1:7 a block that begins with `{{^` allows `else` but not `else if`",
        ),
        ("{{#if a}}{{else}}{{else}}{{/if}}", "1:18 unexpected `else`; expected `{{/if}}`"),
        ("{{a b=1 c}}", "1:9 expected `key=value` (positional arguments come first), found `c`"),
        ("{{(a)}}", "1:3 expected a name, found `(`"),
        ("{{a (b}}", "1:7 expected `)`, found the end of the tag"),
        ("{{a 'b}}", "1:5 expected `}}`, found an unclosed `'`"),
        ("{{a %}}", "1:5 expected `}}`, found `%`, which is not allowed here"),
        ("{{{a b", "1:2 the tag is never closed; expected `}}`"),
        ("{{{a b=}}}", "1:8 expected a value, found the end of the tag"),
        ("{{#if a}", "1:8 expected `}}`, found `}`"),
        ("{{name}", "1:7 expected `}}`, found `}`"),
        ("hi\n {{x\n", "2:2 the tag is never closed; expected `}}`"),
        ("{{x\n}} {{a (b", "2:4 the tag is never closed; expected `}}`"),
        ("{{#if a}}{{/if", "1:10 the tag is never closed; expected `}}`"),
        ("{{", "1:1 the tag is never closed; expected `}}`"),
        (
            "{{x\nand more, of the text",
            "2:9 expected `}}`, found `,`, which is not allowed here, in the tag that opens at \
             line 1, column 1",
        ),
        ("{{a%b}}", "1:4 expected a name, found `%`, which is not allowed here"),
        ("{{a", "1:1 the tag is never closed; expected `}}`"),
        (
            "{{a.this}}",
            "1:3 `a.this`: `.`, `..` and `this` are allowed only at the start of a path",
        ),
        (
            "{{#each a as |'x'|}}{{/each}}",
            "1:15 expected the name of a block parameter, found \"x\"",
        ),
        (
            "{{> a b c}}",
            "1:1 a partial accepts at most one context; pass other values as `key=value`",
        ),
        (
            "{{#*inline a}}{{/inline}}",
            "1:1 the name of an inline partial must be a quoted string: `{{#*inline \"name\"}}`",
        ),
        (
            "{{* a}}",
            "1:1 unsupported decorator; only the block `{{#*inline \"name\"}}` is supported",
        ),
    ];
    for (source, expected) in cases {
        let TemplateProblem { line, column, message, .. } = problem(source);
        assert_eq!(format!("{line}:{column} {message}"), expected, "{source}");
    }
}

#[test]
fn unknown_names_are_compared_with_known_ones() {
    let cases = [
        ("{{uper name}}", "unknown helper `uper` (did you mean upper?)"),
        ("{{#foreach x}}{{/foreach}}", "unknown helper `foreach` (did you mean each?)"),
        ("{{#if (equals a b)}}{{/if}}", "unknown helper `equals` (did you mean eq?)"),
        ("{{#if (gt a 1)}}{{/if}}", "unknown helper `gt`; use ifCond with the operator \">\""),
        (
            "{{role \"system\"}}",
            "unknown helper `role`; use a list of messages, each with its role",
        ),
        ("{{> MarkdownCod}}", "unknown partial `MarkdownCod` (did you mean MarkdownCode?)"),
        (
            "{{#*inline \"line\"}}{{/inline}}{{> lime}}",
            "unknown partial `lime` (did you mean line?)",
        ),
        (
            "{{raw x}}",
            "unknown helper `raw`; it must be used as a raw block: {{{{raw}}}}…{{{{/raw}}}}",
        ),
        ("{{something else}}", "unknown helper `something`"),
    ];
    for (source, expected) in cases {
        assert_eq!(problem(source).message, expected, "{source}");
    }
}

#[test]
fn helper_errors_say_what_was_expected() {
    let cases = [
        ("{{json a b}}", "`json` expects 1 argument, got 2"),
        ("{{default a}}", "`default` expects 2 arguments, got 1"),
        ("{{#with}}{{/with}}", "`with` expects 1 argument, got 0"),
        ("{{if a}}", "`if` must be used as a block: `{{#if}}`"),
        (
            "{{pluralize 5 1}}",
            "`pluralize` expects two forms in one string, such as \"item|items\"",
        ),
        ("{{cut nope 'a'}}", "`cut` expects a string, but its first argument is missing or null"),
        ("{{getKeyOr 1}}", "`getKeyOr` expects a quoted key as its first argument"),
        ("{{indentJson 1}}", "`indentJson` expects an object, a list or a string"),
        ("{{#if 1 as |x|}}{{x}}{{/if}}", "`x`: this block does not provide block parameters"),
    ];
    for (source, expected) in cases {
        let template = Template::compile(source).unwrap();
        let scope = Scope { data: &Map::new(), more: &[], extra: &[] };
        let problem = template.render(&scope, &Limits::default()).unwrap_err();
        assert_eq!(problem.message, expected, "{source}");
    }
}
