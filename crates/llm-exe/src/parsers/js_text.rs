//! White space and words as npm `llm-exe` sees them, and what negates a word.

/// White space as JavaScript's `\s` has it.
pub(crate) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// The text without white space around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether a character belongs to a word: a letter, a digit, or a sign on a letter.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether `text` stands alone from `start` to `end`, not inside a longer word.
pub(crate) fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default().chars().next_back();
    let after = text.get(end..).unwrap_or_default().chars().next();
    !before.is_some_and(is_word) && !after.is_some_and(is_word)
}

/// The form of a text in which case does not count, a character for each character.
pub(crate) fn folded(text: &str) -> String {
    text.chars().map(folded_char).collect()
}

fn folded_char(c: char) -> char {
    // The dotless i is a letter of its own; its capital is that of another one.
    if c.is_ascii() || c == 'ı' {
        return c.to_ascii_lowercase();
    }
    let only = |mut chars: Box<dyn Iterator<Item = char>>| match (chars.next(), chars.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    };
    let upper = only(Box::new(c.to_uppercase())).unwrap_or(c);
    only(Box::new(upper.to_lowercase())).unwrap_or(c)
}

const NEGATIONS: &[&str] =
    &["not", "never", "neither", "nor", "no", "non", "cannot", "hardly", "without"];

/// Words behind which a negation no longer counts.
const TURNS: &[&str] = &["but", "so", "then", "however", "therefore", "rather", "instead"];

/// How many words, and characters, back a negation is looked for.
const REACH: usize = 5;
const REACH_CHARS: usize = 120;

/// Whether a word is negated by what stands before it in its clause: in "it is not true" the
/// answer is not "true". It knows English only.
pub(crate) fn is_negated(before: &str) -> bool {
    let from = before.char_indices().rev().take(REACH_CHARS).last().map_or(0, |(at, _)| at);
    let near = before.get(from..).unwrap_or_default();
    let near = near.rsplit(" - ").next().unwrap_or_default();
    let clause = near.rsplit(|c| ".,;:!?\n\r()–—".contains(c)).next().unwrap_or_default();
    let words = clause.rsplit(|c| !is_word(c) && !"'’".contains(c));
    for word in words.filter(|word| !word.is_empty()).take(REACH) {
        let word = word.to_lowercase().replace('’', "'");
        if TURNS.contains(&word.as_str()) {
            return false;
        }
        if NEGATIONS.contains(&word.as_str()) || word.ends_with("n't") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{folded, is_negated};

    #[test]
    fn knows_what_is_negated() {
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
    fn folds_a_character_for_a_character() {
        assert_eq!(folded("ÀſKΣςẞı"), "àskσσßı");
    }
}
