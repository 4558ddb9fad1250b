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

const NEGATIONS: &str = "\
    not never neither nor no non none nothing nowhere cannot hardly barely scarcely without \
    except excluding unlike unlikely doubt doubtful lack lacks lacking \
    nicht kein keine keinen nie pas jamais aucun aucune não nunca ningún ninguna niet geen inte \
    ikke ingen nie не нет";

/// Words after which an earlier negation does not apply.
const NEGATION_ENDS: &str = "but so then however therefore rather instead";

/// Pairs of words that negate the word after them.
const NEGATING_PAIRS: &str = "\
    anything but|everything but|anyone but|everyone but|all but|far from|free from|free of|\
    opposite of|contrary of|opposed to|absence of|lack of|instead of|rather than|other than|\
    different from|negative for|ruled out|rule out|rules out";

/// Pairs of words that begin with a negation and affirm what follows.
const AFFIRMING_PAIRS: &str = "no doubt|without doubt|a doubt|any doubt|beyond doubt|little doubt";

/// Maximum distance in words between a negation and the word that it negates.
const MAX_NEGATION_WORDS: usize = 10;

/// Maximum distance in words between a pair that negates and the word that it negates.
const MAX_PAIR_WORDS: usize = 4;

/// Returns whether the text before a word negates the word within the same clause, as in "it is not
/// true". Detects English negations, and the usual ones of some other languages.
pub(super) fn is_negated(before: &str) -> bool {
    let near = last_chars(before, MAX_CLAUSE_CHARS);
    let clause = clause_before(near);
    let words = last_words(clause, MAX_NEGATION_WORDS + 1);
    for (index, word) in words.iter().enumerate().take(MAX_NEGATION_WORDS) {
        if let Some(previous) = words.get(index + 1) {
            let pair = format!("{previous} {word}");
            if is_listed(AFFIRMING_PAIRS, &pair) {
                return false;
            }
            if index < MAX_PAIR_WORDS && is_listed(NEGATING_PAIRS, &pair) {
                return true;
            }
        }
        if contains_word(NEGATION_ENDS, word) {
            return false;
        }
        if is_negation(word) {
            return true;
        }
    }
    // "It is not, I think, spam" and "Not: spam"
    let earlier = near.get(..near.len() - clause.len()).unwrap_or_default();
    let is_end: CharTest = |c| ".;!?\n\r".contains(c);
    let is_part_end: CharTest = |c| ",:(".contains(c);
    let sentence = earlier.rsplit(is_end).next().unwrap_or_default();
    sentence.split(is_part_end).any(|part| {
        let words = last_words(part, 1);
        words.iter().any(|word| matches!(&**word, "not" | "never") || ends_with_not(word))
    })
}

/// A test of a character. Patterns of this one type share their code, which closures do not.
pub(super) type CharTest = fn(char) -> bool;

/// Maximum number of characters before or after a word that can belong to its clause.
const MAX_CLAUSE_CHARS: usize = 120;

/// Returns the part of a text after the last end of a clause.
pub(super) fn clause_before(text: &str) -> &str {
    let near = last_chars(text, MAX_CLAUSE_CHARS);
    let near = near.rfind(" - ").and_then(|at| near.get(at + 2..)).unwrap_or(near);
    let is_end: CharTest = is_clause_end;
    near.rsplit(is_end).next().unwrap_or_default()
}

/// Returns the part of a text before the first end of a clause.
fn clause_after(text: &str) -> &str {
    let near = first_chars(text, MAX_CLAUSE_CHARS);
    let near = near.find(" - ").and_then(|at| near.get(..at)).unwrap_or(near);
    let is_end: CharTest = is_clause_end;
    near.split(is_end).next().unwrap_or_default()
}

fn is_clause_end(c: char) -> bool {
    ".,;:!?\n\r()–—".contains(c)
}

/// Returns the last words of a text in lower case, the last one first.
pub(super) fn last_words(text: &str, count: usize) -> Vec<String> {
    let is_separator: CharTest = is_word_separator;
    let words = text.rsplit(is_separator).filter(|word| !word.is_empty());
    words.take(count).map(to_plain_word).collect()
}

/// Returns the first words of a text in lower case.
fn first_words(text: &str, count: usize) -> Vec<String> {
    let is_separator: CharTest = is_word_separator;
    let words = text.split(is_separator).filter(|word| !word.is_empty());
    words.take(count).map(to_plain_word).collect()
}

fn is_word_separator(c: char) -> bool {
    !is_word_char(c) && !"'’".contains(c)
}

/// Returns whether a list of phrases that are separated by `|` contains a phrase.
fn is_listed(phrases: &str, phrase: &str) -> bool {
    phrases.split('|').any(|listed| listed == phrase)
}

/// Returns whether a word in lower case is a negation.
pub(super) fn is_negation(word: &str) -> bool {
    contains_word(NEGATIONS, word) || word.strip_prefix("no") == Some("body") || ends_with_not(word)
}

pub(super) fn ends_with_not(word: &str) -> bool {
    word.ends_with("n't")
}

/// Converts a word to lower case with a straight apostrophe.
fn to_plain_word(word: &str) -> String {
    word.to_lowercase().replace('’', "'")
}

/// Verbs after which a negation denies the subject, as in "spam is not correct".
const COPULAS: &str = "is was are were be been seems looks appears does do did can could would \
                       should has had may might must it this";

/// Adjectives that deny the subject of a verb.
const DENIALS: &str = "wrong incorrect false unlikely excluded absent doubtful ruled rejected";

/// Words that begin another clause.
const CLAUSE_STARTS: &str = "\
    because since as that which who where when if with without and or but so though although while \
    for from given due based even";

/// Maximum number of words after a word that can deny it.
const MAX_DENIAL_WORDS: usize = 6;

/// Returns whether the rest of the clause after a word denies the word, as in "spam is not
/// correct" and "spam it is not".
pub(super) fn is_denied(after: &str) -> bool {
    let words = first_words(clause_after(after), MAX_DENIAL_WORDS + 1);
    let mut previous = "";
    for (index, word) in words.iter().enumerate().take(MAX_DENIAL_WORDS) {
        if contains_word(CLAUSE_STARTS, word) {
            return false;
        }
        let is_predicate = contains_word(COPULAS, previous);
        let is_last = index > 0 && index + 1 == words.len();
        let is_denial = match &**word {
            "no" | "none" | "without" | "nothing" => false,
            "cannot" => true,
            _ if ends_with_not(word) => true,
            _ if is_negation(word) => is_predicate || is_last,
            _ => is_predicate && contains_word(DENIALS, word),
        };
        if is_denial {
            return true;
        }
        previous = word;
    }
    false
}

/// Maximum number of characters after a word that are searched for the end of its sentence.
const MAX_SENTENCE_CHARS: usize = 300;

/// Returns the text after the question that a text is the rest of. Returns `None` if its first
/// sentence is not a question.
pub(super) fn after_question(after: &str) -> Option<&str> {
    let near = first_chars(after, MAX_SENTENCE_CHARS);
    let is_end: CharTest = |c| "?？.!。！\n\r".contains(c);
    let end = near.find(is_end)?;
    after.get(end..)?.strip_prefix(['?', '？'])
}

/// Returns at most a number of characters from the end of a text.
pub(super) fn last_chars(text: &str, count: usize) -> &str {
    let from = text.char_indices().rev().take(count).last().map_or(text.len(), |(at, _)| at);
    text.get(from..).unwrap_or_default()
}

/// Returns at most a number of characters from the start of a text.
pub(super) fn first_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{fold_case, is_negated};

    #[test]
    fn negation_is_detected_within_the_clause() {
        let negated = "It is not |isn’t really |I do not think it is |non-|never \"|anything but |\
                       far from |not what I would call a case of |It is not, I think, |Not: ";
        for before in negated.split('|') {
            assert!(is_negated(before), "{before}");
        }
        let affirmed = "|No, |Not sure. |not ham but |knot |not a b c d e f g h i j |No - |\
                        nothing but |there is no doubt that it is ";
        for before in affirmed.split('|') {
            assert!(!is_negated(before), "{before}");
        }
    }

    #[test]
    fn fold_case_maps_each_character_to_one_character() {
        assert_eq!(fold_case("ÀſKΣςẞı"), "àskσσßı");
    }
}
