//! Finds quotes of a chat in error messages.
//!
//! Providers shorten texts, fold their white space and change their case, so words are compared.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::chat::{Chat, Message, Part, Structure, ToolContent};

/// Number of words in a row that count as a quote. Messages and texts share shorter runs, such as
/// "is not", by chance.
const RUN_WORDS: usize = 3;
/// Length of the beginning and the end of a text that are searched in a message, in bytes.
const END_BYTES: usize = 40;

/// What a message quotes of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    /// Words that contain the name of an option or a number.
    Words,
    /// A whole text, or its beginning or end.
    Text,
}

/// Returns what a message quotes of a chat. `is_name` returns whether a word is the name of an
/// option. Only quotes with a name or a number count, because these are what is read from the
/// message.
pub(super) fn find_quote(message: &str, chat: &Chat, is_name: impl Fn(&str) -> bool) -> Quote {
    let message = normalize(message);
    let is_read = |words: &str| {
        words.split(' ').any(|word| is_name(word) || word.starts_with(|c: char| c.is_ascii_digit()))
    };
    let runs: HashSet<&str> = runs(&message).filter(|run| is_read(run)).collect();
    let mut quote = Quote::None;
    for text in texts(chat) {
        let text = normalize(&text);
        let text = text.trim();
        let start = text.get(..text.floor_char_boundary(END_BYTES)).unwrap_or_default();
        let end_at = text.ceil_char_boundary(text.len().saturating_sub(END_BYTES));
        let end = text.get(end_at..).unwrap_or_default();
        let is_whole = start.len() == text.len();
        let is_quoted = if is_whole {
            is_read(text) && message.contains(&format!(" {text} "))
        } else {
            message.contains(&format!(" {start}")) || message.contains(&format!("{end} "))
        };
        if is_quoted && text.contains(' ') {
            return Quote::Text;
        }
        if is_quoted || self::runs(text).any(|run| runs.contains(run)) {
            quote = Quote::Words;
        }
    }
    quote
}

/// Returns the words of a text in lower case, with a space before and after each of them. A line
/// break that JSON escaped separates words, too.
fn normalize(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next_if(|next| matches!(next, 'n' | 'r' | 't'));
        }
        if c.is_alphanumeric() || c == '_' {
            words.extend(c.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// Returns all runs of [`RUN_WORDS`] words.
fn runs(words: &str) -> impl Iterator<Item = &str> {
    let words = words.trim();
    let starts = std::iter::once(0).chain(words.match_indices(' ').map(|(at, _)| at + 1));
    let spaces = words.match_indices(' ').map(|(at, _)| at);
    let ends = spaces.chain(std::iter::once(words.len())).skip(RUN_WORDS - 1);
    starts.zip(ends).filter_map(|(start, end)| words.get(start..end))
}

/// Returns the texts of a chat that the caller could have written.
fn texts(chat: &Chat) -> impl Iterator<Item = Cow<'_, str>> {
    let schema = match &chat.structure {
        Structure::Native { schema, .. } | Structure::ForcedTool { schema, .. } => Some(schema),
        Structure::Free | Structure::JsonMode | Structure::PromptOnly => None,
    };
    let tools = chat.tools.iter();
    let descriptions = tools.clone().filter_map(|tool| tool.description.as_deref());
    let schemas = schema.into_iter().chain(tools.map(|tool| &tool.parameters));
    let stops = chat.sampling.stop_sequences.iter().map(String::as_str);
    let messages = chat.messages.iter().flat_map(message_texts);
    let others = stops.chain(descriptions).map(Cow::Borrowed);
    messages.chain(others).chain(schemas.map(|schema| Cow::Owned(schema.to_string())))
}

fn message_texts(message: &Message) -> impl Iterator<Item = Cow<'_, str>> {
    message.parts.iter().map(|part| match part {
        Part::Text(text) => Cow::Borrowed(text.as_str()),
        Part::Media(media) if media.url.starts_with("data:") => Cow::Borrowed(""),
        Part::Media(media) => Cow::Borrowed(media.url.as_str()),
        Part::ToolCall(call) => Cow::Borrowed(call.arguments.as_str()),
        Part::ToolResult(result) => match &result.content {
            ToolContent::Text(text) => Cow::Borrowed(text.as_str()),
            ToolContent::Json(value) => Cow::Owned(value.to_string()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{Quote, find_quote, runs};
    use crate::chat::{Chat, Media, Message, Part, Role, Structure, Tool};

    fn quote(message: &str, chat: &Chat) -> Quote {
        find_quote(message, chat, |word| word == "seed")
    }

    #[test]
    fn runs_have_three_words() {
        assert_eq!(runs("a b c d").collect::<Vec<_>>(), ["a b c", "b c d"]);
        assert_eq!(runs(" a b c ").collect::<Vec<_>>(), ["a b c"]);
        assert_eq!(runs("a b").count(), 0);
        assert_eq!(runs("").count(), 0);
    }

    #[test]
    fn quotes_are_found_in_all_parts_of_a_chat() {
        let message = "Invalid: Unsupported parameter 'seed'";
        let texts = |text: &str| Chat::new("m", vec![Message::text(Role::User, text)]);
        for (text, expected) in [
            ("unsupported\n\nPARAMETER: seed", Quote::Text),
            ("Unsupported parameter", Quote::None),
            ("parameter seed", Quote::Text),
            ("seed", Quote::Words),
            ("parameter", Quote::None),
            ("", Quote::None),
            (
                "The server returned an unsupported parameter. Seed the lawn in spring.",
                Quote::Words,
            ),
            ("The server returned an unsupported field. Seed the lawn in spring.", Quote::None),
        ] {
            assert_eq!(quote(message, &texts(text)), expected, "{text}");
        }
        let schema = serde_json::json!({"description": "An unsupported parameter: seed!"});
        let mut chat = Chat::new("m", Vec::new());
        chat.structure =
            Structure::Native { name: "n".to_owned(), schema: schema.clone(), strict: true };
        assert_eq!(quote(message, &chat), Quote::Words);
        chat.structure = Structure::Free;
        assert_eq!(quote(message, &chat), Quote::None);
        chat.tools = vec![Tool::new("f", schema)];
        assert_eq!(quote(message, &chat), Quote::Words);
        let url = Part::Media(Media::new("https://x.example/unsupported/parameter/seed"));
        let mut user = Message::text(Role::User, "Hi");
        user.parts.push(url);
        assert_eq!(quote(message, &Chat::new("m", vec![user])), Quote::Words);
    }

    #[test]
    fn beginning_and_end_of_a_long_text_are_a_quote() {
        let text = "Please write a long story about a farmer who had a red barn and a blue dog.";
        let chat = Chat::new("m", vec![Message::text(Role::User, text)]);
        let cases = [
            ("Blocked: please write a long story about a farmer who had a red ba...", Quote::Text),
            (r"Blocked: ...A farmer, who had\na red barn and a blue dog. seed", Quote::Text),
            ("A long story about a farmer is not allowed", Quote::None),
        ];
        for (message, expected) in cases {
            assert_eq!(quote(message, &chat), expected, "{message}");
        }
    }
}
