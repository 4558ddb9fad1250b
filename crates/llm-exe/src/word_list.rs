//! Lists of words and phrases in one text. The dynamic linker adjusts the address of each item of a
//! list of texts at every start.

/// Returns whether a list of words that are separated by white space contains a word.
pub(crate) fn contains_word(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

/// Returns whether a text contains one of the phrases in a list, which are separated by `|`.
pub(crate) fn contains_phrase(text: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| text.contains(phrase))
}
