//! Compares patterns with Node.js, and checks syntax that ECMA-262 does not have.

use serde_json::Value;

use super::Pattern;
use crate::schema::validate::budget::{Budget, MAX_BACKTRACKED_BYTES, TooMuchWork};

/// More units of work than an ordinary match needs.
const UNITS: u64 = 10_000_000;

fn parse(pattern: &str) -> Pattern {
    Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

fn is_match(pattern: &str, text: &str) -> bool {
    parse(pattern).is_match(text, &Budget::new(UNITS)).unwrap()
}

/// Syntax that is accepted although Node.js rejects it.
const EXTRA_SYNTAX: &[&str] = &["(?i", "(?P<", "\\A", "\\z", "\\p"];

fn compare_with_node(cases: &Value) -> Vec<String> {
    let texts = cases["texts"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases["cases"].as_array().unwrap() {
        let (pattern, syntax) =
            (case["pattern"].as_str().unwrap(), case["syntax"].as_str().unwrap());
        let parsed = match Pattern::parse(pattern) {
            Ok(parsed) => parsed,
            Err(error) if syntax == "u" => {
                wrong.push(format!("{pattern:?} is valid: {error}"));
                continue;
            }
            Err(_) => continue,
        };
        if syntax == "invalid" && !EXTRA_SYNTAX.iter().any(|extra| pattern.contains(extra)) {
            wrong.push(format!("{pattern:?} is not valid"));
        }
        let matches = case["matches"].as_str().unwrap_or_default().bytes();
        let texts = case["texts"].as_array().unwrap_or(texts);
        for (text, expected) in texts.iter().zip(matches) {
            let text = text.as_str().unwrap();
            let found = parsed.is_match(text, &Budget::new(UNITS));
            if found != Ok(expected == b'1') {
                wrong.push(format!("{pattern:?} on {text:?}: {found:?}"));
            }
        }
    }
    wrong
}

#[test]
fn patterns_match_as_in_node() {
    let text = include_str!("../../../../tests/cases/schemas/patterns.json");
    let cases: Value = serde_json::from_str(text).unwrap();
    assert!(cases["cases"].as_array().unwrap().len() > 900);
    let wrong = compare_with_node(&cases);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn syntax_of_other_languages_is_accepted_where_it_is_common() {
    for (pattern, text, expected) in [
        ("(?i)^yes$", "YES", true),
        ("(?i)^straße$", "STRAßE", true),
        ("(?i:a)b", "Ab", true),
        ("(?i:a)b", "AB", false),
        ("(?i)a(?-i)b", "Ab", true),
        ("(?i)a(?-i)b", "AB", false),
        ("(?i)[^k]", "K", false),
        ("(?i)[k-m]", "\u{212a}", true),
        ("(?i)ς", "Σ", true),
        ("(?i)[Σ]", "ς", true),
        ("(?i)[ς]", "Σ", true),
        ("(?i)i", "ı", false),
        (r"(?i)(a)\1", "aA", true),
        ("(?s)^.$", "\n", true),
        ("^.$", "\n", false),
        ("(?m)^b$", "a\nb\nc", true),
        ("^b$", "a\nb\nc", false),
        (r"\Aa\z", "a", true),
        (r"\Aa\z", "a\n", false),
        ("^a$", "a\n", false),
        (r"(?P<year>\d{4})-\k<year>", "2024-2024", true),
        (r"^\pL+$", "né", true),
        (r"^[\w-.]+$", "a-b.c", true),
        (r"^\-\_\@\ $", "-_@ ", true),
        ("^}]$", "}]", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern} on {text:?}");
    }
}

#[test]
fn errors_name_the_position() {
    for (pattern, expected) in [
        ("a(b", "unclosed group at character 2"),
        ("é)b", "unmatched closing parenthesis at character 2"),
        ("[a", "unclosed bracket at character 1"),
        ("a|*", "the quantifier has nothing to repeat at character 3"),
        ("(?=a)+", "a quantifier can't follow an assertion at character 6"),
        ("a**", "a quantifier can't follow a quantifier at character 3"),
        ("a{2,1}", "the maximum of the quantifier is below its minimum at character 2"),
        ("a{x}", "expected a quantifier such as {2}, {2,} or {2,3} at character 2"),
        ("{a}", "a brace outside of a quantifier must be written as `\\{` at character 1"),
        ("[z-a]", "the range ends before its start at character 2"),
        ("a\\", "the pattern ends with a backslash at character 2"),
        (r"\q", "unknown escape sequence at character 1"),
        (r"\p{Nope}", "unsupported Unicode property \"Nope\" at character 1"),
        (r"(a)\2", "the pattern has no group 2 at character 4"),
        (r"\k<x>", "the pattern has no group \"x\" at character 1"),
        ("(?<x>a)(?<x>b)", "the group \"x\" exists already at character 8"),
        ("(?>a)", "expected a flag of a group (i, m or s) at character 3"),
        ("(?<-x>a)", "expected the name of a group and `>` at character 4"),
        ("(?)", "unknown kind of group at character 1"),
        ("(?:ab){30000}", "the pattern needs more than 50000 instructions"),
        (&"(".repeat(1000), "groups are nested deeper than 200 levels at character 201"),
        (&"a".repeat(300_000), "expected at most 262144 bytes, got 300000"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err().to_string();
        assert_eq!(error, expected, "{pattern:.20}");
    }
}

#[test]
fn a_pattern_is_compiled_when_it_is_matched() {
    let pattern = parse("^(?:ab){1000}$");
    assert!(pattern.matcher.get().is_none());
    assert_eq!(pattern.is_match("", &Budget::new(100)), Err(TooMuchWork::Budget));
    assert!(pattern.matcher.get().is_none());
    assert_eq!(pattern.is_match(&"ab".repeat(1000), &Budget::new(UNITS)), Ok(true));
    assert!(pattern.matcher.get().is_some());
    for literal in ["^x-", "abc$", "^a-b$", "x", ""] {
        assert!(parse(literal).matcher.get().is_some(), "{literal}");
    }
}

/// Returns the units that a match spends when the pattern has been compiled.
fn units(pattern: &str, text: &str) -> u64 {
    let (pattern, budget) = (parse(pattern), Budget::new(UNITS));
    pattern.is_match("", &budget).unwrap();
    let before = budget.left();
    pattern.is_match(text, &budget).unwrap();
    before - budget.left()
}

#[test]
fn work_without_lookaround_is_proportional_to_the_text() {
    for (pattern, per_byte) in [
        ("^[a-z]+$", 1),
        ("^a{1,100000}$", 4),
        ("(a+)+b", 32),
        ("^(a|a)*$", 32),
        ("^(a*)*b", 32),
        ("(?:a{0,100}){5}b", 96),
        (r"^(\p{L}\p{N}?)+$", 32),
    ] {
        for length in [1_000, 10_000, 100_000] {
            let spent = units(pattern, &"a".repeat(length));
            let limit = u64::try_from(length * per_byte).unwrap();
            assert!(spent <= limit, "{pattern} on {length}: {spent}");
        }
    }
}

#[test]
fn lookaround_and_back_references_have_one_budget_for_all_start_positions() {
    for (pattern, text) in [
        ("(?=a)a*b", "a".repeat(4000)),
        ("(?=x|a)(a+)+b", "a".repeat(40)),
        (r"(a*)*\1b", "a".repeat(40)),
        ("(?<=b(a+)+)a", "a".repeat(40)),
        ("(?=(a*a*a*a*b|c))", "a".repeat(4000)),
    ] {
        let result = parse(pattern).is_match(&text, &Budget::new(UNITS / 10));
        assert_eq!(result, Err(TooMuchWork::Budget), "{pattern}");
    }
    assert!(units("^(?!.*x)[a-z]*$", &"a".repeat(4000)) < 40_000);
}

#[test]
fn lookaround_is_not_matched_with_long_texts() {
    let budget = Budget::new(UNITS);
    for pattern in ["^(?!b)", r"^(a)\1", "(?<=b)"] {
        let pattern = parse(pattern);
        let longest = "a".repeat(MAX_BACKTRACKED_BYTES);
        assert!(pattern.is_match(&longest, &budget).is_ok());
        let longer = format!("{longest}a");
        assert_eq!(pattern.is_match(&longer, &budget), Err(TooMuchWork::LongText));
    }
    assert_eq!(parse("^a+$").is_match(&"a".repeat(100_000), &Budget::new(UNITS)), Ok(true));
}
