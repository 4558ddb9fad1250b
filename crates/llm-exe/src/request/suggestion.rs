//! "Did you mean" suggestions for misspelled names.

/// Maximum length of a name for which a similar one is looked up, because the comparison takes
/// time proportional to the product of the lengths.
const MAX_NAME_LENGTH: usize = 40;

/// ` (did you mean NAME?)` if a known name is similar to `name`, else nothing. Goes directly after
/// the quoted name in a message.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    nearest(name, known).map(did_you_mean).unwrap_or_default()
}

pub(super) fn did_you_mean(name: impl std::fmt::Display) -> String {
    format!(" (did you mean {name}?)")
}

/// The known name that is most similar: it differs in case, in underscores, or by two edits.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > MAX_NAME_LENGTH {
        return None;
    }
    let normalize = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let normalized = normalize(name);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&normalize(known), &normalized), *known))
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
