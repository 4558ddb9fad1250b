//! Handles white space, words and letter case like the npm package `llm-exe`, and detects negation.

use crate::word_list::contains_word;

/// Returns whether JavaScript's `\s` matches the character.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Removes white space from both ends of a string, as JavaScript's `trim` does.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Returns whether a character can be part of a word: a letter, a digit or a combining accent.
pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Returns whether a character belongs to a script that is written without spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' // Thai and Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{2e80}'..='\u{2fdf}' // radicals
        | '\u{3005}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Japanese
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' // Han
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}'
    )
}

/// Returns whether `text[start..end]` starts and ends at a word boundary. In scripts without spaces
/// between words, words can begin and end anywhere, except within a run of katakana.
pub(super) fn is_whole_word(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (text.get(..start), text.get(end..));
    let inside = text.get(start..end).unwrap_or_default();
    let before = before.and_then(|text| text.chars().next_back());
    let after = after.and_then(|text| text.chars().next());
    is_boundary(before, inside.chars().next()) && is_boundary(after, inside.chars().next_back())
}

fn is_boundary(outside: Option<char>, inside: Option<char>) -> bool {
    let (Some(outside), Some(inside)) = (outside, inside) else {
        return true;
    };
    if is_katakana(outside) && is_katakana(inside) {
        return false;
    }
    !is_word_char(outside) || is_unspaced(outside) || is_unspaced(inside)
}

fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30a1}'..='\u{30fa}' | '\u{30fc}' | '\u{ff66}'..='\u{ff9f}')
}

/// Folds the case of a string for comparison. Each character maps to exactly one character.
pub(super) fn fold_case(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    // The letters ı and i have the same uppercase form, but they are different letters.
    if c.is_ascii() || c == 'ı' {
        return c.to_ascii_lowercase();
    }
    let single = |mut chars: Box<dyn Iterator<Item = char>>| match (chars.next(), chars.next()) {
        (Some(c), None) => Some(c),
        _ => None,
    };
    let upper = single(Box::new(c.to_uppercase())).unwrap_or(c);
    single(Box::new(upper.to_lowercase())).unwrap_or(c)
}

const NEGATIONS: &str = "not never neither nor no non cannot hardly without";

/// Words after which an earlier negation does not apply.
const NEGATION_ENDS: &str = "but so then however therefore rather instead";

/// Maximum distance between a negation and the word that it negates, in words and in characters.
const MAX_NEGATION_WORDS: usize = 5;
const MAX_NEGATION_CHARS: usize = 120;

/// Returns whether the text before a word negates the word within the same clause, as in "it is not
/// true". Detects only English negations.
pub(super) fn is_negated(before: &str) -> bool {
    let from = before.char_indices().rev().take(MAX_NEGATION_CHARS).last().map_or(0, |(at, _)| at);
    let near = before.get(from..).unwrap_or_default();
    let near = near.rsplit(" - ").next().unwrap_or_default();
    let clause = near.rsplit(|c| ".,;:!?\n\r()–—".contains(c)).next().unwrap_or_default();
    let words = clause.rsplit(|c| !is_word_char(c) && !"'’".contains(c));
    for word in words.filter(|word| !word.is_empty()).take(MAX_NEGATION_WORDS) {
        let word = word.to_lowercase().replace('’', "'");
        if contains_word(NEGATION_ENDS, &word) {
            return false;
        }
        if contains_word(NEGATIONS, &word) || word.ends_with("n't") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{fold_case, is_negated};

    #[test]
    fn negation_is_detected_within_the_clause() {
        for before in ["It is not ", "isn’t really ", "I do not think it is ", "non-", "never \""]
        {
            assert!(is_negated(before), "{before}");
        }
        for before in
            ["", "No, ", "Not sure. ", "not ham but ", "knot ", "not a b c d e f ", "No - "]
        {
            assert!(!is_negated(before), "{before}");
        }
    }

    #[test]
    fn fold_case_maps_each_character_to_one_character() {
        assert_eq!(fold_case("ÀſKΣςẞı"), "àskσσßı");
    }
}
