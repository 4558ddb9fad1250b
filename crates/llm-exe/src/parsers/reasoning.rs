//! Skips the reasoning at the start of a reply. Servers that do not separate it from the answer
//! send it as text, in tags that depend on the model.

use super::js_text::is_space;

/// Names of tags that enclose reasoning, such as `<think>`. They may have attributes.
const TAGS: &[&str] = &["think", "thinking", "reasoning", "thought", "seed:think"];

/// Other marks that enclose reasoning: of Magistral, Kimi and Command A.
const MARKS: &[(&str, &str)] =
    &[("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<|START_THINKING|>", "<|END_THINKING|>")];

/// The error for a reply that contains only reasoning.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply contains no answer: its reasoning does not end")]
pub(super) struct EndlessReasoning;

/// Returns the reply without the reasoning at its start.
///
/// The opening tag can be missing, because some chat templates add it to the prompt. A closing tag
/// without an opening tag ends the reasoning if it begins or ends a line, or if JSON follows it.
///
/// # Errors
/// Returns an error if the reasoning does not end.
pub(super) fn skip_reasoning(reply: &str) -> Result<&str, EndlessReasoning> {
    let mut rest = reply;
    loop {
        let text = rest.trim_start_matches(is_space);
        if let Some(block) = find_block(text) {
            rest = block.ok_or(EndlessReasoning)?;
        } else if let Some(answer) = find_unopened(text) {
            rest = answer;
        } else {
            return Ok(rest);
        }
    }
}

/// Returns the text after the block of reasoning at the start of a text. Returns `None` if the text
/// does not start with one, and `Some(None)` if the block does not end.
fn find_block(text: &str) -> Option<Option<&str>> {
    if let Some((open, close)) = MARKS.iter().find(|(open, _)| text.starts_with(open)) {
        let inner = text.get(open.len()..)?;
        return Some(inner.split_once(close).map(|(_, answer)| answer));
    }
    let tag = TAGS.iter().find_map(|name| Some((name, starts_with_tag(text, "<", name)?)));
    let (name, inner) = tag?;
    if text.get(..text.len() - inner.len())?.ends_with("/>") {
        return Some(Some(inner));
    }
    Some(after_closing(inner, name))
}

/// Returns the text after a tag at the start of a text. `prefix` is `<` or `</`.
fn starts_with_tag<'t>(text: &'t str, prefix: &str, name: &str) -> Option<&'t str> {
    let inner = text.strip_prefix(prefix)?;
    let (tag, rest) = (inner.get(..name.len())?, inner.get(name.len()..)?);
    let ends = rest.starts_with(['>', '/']) || rest.starts_with(is_space);
    if !ends || !tag.eq_ignore_ascii_case(name) {
        return None;
    }
    let end = rest.find(['>', '<'])?;
    rest.get(end..)?.strip_prefix('>')
}

/// Returns the text after the first closing tag of a name.
fn after_closing<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut tags = text.match_indices("</");
    tags.find_map(|(at, _)| starts_with_tag(text.get(at..)?, "</", name))
}

/// Returns the text after reasoning whose opening tag is missing.
fn find_unopened(text: &str) -> Option<&str> {
    let (mut is_in_quotes, mut is_escaped) = (false, false);
    let mut from = 0;
    for (at, _) in text.match_indices('<') {
        for byte in text.get(from..at)?.bytes() {
            is_in_quotes = match byte {
                b'"' => is_in_quotes == is_escaped,
                b'\n' | b'\r' => false,
                _ => is_in_quotes,
            };
            is_escaped = byte == b'\\' && is_in_quotes && !is_escaped;
        }
        from = at;
        let tag = text.get(at..)?;
        // The first letters of the tags.
        if !matches!(tag.as_bytes().get(1), Some(b'/' | b't' | b'T' | b'r' | b'R' | b's' | b'S')) {
            continue;
        }
        if TAGS.iter().any(|name| starts_with_tag(tag, "<", name).is_some()) {
            return None;
        }
        let answer = TAGS.iter().find_map(|name| starts_with_tag(tag, "</", name));
        if let Some(answer) = answer
            && (is_line_end(text.get(..at)?, answer) || (!is_in_quotes && begins_json(answer)))
        {
            return Some(answer);
        }
    }
    None
}

/// Returns whether a tag begins or ends a line. Strings in JSON have only one line.
fn is_line_end(before: &str, after: &str) -> bool {
    let is_blank = |c: char| is_space(c) && c != '\n' && c != '\r';
    let before = before.trim_end_matches(is_blank);
    let after = after.trim_start_matches(is_blank);
    let begins_line = before.is_empty() || before.ends_with(['\n', '\r']);
    begins_line || after.is_empty() || after.starts_with(['\n', '\r'])
}

fn begins_json(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    text.starts_with(['{', '[']) || text.starts_with("```")
}

#[cfg(test)]
mod tests {
    use super::{EndlessReasoning, skip_reasoning};

    #[test]
    fn reasoning_at_the_start_is_skipped() {
        for reply in [
            "<think>maybe {\"a\": 2}</think>7",
            "  \n<think>\nx\n</think>7",
            "\u{feff}<think>x</think>7",
            "<think></think>7",
            "<think/>7",
            "<THINK >x</think\n>7",
            "<thinking type=\"deep\">x</thinking>7",
            "<reasoning\nid='1'>x </think> y</reasoning>7",
            "<thought>x</thought>7",
            "<seed:think>x</seed:think>7",
            "<think>x</think>\n<think>y</think>7",
            "<think>x</think><reasoning>y</reasoning>7",
            "<think>I end with </think> and then 6.\n</think>\n7",
            "[THINK]x[/THINK]7",
            "◁think▷x◁/think▷7",
            "<|START_THINKING|>x<|END_THINKING|>7",
            "x\n</think>7",
            "x {\"a\":2}</think>\n\n7",
            "</think>7",
            "x < y\n</thinking>\n7",
            "I use `</think>` and\n</think>\n7",
        ] {
            assert_eq!(skip_reasoning(reply).map(str::trim), Ok("7"), "{reply}");
        }
        assert_eq!(skip_reasoning("x</think>{\"a\":3}"), Ok("{\"a\":3}"));
        assert_eq!(skip_reasoning("x</think> ```json\n1\n```"), Ok(" ```json\n1\n```"));
    }

    #[test]
    fn reasoning_that_does_not_end_is_an_error() {
        for reply in
            ["<think>maybe {\"a\": 2}", "<think>", "<think>x</thinking>7", "[THINK]x", "◁think▷"]
        {
            assert_eq!(skip_reasoning(reply), Err(EndlessReasoning), "{reply}");
        }
    }

    #[test]
    fn other_text_is_unchanged() {
        for reply in [
            "",
            "7",
            "<thinker>x</thinker>7",
            "<p>x</p>",
            "{\"a\": \"use </think> here\"}",
            "Sure: {\"a\": \"</think>\"}",
            "[\"<think>x</think>\"]",
            "So: [\"</think>{}\"]",
            "So: {\"a\": \"\\\" </think> {\"}",
            "The tag </think> ends the block.",
            "- `</think>` is a tag\n- b",
            "```html\n<think>\nx\n</think>\n```",
            "Answer: <think>x</think>",
        ] {
            assert_eq!(skip_reasoning(reply), Ok(reply), "{reply}");
        }
    }

    #[test]
    fn the_time_grows_with_the_length() {
        let start = std::time::Instant::now();
        for piece in ["<", "</", "</think ", "<think ", "</think x>", "<think></think>", "</think>"]
        {
            for start in ["", "<think>", "x"] {
                let _ = skip_reasoning(&format!("{start}{}", piece.repeat(100_000 / piece.len())));
            }
        }
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }
}
