//! Tests for requests whose warnings are errors.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::{Deadline, Error, ErrorKind, Rules, Run, Runner};
use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints};

async fn run(simulator: &Simulator, strict: bool, request: Value) -> Run {
    let rules = Rules { strict, ..Rules::default() };
    let runner = Runner::new(endpoints(simulator), Arc::new(FixedKey), rules);
    runner.run(Deadline::after(Duration::from_secs(30)), request).await
}

/// Returns a request with four warnings: of its parser, of its options, about a variable, and of
/// the model.
fn careless(strict: bool) -> Value {
    json!({
        "provider": "anthropic", "model": "claude-sonnet-4-5", "message": "Hi {{name}}",
        "colour": 1, "options": { "seed": 7 }, "strict": strict
    })
}

fn messages(error: &Error) -> Vec<String> {
    error.problems().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn warnings_of_a_strict_request_are_errors_before_the_first_call() {
    let simulator = Simulator::start().await.unwrap();
    let lenient = run(&simulator, false, careless(false)).await;
    lenient.outcome.unwrap();
    assert_eq!((lenient.report.warnings.len(), simulator.journal().len()), (3, 1));
    let mut with_data = careless(true);
    with_data["data"] = json!({ "name": "Ada" });
    let without_variable = lenient.report.warnings.iter().filter(|text| !text.contains("name"));
    let expected: Vec<String> = without_variable
        .map(|text| text.replace("unknown field `colour` was ignored", "colour: unknown field"))
        .collect();
    assert_eq!(expected.len(), 2);
    assert!(expected.contains(&"colour: unknown field".to_owned()), "{expected:?}");
    let mut by_setting = with_data.clone();
    by_setting["strict"] = json!(false);
    for (by_rule, request) in [(false, with_data), (true, by_setting)] {
        for is_dry_run in [false, true] {
            let mut request = request.clone();
            request["dryRun"] = json!(is_dry_run);
            let failed = run(&simulator, by_rule, request).await;
            let error = failed.outcome.unwrap_err();
            assert_eq!(
                (error.kind(), messages(&error)),
                (ErrorKind::InvalidRequest, expected.clone())
            );
            assert_eq!(failed.report.warnings, Vec::<String>::new());
            assert!(error.for_log().contains("2 warnings"), "{}", error.for_log());
        }
    }
    assert_eq!(simulator.journal().len(), 1);
}

#[tokio::test]
async fn missing_variables_and_problems_of_a_strict_request_are_reported() {
    let simulator = Simulator::start().await.unwrap();
    let error = run(&simulator, false, careless(true)).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PromptInvalid);
    let mut invalid = careless(true);
    invalid["output"] = json!("nonsense");
    let error = run(&simulator, false, invalid).await.outcome.unwrap_err();
    let messages = messages(&error);
    for expected in ["output: ", "colour"] {
        assert!(messages.iter().any(|text| text.contains(expected)), "{expected}: {messages:?}");
    }
    assert!(simulator.journal().is_empty());
}

#[tokio::test]
async fn options_that_a_provider_rejects_are_errors_of_a_strict_request() {
    let simulator = Simulator::start().await.unwrap();
    let rejection = json!([{ "then": { "status": 400, "body": {
        "error": { "message": "Unsupported parameter: 'temperature'" }
    } } }]);
    let request = |strict| {
        json!({
            "provider": "openai", "model": "gpt-4o-mini", "message": "Hi", "strict": strict,
            "options": { "temperature": 0.2 }
        })
    };
    for (strict, calls) in [(true, 1), (false, 2)] {
        simulator.clear();
        simulator.script_json(rejection.clone()).unwrap();
        let outcome = run(&simulator, false, request(strict)).await.outcome;
        assert_eq!(outcome.is_err(), strict);
        assert_eq!(simulator.journal().len(), calls);
    }
}

#[tokio::test]
async fn warnings_about_a_reply_are_not_errors() {
    let simulator = Simulator::start().await.unwrap();
    let request = json!({
        "provider": "openai", "model": "gpt-99", "message": "Hi", "strict": true, "return": "full"
    });
    let run = run(&simulator, false, request).await;
    run.outcome.unwrap();
    assert!(run.report.warnings[0].starts_with("cost: "), "{:?}", run.report.warnings);
}

#[tokio::test]
async fn steps_inherit_strict() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("one")]);
    let chain = |step: Value| {
        json!({
            "provider": "anthropic", "model": "claude-sonnet-4-5", "strict": true, "steps": [
                { "name": "first", "message": "Hi" },
                step
            ]
        })
    };
    let unknown = json!({ "name": "second", "message": "{{steps.first}}", "colour": 1 });
    let error = run(&simulator, false, chain(unknown)).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(simulator.journal().is_empty(), "{error}");
    let dropped =
        json!({ "name": "second", "message": "{{steps.first}}", "options": { "seed": 7 } });
    let error = run(&simulator, false, chain(dropped)).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(messages(&error)[0].contains("seed"), "{error}");
    assert!(simulator.journal().is_empty(), "{error}");
}

#[tokio::test]
async fn problems_of_unknown_fields_have_paths() {
    let simulator = Simulator::start().await.unwrap();
    let paths = async |request: Value| {
        let error = run(&simulator, true, request).await.outcome.unwrap_err();
        let problems = error.problems().iter();
        let problem = |it: &llm_exe::Problem| (it.path.clone(), it.message.clone());
        problems.map(problem).collect::<Vec<_>>()
    };
    let found = paths(json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "Hi", "temprature": 1,
        "output": "listToArray", "outputOptions": { "zzz": 1 }
    }));
    let found = found.await;
    let expected = [
        ("temprature", "unknown field (did you mean options.temperature?)"),
        ("outputOptions.zzz", "unknown field: output listToArray has no such option"),
    ];
    assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let found = paths(json!({
        "provider": "openai", "model": "gpt-4o-mini", "steps": [
            { "name": "one", "message": "Hi", "outptu": "json" },
            { "name": "two", "steps": [{ "name": "three", "message": "Hi", "colour": 1 }] }
        ]
    }));
    let found = found.await;
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["steps[0].outptu", "steps[1].steps[0].colour"], "{found:?}");
    assert!(simulator.journal().is_empty());
}

#[tokio::test]
async fn only_warnings_that_depend_on_results_end_a_chain_later() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("{\"a\": 1}")]);
    let request = |message: &str| {
        let schema = json!({ "type": "object" });
        json!({
            "provider": "openai", "model": "gpt-4o-mini", "strict": true, "data": { "x": {} },
            "steps": [
                { "name": "one", "message": "Hi", "output": "json", "schema": schema },
                { "name": "two", "message": message }
            ]
        })
    };
    // An object that a template prints is a warning.
    for (message, calls) in [("{{previous.a}} {{x}}", 0), ("{{previous}}", 1)] {
        let error = run(&simulator, false, request(message)).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.message().contains("steps.two"), "{error}");
        assert_eq!(simulator.journal().len(), calls, "{message}: {error}");
    }
}
