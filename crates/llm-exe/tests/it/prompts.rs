//! Compares rendered templates with the results of npm handlebars and npm llm-exe.
//!
//! In `cases/prompts/<corpus>`, the `*.in.json` files contain the data and the cases, the
//! `*.out.json` files contain the results of the npm package (written by scripts/oracles), and
//! `exceptions.json` lists the cases in which this crate's result differs, each with a reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use llm_exe::prompt::{Limits, Partials, Scope, Template};
use serde_json::{Map, Value};

fn corpus_folder(corpus: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/prompts").join(corpus)
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Returns the data of a case, which contains either an object or the name of an entry in the
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
    let scope = Scope { data, extra: &[] };
    let rendered = template.render(&scope, &Limits::default()).map_err(|p| p.to_string())?;
    let again = template.render(&scope, &Limits::default()).map_err(|p| p.to_string())?;
    assert_eq!(rendered, again, "two renderings of the same template differ");
    Ok(rendered.text)
}

/// Runs the cases of a corpus and prints every mismatch.
#[expect(clippy::print_stdout, reason = "every mismatch is printed")]
fn run_corpus(corpus: &str) {
    let folder = corpus_folder(corpus);
    let exceptions = read(&folder.join("exceptions.json"));
    let exceptions = exceptions.as_object().unwrap();
    let mut unused: Vec<&String> = exceptions.keys().collect();
    let mut files: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(stem) = name.strip_suffix(".in.json") {
            let out = folder.join(format!("{stem}.out.json"));
            files.insert(path, out);
        }
    }
    let (mut count, mut mismatches) = (0, 0);
    for (input, output) in files {
        let results = read(&output);
        let input = read(&input);
        for case in input["cases"].as_array().unwrap() {
            let data = data_of(case, &input["data"]);
            count += 1;
            let name = case["name"].as_str().unwrap();
            let expected = match exceptions.get(name) {
                Some(exception) => {
                    unused.retain(|unused| *unused != name);
                    assert!(exception["reason"].is_string(), "{name}: the exception has no reason");
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
fn results_match_npm_llm_exe() {
    run_corpus("llm-exe");
}
