//! Tests that the limits apply to all messages of a prompt together, and that one run reports the
//! problems and warnings of all messages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm_exe::prompt::Limits;
use llm_exe::{Deadline, Endpoints, Plan, Rules, Run, Runner};
use serde_json::{Value, json};

use crate::common::NoKeys;

fn request(message: Value, data: Value) -> Value {
    let data = data.as_object().cloned().unwrap();
    json!({ "provider": "openai", "model": "m", "dryRun": true, "message": message, "data": data })
}

fn plan(message: Value, data: Value) -> Plan {
    Plan::from_value(request(message, data), &Rules::default()).unwrap()
}

#[test]
fn the_time_limit_applies_to_all_messages_together() {
    let slow = "{{#each @root.l}}".repeat(8) + &"{{/each}}".repeat(8);
    let list: Vec<u32> = (0..1000).collect();
    let plan = plan(json!(vec![slow; 50]), json!({ "l": list }));
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let started = Instant::now();
    let error = plan.render(&limits).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(error.problems().len(), 50);
    assert!(error.problems()[0].message.contains("exceeds the time limit"));
}

#[test]
fn the_size_limit_applies_to_all_messages_together() {
    let plan = plan(json!(vec!["{{t}}"; 5]), json!({ "t": "x".repeat(100) }));
    let render = |bytes| plan.render(&Limits { bytes, ..Limits::default() });
    assert_eq!(render(500).unwrap().messages.len(), 5);
    let error = render(499).unwrap_err();
    let paths: Vec<&str> = error.problems().iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["message[4]"]);
    let expected = "exceeds the size limit: expected at most 99 bytes, got at least 100; the parts \
                    before it already have 400 bytes";
    assert!(error.problems()[0].message.contains(expected), "{error}");
}

#[test]
fn similar_names_in_data_are_suggested() {
    let data = json!({ "name": "Ann", "user": { "city": "Cork", "home": { "street": "x" } } });
    let cases = [
        ("{{Name}}", "`Name` is not in data (did you mean name?)"),
        ("{{user.ctiy}}", "`user.ctiy` is not in data (did you mean city?)"),
        ("{{user.home.steet}}", "`user.home.steet` is not in data (did you mean street?)"),
        ("{{usr.city}}", "`usr.city` is not in data (did you mean user?)"),
        ("{{name.x}}", "`name.x` is not in data"),
        ("{{other}}", "`other` is not in data"),
    ];
    for (template, expected) in cases {
        let template = format!("{template} x");
        let chat = plan(json!(template), data.clone()).render(&Limits::default()).unwrap();
        let position = " (line 1, column 3)";
        assert_eq!(chat.warnings[0], format!("message: {expected}{position}"), "{template}");
    }
}

#[test]
fn ignored_arguments_cause_warnings() {
    let message = json!([
        { "role": "system", "content": "a\n {{join l \"/\"}}{{#ifCond 1 op 1}}{{/ifCond}}" },
        { "role": "user", "content": [{ "type": "text", "text": "{{json l x=1}}" }] },
    ]);
    let plan = plan(message, json!({ "l": [1, 2], "op": "=" }));
    let chat = plan.render(&Limits::default()).unwrap();
    let expected = [
        "message[0].content: `join` ignores argument 2: `{{join list}}` (line 2, column 4)",
        "message[0].content: `ifCond` is always false with the unknown operator \"=\"; expected \
         one of < <= > >= == != === !== && || (line 2, column 19)",
        "message[1].content[0].text: `json` ignores the argument `x=` (line 1, column 3)",
    ];
    assert_eq!(chat.warnings, expected);
}

#[test]
fn raw_blocks_of_unknown_names_are_reported() {
    let source = "a {{{{foo}}}}{{x}}{{{{/foo}}}} {{{{raw}}}}{{x}}{{{{/raw}}}}";
    let mut request = request(json!(source), json!({}));
    let plan = Plan::from_value(request.clone(), &Rules::default()).unwrap();
    let chat = plan.render(&Limits::default()).unwrap();
    assert_eq!(chat.warnings, ["message: `foo` is not in data (line 1, column 7)"]);
    request["strictVariables"] = json!(true);
    let plan = Plan::from_value(request, &Rules::default()).unwrap();
    let error = plan.render(&Limits::default()).unwrap_err();
    assert!(error.problems()[0].message.contains("`foo` is not in data"), "{error}");
}

/// Runs a request that must fail, and returns its problems and warnings.
async fn problems_and_warnings(request: Value) -> (Vec<String>, Vec<String>) {
    let runner = Runner::new(Endpoints::default(), Arc::new(NoKeys), Rules::default());
    let deadline = Deadline::after(Duration::from_secs(10));
    let Run { outcome, report } = runner.run(deadline, request).await;
    let error = outcome.unwrap_err();
    let problems =
        error.problems().iter().map(|problem| format!("{}: {}", problem.path, problem.message));
    (problems.collect(), report.warnings)
}

#[tokio::test]
async fn problems_and_warnings_of_all_messages_are_reported_together() {
    let message = json!([
        { "role": "system", "content": "{{shout name}} {{#if no}}{{whisper x}}{{> Nope}}{{/if}}" },
        {
            "role": "user",
            "content": "{{#*inline 'p'}}{{yell a}}{{> Never}}{{/inline}}{{> p}}{{> (lookup . 'n')}}"
        },
        { "role": "user", "content": "{{#*inline 'p'}}{{lost}}{{/inline}}{{> p}}{{go.x}}{{name}}" },
        { "role": "user", "content": "{{#each l}}{{left}}{{/each}}{{pluralize 1 2}}" },
        { "role": "user", "content": "{{#if x}}" },
        { "role": "assistant", "content": [{ "type": "text", "text": "{{none}}" }] },
        { "role": "unknown", "content": "{{cry 1}}" }
    ]);
    let (problems, warnings) =
        problems_and_warnings(request(message, json!({ "name": "Ann", "l": [1] }))).await;
    let expected = [
        ("message[0].content", "unknown helper `shout`"),
        ("message[0].content", "unknown helper `whisper`"),
        ("message[0].content", "unknown partial `Nope`"),
        ("message[1].content", "unknown helper `yell`"),
        ("message[1].content", "unknown partial `Never`"),
        ("message[4].content", "the block `if` is never closed"),
        ("message[6].role", "expected system, user or assistant"),
        ("message[6].content", "unknown helper `cry`"),
        ("message[3].content", "`pluralize` expects two forms"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (path, text) in expected {
        let matches = |problem: &String| problem.starts_with(path) && problem.contains(text);
        assert!(problems.iter().any(matches), "{path}: {text} in {problems:#?}");
    }
    for (path, name) in [("[2].content", "`lost`"), ("[2].content", "`go.x`"), ("[5]", "`none`")] {
        let matches = |warning: &String| {
            warning.starts_with(&format!("message{path}")) && warning.contains(name)
        };
        assert!(warnings.iter().any(matches), "{path}: {name} in {warnings:#?}");
    }
}

#[tokio::test]
async fn a_failing_helper_does_not_hide_missing_variables() {
    let message = json!(["{{gone}} {{lost}}", "{{pluralize 1 2}}", "x {{#if a}}{{/if}}{{left}}"]);
    let mut request = request(message, json!({}));
    let (problems, warnings) = problems_and_warnings(request.clone()).await;
    assert_eq!((problems.len(), warnings.len()), (1, 4), "{problems:?} {warnings:?}");
    request["strictVariables"] = json!(true);
    let (problems, _) = problems_and_warnings(request.clone()).await;
    assert_eq!(problems.len(), 4, "{problems:?}");
    request["model"] = json!("");
    let (problems, _) = problems_and_warnings(request).await;
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[tokio::test]
async fn a_long_computed_name_is_shortened() {
    let data = json!({ "t": "z".repeat(1_000_000) });
    let (problems, _) = problems_and_warnings(request(json!("{{> (lookup . 't')}}"), data)).await;
    assert!(problems[0].contains("unknown partial `zzz") && problems[0].len() < 600);
}
