//! Rejects phrases that are hard to understand. CONTRIBUTING.md describes the writing style.

use regex_lite::Regex;

use crate::files::{files_with, root, shown};

/// The patterns of rejected phrases, each with a suggested replacement. The first pattern matches
/// phrases that are allowed although another pattern matches them.
const PHRASES: &[(&str, &str)] = &[
    (
        concat!(
            r"\b(there (is|are|was|were) no|(is|are|was) no (more than|longer|less))\b",
            r"|-beside|= .beside"
        ),
        "",
    ),
    (r"\b(is|are|was|were) no [a-z]+", "\"is not a …\""),
    (r"\b(whoever|whomever|nobody|somebody|anybody)\b", "the component that acts"),
    (r"\b(is|are|was|were|be|been) told\b", "reported, passed, sent"),
    (r"\btells? (of|whether|what|how)\b", "reports, says, contains"),
    (r"\banew\b", "again"),
    (r"\bbeside\b", "next to, and, besides"),
    (r"\bparted by\b", "separated by"),
    (r"\bmend(s|ed|ing|able)?\b", "fix, repair, coerce"),
    (r"\bof (ours|theirs|somebody)\b", "name the owner"),
    (r"\bthe (most|least|fewest) [a-z]+s? (of|that|to|in|for|a)\b", "maximum, minimum"),
    (r"\bleft out\b|\bleaves? out\b", "dropped, omitted, skipped"),
    (r"\b(stands?|stood) (for itself|beside|in for)\b", "replaces, is"),
    (r"\bheld (against|to) \b", "compared with, checked against"),
];

/// The checked scripts whose names have no extension.
const SCRIPTS: &[&str] = &[
    ".ci/run",
    "benches/run",
    "benches/run-prompts",
    "scripts/check",
    "scripts/exactly-once",
    "scripts/matrix",
    "scripts/schema-differential",
    "scripts/test",
    "scripts/test-cdk",
];

/// The name of this file, which is not checked because it contains the phrases.
const SELF: &str = "phrases.rs";

#[test]
fn comments_documents_and_messages_are_plain() {
    let phrases: Vec<(Regex, &str)> = PHRASES
        .iter()
        .map(|(pattern, instead)| (Regex::new(&format!("(?i){pattern}")).unwrap(), *instead))
        .collect();
    let (allowed, rejected) = phrases.split_first().unwrap();
    let mut wrong = Vec::new();
    let mut files = files_with(&root(), &["rs", "ts", "mjs", "md", "py", "sh", "toml", "yml"]);
    files.extend(SCRIPTS.iter().map(|path| root().join(path)));
    for path in files {
        let is_data = path.components().any(|part| part.as_os_str() == "cases");
        if path.ends_with(SELF) || is_data {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            let line = allowed.0.replace_all(line, "");
            for (phrase, instead) in rejected {
                if let Some(found) = phrase.find(&line) {
                    let (place, found) = (shown(&path), found.as_str());
                    let at = index + 1;
                    wrong.push(format!("{place}:{at}: \"{found}\": write {instead}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}
