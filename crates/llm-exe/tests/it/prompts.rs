//! Compares rendered templates with the results of npm handlebars and npm llm-exe.
//!
//! In `cases/prompts/<corpus>`, the `*.in.json` files contain the cases and their data. The
//! `*.out.json` files contain the results of the npm package, which scripts/oracles recorded.
//! `exceptions.json` lists the cases in which this crate's result differs, each with a reason.

use std::collections::BTreeSet;

use llm_exe::prompt::{Limits, Partials, Scope, Template};
use serde_json::{Map, Value};

use crate::common::{cases, needs_exact_numbers, read_cases};

/// Returns the data of a case. A case contains either its own object or the name of an entry in the
/// shared data of its file.
fn data_of<'a>(case: &'a Value, shared: &'a Value) -> &'a Value {
    match case["data"].as_str() {
        Some(name) => {
            shared.get(name).unwrap_or_else(|| panic!("{}: no data `{name}`", case["name"]))
        }
        None => &case["data"],
    }
}

/// Renders a case twice, checks that both results are the same, and returns the text or the
/// problems.
fn render(case: &Value, data: &Value) -> Result<String, String> {
    let mut partials = Partials::builtin();
    let no_partials = Map::new();
    for (name, source) in case["partials"].as_object().unwrap_or(&no_partials) {
        partials.add(name, source.as_str().unwrap()).map_err(|problems| format!("{problems:?}"))?;
    }
    let template = Template::compile_with(case["template"].as_str().unwrap(), &partials).map_err(
        |problems| problems.iter().map(|p| p.to_string()).collect::<Vec<_>>().join("; "),
    )?;
    let no_data = Map::new();
    let data = data.as_object().unwrap_or(&no_data);
    let scope = Scope { data, more: &[], extra: &[] };
    let rendered = template.render(&scope, &Limits::default()).map_err(|p| p.to_string())?;
    let again = template.render(&scope, &Limits::default()).map_err(|p| p.to_string())?;
    assert_eq!(rendered, again, "two renderings of the same template differ");
    Ok(rendered.text)
}

/// Runs the cases of a corpus and prints every mismatch.
#[expect(clippy::print_stdout, reason = "every mismatch is printed")]
fn run_corpus(corpus: &str) {
    let folder = format!("prompts/{corpus}");
    let exceptions: Map<String, Value> = read_cases(&format!("{folder}/exceptions.json"));
    let mut unused: Vec<&String> = exceptions.keys().collect();
    let mut files = BTreeSet::new();
    for entry in cases().join(&folder).read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        files.extend(name.strip_suffix(".in.json").map(str::to_owned));
    }
    let (mut count, mut mismatches) = (0, 0);
    for file in files {
        let input: Value = read_cases(&format!("{folder}/{file}.in.json"));
        let results: Value = read_cases(&format!("{folder}/{file}.out.json"));
        for case in input["cases"].as_array().unwrap() {
            let data = data_of(case, &input["data"]);
            count += 1;
            let name = case["name"].as_str().unwrap();
            let expected = match exceptions.get(name) {
                Some(exception) => {
                    unused.retain(|unused| *unused != name);
                    assert!(exception["reason"].is_string(), "{name}: the exception has no reason");
                    if needs_exact_numbers(exception) {
                        continue;
                    }
                    exception
                }
                None => &results[name],
            };
            let actual = render(case, data);
            let matches = match (&actual, expected["expected"].as_str()) {
                (Ok(text), Some(expected)) => text == expected,
                (Err(_), None) => expected["error"] == Value::Bool(true),
                _ => false,
            };
            if !matches {
                mismatches += 1;
                println!("{name}: {}", case["template"]);
                println!("  data     {data}");
                println!("  expected {expected}");
                println!("  actual   {actual:?}");
            }
        }
    }
    println!("{corpus}: {count} cases, {} exceptions, {mismatches} mismatches", exceptions.len());
    assert!(unused.is_empty(), "exceptions without a case: {unused:?}");
    assert_eq!(mismatches, 0, "{mismatches} of {count} cases of {corpus} differ");
}

#[test]
fn results_match_npm_handlebars() {
    run_corpus("handlebars");
}

#[test]
fn results_match_the_specification_of_handlebars() {
    run_corpus("handlebars-spec");
}

#[test]
fn results_match_npm_llm_exe() {
    run_corpus("llm-exe");
}
