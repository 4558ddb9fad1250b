//! Matches strings against glob patterns, in which `*` matches any number of characters.

/// Returns whether `text` matches `pattern`, without backtracking.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, pattern)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = match pattern.rsplit_once('*') {
        Some((middle, last)) => (Some(middle), last),
        None => (None, pattern),
    };
    for piece in middle.into_iter().flat_map(|middle| middle.split('*')) {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn star_matches_any_text() {
        for (pattern, text, expected) in [
            ("openai:gpt-4o*", "openai:gpt-4o-mini", true),
            ("openai:gpt-4o*", "openai:gpt-4o", true),
            ("openai:gpt-4o", "openai:gpt-4o-mini", false),
            ("openai:*", "xai:gpt-4o", false),
            ("*", "any:thing", true),
            ("*:gpt*mini", "openai:gpt-4o-mini", true),
            ("*:gpt*mini", "openai:gpt-4o-mini-high", false),
            ("amazon:*claude*-v1:0", "amazon:us.anthropic.claude-opus-4-1-v1:0", true),
            ("a:b*b", "a:b", false),
            ("a:**b", "a:xb", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
