//! Finds JSON objects and lists within other text.
//!
//! A bracket can begin a value, belong to prose (`[1, p. 3]`), or be what is left of broken JSON. A
//! value is used only if nothing around it looks like a part of the same JSON. All steps take a
//! time that grows linearly with the length of the text.

use std::ops::Range;

use super::bracket_scan::{BracketScan, scan_brackets};
use super::text_tokens::{Quotes, TextTokens};

/// Returns the places of the objects and lists in a text, in order of appearance. Returns `None` if
/// the text contains broken JSON. Names that occur twice are not detected.
///
/// `may_be_list` is whether the result can be a list. Lists of numbers are then not prose.
pub(super) fn find_embedded(text: &str, may_be_list: bool) -> Option<Vec<Range<usize>>> {
    let scan = scan_brackets(text);
    if scan.values.is_empty() {
        return Some(Vec::new());
    }
    let surroundings = Surroundings::new(text, &scan);
    if surroundings.contain_broken_json(may_be_list) {
        return None;
    }
    let is_separate = |(index, value): (usize, &Range<usize>)| {
        let before = scan.values.get(index.wrapping_sub(1)).map_or(0, |earlier| earlier.end);
        let after = scan.values.get(index + 1).map_or(text.len(), |later| later.start);
        (!surroundings.contain_rest_of(value, before..after)).then(|| value.clone())
    };
    let values: Vec<_> = scan.values.iter().enumerate().filter_map(is_separate).collect();
    (!values.is_empty()).then_some(values)
}

/// The text outside of the values.
struct Surroundings<'t> {
    text: &'t str,
    scan: &'t BracketScan,
    tokens: TextTokens,
    /// The end of the last part that looks like the end of broken JSON with strings.
    last_end: usize,
}

impl<'t> Surroundings<'t> {
    fn new(text: &'t str, scan: &'t BracketScan) -> Self {
        let tokens = TextTokens::new(text, &scan.values, Quotes::Strings);
        let mut surroundings = Surroundings { text, scan, tokens, last_end: 0 };
        // If a quote is missing, text and strings are interchanged. So quotes are also looked at
        // one by one: `…",1]` is the end of a list.
        let ends = surroundings.unclear_ends();
        if !ends.is_empty() {
            let tokens = TextTokens::new(text, &scan.values, Quotes::Marks);
            let ends = ends.into_iter().filter(|end| tokens.has_quote_since_prose(*end));
            surroundings.last_end = ends.max().unwrap_or(0);
        }
        surroundings
    }

    /// Returns the closing brackets that have no partner, or whose partner can be an earlier
    /// bracket than the last one: in `[see [2, 3] there[y\""]`, the last two are not a pair.
    fn unclear_ends(&self) -> Vec<usize> {
        let BracketScan { pairs, opening, closing, .. } = self.scan;
        let first = |is_list| opening.iter().find(|at| self.is_list(**at) == is_list);
        let (first_list, first_object) = (first(true), first(false));
        let ends = pairs.iter().filter(|pair| {
            let first = if self.is_list(pair.start) { first_list } else { first_object };
            first.is_some_and(|at| *at < pair.start)
        });
        ends.map(|pair| pair.end).chain(closing.iter().copied()).collect()
    }

    fn part(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// Returns whether a bracket outside of the values belongs to broken JSON.
    fn contain_broken_json(&self, may_be_list: bool) -> bool {
        let BracketScan { pairs, opening, .. } = self.scan;
        let holds_tokens_only = |pair: &Range<usize>| {
            !self.tokens.has_prose(pair.clone())
                && (self.is_list(pair.start) || self.tokens.has_colon(pair.clone()))
        };
        let begins_list =
            |at: usize| self.is_list(at) && begins_with_scalar(self.part(at + 1..self.text.len()));
        let mut starts = pairs.iter().map(|pair| pair.start).chain(opening.iter().copied());
        pairs.iter().any(holds_tokens_only)
            || self.is_cut_off()
            || (may_be_list && starts.any(begins_list))
    }

    /// Returns whether JSON that begins in the text does not end.
    fn is_cut_off(&self) -> bool {
        let end = self.text.len();
        let mut last = self.scan.opening.iter().rev().take(2);
        last.any(|at| !self.tokens.has_prose(*at..end) && !self.part(at + 1..end).trim().is_empty())
    }

    fn is_list(&self, at: usize) -> bool {
        self.text.as_bytes().get(at) == Some(&b'[')
    }

    /// Returns whether a value is a part of broken JSON. `gap` begins at the end of the value
    /// before it and ends at the start of the next one.
    fn contain_rest_of(&self, value: &Range<usize>, gap: Range<usize>) -> bool {
        let before = self.part(gap.start..value.start);
        let after = self.part(value.end..gap.end);
        let is_property = before
            .trim_end()
            .strip_suffix(':')
            .is_some_and(|name| name.trim_end().ends_with(['"', '\'', '”', '’']));
        is_property
            || self.touches_json(value, before, after)
            || value.end <= self.last_end
            || self.is_before_closing(value.end)
            || self.is_after_opening(value.start)
            || (self.scan.has_other_brackets() && is_item_or_text(before, after))
    }

    /// Returns whether a part of JSON touches a value: a digit or a word that belongs into the
    /// brackets, or another item of a list of lists.
    fn touches_json(&self, value: &Range<usize>, before: &str, after: &str) -> bool {
        let is_digit = |c: char| c.is_ascii_digit() || c == '-';
        let begins_with_digit = after.strip_prefix('.').unwrap_or(after).starts_with(is_digit);
        let is_list = self.is_list(value.start);
        // The label of a fence can touch a value.
        let is_part = |c: char| c.is_alphanumeric() || c == '\\';
        let ends_with_word = before.ends_with(is_part) && !before.ends_with("```json");
        let follows_value = before.is_empty() && value.start > 0;
        let begins_with_list = after.is_empty() && self.is_list(value.end);
        before.ends_with(is_digit)
            || begins_with_digit
            || begins_with_list
            || (is_list && (follows_value || after.starts_with(char::is_alphanumeric)))
            || (ends_with_word && (is_list || self.scan.has_other_brackets()))
    }

    /// Returns whether only tokens of JSON are between the end of a value and a closing bracket
    /// without a partner.
    fn is_before_closing(&self, end: usize) -> bool {
        // Brackets in strings can hide that a bracket has no partner.
        [&self.scan.closing, &self.tokens.closing].into_iter().any(|closing| {
            let next = closing.get(closing.partition_point(|at| *at < end));
            next.is_some_and(|at| !self.tokens.has_prose(end..*at))
        })
    }

    /// Returns whether only tokens of JSON, but at least one, are between an opening bracket
    /// without a partner and the start of a value.
    fn is_after_opening(&self, start: usize) -> bool {
        let prose = self.tokens.last_prose(start);
        let opening = &self.scan.opening;
        let first = opening.get(opening.partition_point(|at| Some(*at) <= prose));
        first.is_some_and(|at| !self.part((at + 1).min(start)..start).trim().is_empty())
    }
}

/// Returns whether the first word of a text is a number, true, false or null.
fn begins_with_scalar(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        || ["true", "false", "null"].iter().any(|word| text.starts_with(word))
}

/// Returns whether a value is between commas, or one of the quotes around it looks like that of
/// a string in JSON.
fn is_item_or_text(before: &str, after: &str) -> bool {
    let opens = before
        .rsplit_once('"')
        .is_some_and(|(outer, inner)| inner.is_empty() || ends_with_token(outer));
    let closes = after
        .split_once('"')
        .is_some_and(|(inner, outer)| inner.is_empty() || begins_with_token(outer));
    let is_item = before.trim_end().ends_with(',') && after.trim_start().starts_with(',');
    opens || closes || is_item
}

fn ends_with_token(text: &str) -> bool {
    text.trim_end().ends_with([':', ',', '[', '{'])
}

fn begins_with_token(text: &str) -> bool {
    text.trim_start().starts_with([':', ',', ']', '}'])
}

#[cfg(test)]
mod tests {
    use super::find_embedded;

    fn found(text: &str, may_be_list: bool) -> Option<Vec<&str>> {
        let ranges = find_embedded(text, may_be_list)?;
        Some(ranges.into_iter().map(|range| &text[range]).collect())
    }

    #[test]
    fn values_within_prose_are_found() {
        for (text, expected) in [
            ("no json at all", vec![]),
            ("Sure [see below]: {\"a\":{\"b\":1}} and [2] done", vec!["{\"a\":{\"b\":1}}", "[2]"]),
            ("First {\"a\": \"}\"} done.", vec!["{\"a\": \"}\"}"]),
            ("Ok: {\"title\": \"a } b { c\"} bye }", vec!["{\"title\": \"a } b { c\"}"]),
            ("See [1, p. 3]: {\"title\": \"x\"}", vec!["{\"title\": \"x\"}"]),
            ("Scores lie in [0, 5). {\"title\": \"x\"}", vec!["{\"title\": \"x\"}"]),
            ("As [[Kettle]] says: {}", vec!["{}"]),
            ("{\"a\":1} :-[", vec!["{\"a\":1}"]),
            ("Use {x and: {\"a\":1}", vec!["{\"a\":1}"]),
            ("Here is {{playername}\n{\"a\":1}", vec!["{\"a\":1}"]),
            ("{curly {\"a\": 1}", vec!["{\"a\": 1}"]),
            ("echo {\"x\"}\nThen: {\"a\":1}", vec!["{\"a\":1}"]),
            ("Use {\"a\": <number>}: {\"a\":1}", vec!["{\"a\":1}"]),
            ("Size 5\" kettle, \"best one: {\"a\":1}", vec!["{\"a\":1}"]),
            ("He said \"{\"a\":1}\", ok", vec!["{\"a\":1}"]),
            ("{\"a\":1}{\"a\":2}", vec!["{\"a\":1}", "{\"a\":2}"]),
        ] {
            assert_eq!(found(text, false), Some(expected), "{text}");
        }
    }

    #[test]
    fn values_of_broken_json_are_not_used() {
        for text in [
            "{\"title\":\"A\"}, \"score\": 4}",
            "{\"title\":\"A\"}}",
            "{\"score\": 6}8}",
            "[1,2], 3]",
            "[\n 5]8,\n 7,\n 6\n]",
            "\"a\": {\"x\": 1},\n\"b\": 3",
            "'a': {\"x\": 1}, more",
            " \"sizes\": [6],\n \"by\": {\"name\":\"N\"},\n \"title\": \"x\"\n}",
            "{\"key\":\"value\"}[1,2,3,True]",
            "{\"a\":1} and then {\"a\":",
            "[ in: {\"a\":1} there",
            "[]\"x y\",\"b\"]",
            "[] a b\",\"c\"]",
            "[]\",\"some words\",{\"c\":1}]",
            "{}key\":1,\"b\":2}",
            "x[1],[2]]",
            "x\"a [1] b\",\"c d\"]",
            "{\"a\":1},\n\"b\": \"{ x {}\"\n}",
            "[][]",
            "[\"x\\[\": 1} 1\",\"\"]",
            "{\"}\":\"x}\",\"b\":\"1a } b { c{}\n",
            "[\"\\\": {}[]",
            "[]alse,[32]]",
            "[fals[]",
            "1false,[2,3],\"[1] [y\"]",
            "{}\"\":\"{\"}",
            "[-53,5].75,179]",
            "1[2]",
            "[1,2]3",
            "-[1]",
            "{x\"a\":\"} [1] {\",\"b\":2}",
            "[see [2, 3] there[y\\\"\"]",
        ] {
            assert_eq!(found(text, false), None, "{text}");
        }
        // Values inside of brackets that begin as JSON or that close are not even considered.
        for text in [
            "{\"a\": {\"b\":1}",
            "[{\"b\":1}, ",
            "[{\"b\":1} and more",
            "[a\", {\"x\":1}]",
            "[{\"a\":1}x{\"a\":2}]",
            "[[1,2], [3,4], [5,6",
            "{\"a\": t{\"b\":1}, \"c\": \"{\"}",
            "{\"a\"#:[],\"b\":\"{\"}",
            "[{\"a\":1}x{\"a\":2}, \"[\"]",
            "[see {\"a\":1}]",
        ] {
            assert_eq!(found(text, false), Some(Vec::new()), "{text}");
        }
        assert_eq!(found("[1,2,x] [3]", true), None);
        assert_eq!(found("[1,2,x] [3]", false), Some(vec!["[3]"]));
    }
}
