//! Checks the places that repeat the rows of `PARSERS`, which `scripts/update` rewrites, and that
//! every error kind is documented.

use llm_exe::ErrorKind;
use llm_exe::parsers::PARSERS;
use serde_json::Value;

use crate::MAX_COLUMNS;
use crate::files::root;
use crate::providers::{check, read, replace_between};

fn doc(name: &str) -> String {
    let path = root().join("docs").join(name);
    std::fs::read_to_string(&path).expect(name)
}

/// Returns the Markdown table rows that begin with inline code, each with the text of that code.
fn rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter_map(|line| {
        let (first, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some((first.to_owned(), line.to_owned()))
    });
    rows.collect()
}

/// Returns the data file of a parser, whose `docs` has the columns of its row in docs/outputs.md.
fn parser_docs(name: &str) -> Value {
    let file = format!("crates/llm-exe/tests/cases/parsers/{name}.json");
    let path = root().join(&file);
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{file}: add this file"));
    let mut data: Value = serde_json::from_str(&text).expect(&file);
    assert!(data["docs"]["result"].is_string(), "{file}: add \"docs\" with \"result\"");
    data["docs"].take()
}

#[test]
fn table_of_outputs_is_up_to_date() {
    let mut table = "\n| output | options | result |\n|---|---|---|\n".to_owned();
    for row in PARSERS {
        let docs = parser_docs(row.name);
        let options = row.options.iter().map(|name| {
            let values = docs["options"][name].as_str().unwrap_or_else(|| {
                panic!("tests/cases/parsers/{}.json: docs.options has no {name}", row.name)
            });
            format!("`{name}`: {values}")
        });
        let options = options.collect::<Vec<_>>().join("; ");
        let aliases: String = row.aliases.iter().map(|name| format!(" (`{name}`)")).collect();
        let result = docs["result"].as_str().unwrap();
        table += &format!("| `{}`{aliases} | {options} | {result} |\n", row.name);
    }
    let table = format!("{table}\n").replace("|  |", "| |");
    let (begin, end) = ("<!-- outputs: written by scripts/update -->\n", "<!-- end -->");
    let page = read("docs/outputs.md");
    check("docs/outputs.md", &replace_between(&page, begin, end, &table));
}

/// The doc comment of `output` is part of the request's JSON Schema.
#[test]
fn doc_comment_of_output_is_up_to_date() {
    const FILE: &str = "crates/llm-exe/src/request/mod.rs";
    const FIRST: &str = "How the reply is parsed:";
    let mut names: Vec<String> = Vec::new();
    for row in PARSERS {
        let all = row.aliases.iter().chain([&row.name]).map(|name| format!("`{name}`"));
        names.push(all.collect::<Vec<_>>().join(" or "));
    }
    names[0] += " (the default)";
    let last = names.pop().unwrap();
    let text = format!("{} or {last}.", names.join(", "));
    let mut lines = vec![format!("    /// {FIRST}")];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.len() + 1 + word.len() <= MAX_COLUMNS {
            line.push_str(&format!(" {word}"));
        } else {
            lines.push(format!("    /// {word}"));
        }
    }
    let code = read(FILE);
    let begin = format!("    /// {FIRST}");
    let rest = &lines.join("\n")[begin.len()..];
    check(FILE, &replace_between(&code, &begin, "\n    pub output:", rest));
}

#[test]
fn every_parser_has_a_section() {
    let page = doc("outputs.md");
    for row in PARSERS.iter().filter(|row| row.name != "string") {
        let name = format!("`{}`", row.name);
        let mut headings = page.lines().filter(|line| line.starts_with("## "));
        assert!(
            headings.any(|line| line.contains(&name)),
            "docs/outputs.md: add a section ## {name} with an example"
        );
    }
}

#[test]
fn the_documented_errors_are_the_ones_there_are() {
    let table = rows(&doc("errors.md"));
    let documented: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(documented, known);
    for (kind, (_, line)) in ErrorKind::ALL.iter().zip(&table) {
        let retry = if kind.retryable() { "yes" } else { "no" };
        let expected = format!("| {} | {retry} | {} |", kind.http_status(), kind.exit_code());
        assert!(line.contains(&expected), "docs/errors.md: {kind}: expected {expected}");
    }
}
