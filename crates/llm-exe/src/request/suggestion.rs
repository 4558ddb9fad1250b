//! Creates "did you mean" suggestions for misspelled names.

/// Maximum length in bytes of a name to compare with known names. Comparing two names takes time
/// proportional to the product of their lengths.
const MAX_NAME_LENGTH: usize = 40;

/// Maximum number of known names to compare a name with.
const MAX_COMPARED: usize = 1_000;

/// Returns ` (did you mean NAME?)` if a known name is similar to `name`, and an empty string
/// otherwise. Messages append it to the quoted name.
pub fn suggestion<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    nearest(name, known).map(did_you_mean).unwrap_or_default()
}

pub(super) fn did_you_mean(name: impl std::fmt::Display) -> String {
    format!(" (did you mean {name}?)")
}

/// Returns the most similar known name, if it differs by at most two edits. Case and separators are
/// ignored.
pub(super) fn nearest<'a, S: AsRef<str>>(name: &str, known: &'a [S]) -> Option<&'a str> {
    if name.len() > MAX_NAME_LENGTH {
        return None;
    }
    let normalize = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let normalized = normalize(name);
    known
        .iter()
        .map(AsRef::as_ref)
        .take(MAX_COMPARED)
        .filter(|known: &&str| known.len() <= 2 * MAX_NAME_LENGTH)
        .map(|known: &str| (strsim::damerau_levenshtein(&normalize(known), &normalized), known))
        .filter(|(distance, known)| *distance <= 2 && *distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn similar_names_are_suggested() {
        let known = ["system", "user", "maxTokens"];
        assert_eq!(suggestion("sytem", &known), " (did you mean system?)");
        assert_eq!(suggestion("max_tokens", &known), " (did you mean maxTokens?)");
        assert_eq!(suggestion("robot", &known), "");
        assert_eq!(suggestion(&"system".repeat(10), &known), "");
    }
}
