//! `output: "list"` (`listToArray`): the lines of a list, without their markers.
//!
//! A list has markers on all of its lines (`-`, `*`, `•`, `1.`) or on none; one line without a
//! marker is no list. This is what npm `llm-exe` 3.x accepts and refuses.

use serde_json::Value;

use super::OutputFault;
use crate::schema::Schema;

/// Reads a list of strings.
pub(crate) fn parse(text: &str, _: Option<&Schema>) -> Result<Value, OutputFault> {
    let lines: Vec<&str> =
        text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
    let marked: Vec<&str> = lines.iter().filter_map(|line| unmarked(line)).collect();
    let items = match (lines.len(), marked.len()) {
        (0, _) => return Err(OutputFault::new("the reply is empty; expected a list")),
        (1, 0) => {
            return Err(OutputFault::new("the reply is a single line without a list marker"));
        }
        (_, 0) => lines,
        (all, some) if all == some => marked,
        _ => {
            return Err(OutputFault::new("some lines of the reply have a list marker, some not"));
        }
    };
    Ok(items.into_iter().map(Value::from).collect())
}

/// The line without its marker, or `None` where it has none.
fn unmarked(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('•') {
        return Some(rest.trim());
    }
    let rest = match line.strip_prefix(['-', '*']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == line.len() {
                return None;
            }
            rest.strip_prefix('.')?
        }
    };
    rest.starts_with(char::is_whitespace).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    /// Made by running `createParser("listToArray").parse(text)` of npm `llm-exe` 3.0.4.
    #[test]
    fn accepts_and_refuses_what_llm_exe_does() {
        for (text, expected) in [
            ("a\nb", Some(json!(["a", "b"]))),
            ("- a\n- b\n\n", Some(json!(["a", "b"]))),
            ("1. a\n2. b", Some(json!(["a", "b"]))),
            ("  1. a\r\n  2. b", Some(json!(["a", "b"]))),
            ("• a\n•b", Some(json!(["a", "b"]))),
            ("* **a**", Some(json!(["**a**"]))),
            ("1. a\n- b", Some(json!(["a", "b"]))),
            ("- [ ] a", Some(json!(["[ ] a"]))),
            ("+ a\n+ b", Some(json!(["+ a", "+ b"]))),
            ("", None),
            ("a", None),
            ("1) a", None),
            ("-a", None),
            ("1.a", None),
            ("-- a", None),
            ("- a\n  continued", None),
            ("- \n- b", None),
            ("Here:\n- a\n- b", None),
        ] {
            assert_eq!(parse(text, None).ok(), expected, "{text:?}");
        }
    }
}
