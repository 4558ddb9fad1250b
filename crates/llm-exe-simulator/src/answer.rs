//! What the simulated model says, before a dialect gives it its shape.
//!
//! In: a `Wish`, which is what a dialect read out of a request, and the scripted answer, if any.
//! Out: an `Answer`. The same wish always gets the same answer.

use crate::prompt_schema;
use crate::sample;
use crate::then::Then;
use serde_json::{Value, json};

const QUOTED_CHARACTERS: usize = 120;

/// What a request asks for, whatever its dialect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// The model's name.
    pub(crate) model: String,
    /// The text of the last user message, or of the last system message.
    pub(crate) said: String,
    /// All of the prompt's text.
    pub(crate) prompt: String,
    /// How many tokens the answer may have.
    pub(crate) limit: Option<u64>,
    /// The sequences at which it stops.
    pub(crate) stops: Vec<String>,
    /// What sort of answer is wanted.
    pub(crate) wanted: Wanted,
}

/// What sort of answer is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) enum Wanted {
    /// Text, unless the prompt itself holds a schema.
    #[default]
    Text,
    /// Some JSON object, of the schema in the prompt if it holds one.
    Json,
    /// JSON of this schema.
    Schema(Value),
    /// A call of this tool, whose parameters are of this schema.
    Tool {
        /// The tool's name.
        name: String,
        /// The schema of its arguments.
        schema: Value,
    },
}

/// What the simulated model says.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The content.
    pub(crate) content: Content,
    /// Why it ends.
    pub(crate) ended: Ended,
    /// The stop reason that a script asks for.
    pub(crate) stop_reason: Option<String>,
    /// The usage object that a script asks for.
    pub(crate) usage: Option<Value>,
    /// The prompt's tokens.
    pub(crate) input_tokens: u64,
    /// The answer's tokens.
    pub(crate) output_tokens: u64,
}

/// The content of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A text.
    Text(String),
    /// A tool call; `arguments` as JSON text, which may be cut off.
    ToolCall {
        /// The tool's name.
        name: String,
        /// The arguments as JSON text.
        arguments: String,
    },
    /// The model declines.
    Refusal(String),
    /// Nothing.
    Empty,
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was complete.
    Naturally,
    /// The limit of tokens was reached.
    AtLimit,
    /// This stop sequence came.
    AtStop(String),
}

/// Tokens by the simulator's rule: a token is four characters, or what is left of them.
pub(crate) fn tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// What the simulated model says.
pub(crate) fn answer(wish: &Wish, then: Option<&Then>) -> Answer {
    let mut stop_reason = None;
    let mut usage = None;
    let content = match then {
        Some(Then::Text { text, stop_reason: reason, usage: counted }) => {
            stop_reason.clone_from(reason);
            usage.clone_from(counted);
            Content::Text(text.clone())
        }
        Some(Then::ToolCall { name, arguments }) => {
            let arguments = match arguments {
                Value::Null => json!({}),
                arguments => arguments.clone(),
            };
            Content::ToolCall { name: name.clone(), arguments: arguments.to_string() }
        }
        Some(Then::Refusal(text)) => Content::Refusal(text.clone()),
        Some(Then::Empty) => Content::Empty,
        Some(Then::Status { .. } | Then::Json(_) | Then::Fault(_)) | None => simulated(wish),
    };
    let (content, ended) = match stop_reason {
        Some(_) => (content, Ended::Naturally),
        None => cut(content, wish),
    };
    let output_tokens = match &content {
        Content::Text(text) | Content::Refusal(text) => tokens(text),
        Content::ToolCall { name, arguments } => tokens(name) + tokens(arguments),
        Content::Empty => 0,
    };
    let input_tokens = tokens(&wish.prompt);
    Answer { content, ended, stop_reason, usage, input_tokens, output_tokens }
}

fn simulated(wish: &Wish) -> Content {
    let of_schema = |schema: &Value| sample::value_for(schema).unwrap_or_else(|| json!({}));
    match &wish.wanted {
        Wanted::Tool { name, schema } => {
            let arguments = of_schema(schema).to_string();
            Content::ToolCall { name: name.clone(), arguments }
        }
        Wanted::Schema(schema) => Content::Text(of_schema(schema).to_string()),
        Wanted::Json => Content::Text(match prompt_schema::find(&wish.prompt) {
            Some(schema) => of_schema(&schema).to_string(),
            None => json!({"simulated": true}).to_string(),
        }),
        Wanted::Text => Content::Text(match prompt_schema::find(&wish.prompt) {
            Some(schema) => of_schema(&schema).to_string(),
            None if asks_for_list(&wish.prompt) => {
                "- Simulated item 1\n- Simulated item 2\n- Simulated item 3".to_owned()
            }
            None => format!("Simulated reply from {} to: \"{}\"", wish.model, quote(&wish.said)),
        }),
    }
}

/// Whether a prompt asks for a list, as a model would understand it.
fn asks_for_list(prompt: &str) -> bool {
    let words = prompt.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let plain = format!(" {} ", words.collect::<Vec<_>>().join(" "));
    [" a list ", " the list ", " numbered list ", " bullet points "]
        .iter()
        .any(|phrase| plain.contains(phrase))
}

fn quote(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() > QUOTED_CHARACTERS {
        true => text.chars().take(QUOTED_CHARACTERS - 1).chain(['…']).collect(),
        false => text,
    }
}

/// Cuts the content at the first stop sequence, then at the limit.
fn cut(content: Content, wish: &Wish) -> (Content, Ended) {
    match content {
        Content::Text(text) => {
            let (text, ended) = cut_text(text, wish);
            (Content::Text(text), ended)
        }
        Content::ToolCall { name, arguments } => {
            let left = wish.limit.map(|limit| limit.saturating_sub(tokens(&name)));
            match shorten(&arguments, left) {
                Some(arguments) => (Content::ToolCall { name, arguments }, Ended::AtLimit),
                None => (Content::ToolCall { name, arguments }, Ended::Naturally),
            }
        }
        Content::Refusal(_) | Content::Empty => (content, Ended::Naturally),
    }
}

fn cut_text(mut text: String, wish: &Wish) -> (String, Ended) {
    let found = wish
        .stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop)))
        .min_by_key(|(at, _)| *at);
    let mut ended = Ended::Naturally;
    if let Some((at, stop)) = found {
        text.truncate(at);
        ended = Ended::AtStop(stop.clone());
    }
    match shorten(&text, wish.limit) {
        Some(text) => (text, Ended::AtLimit),
        None => (text, ended),
    }
}

/// The beginning of the text, if all of it has more tokens than the limit.
fn shorten(text: &str, limit: Option<u64>) -> Option<String> {
    let limit = limit.filter(|limit| tokens(text) > *limit)?;
    let characters = usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX);
    Some(text.chars().take(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(said: &str) -> Wish {
        let (said, prompt) = (said.to_owned(), said.to_owned());
        Wish { model: "m".to_owned(), said, prompt, ..Wish::default() }
    }

    fn text(answer: &Answer) -> &str {
        match &answer.content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_a_list_where_one_is_asked_for() {
        assert!(text(&answer(&wish("Answer with a list."), None)).starts_with("- Simulated"));
        assert!(text(&answer(&wish("Listen, a lister!"), None)).starts_with("Simulated reply"));
    }

    #[test]
    fn collapses_and_shortens() {
        let short = answer(&wish("a \n b"), None);
        assert_eq!(text(&short), "Simulated reply from m to: \"a b\"");
        let long = answer(&wish(&"x".repeat(500)), None);
        assert_eq!(text(&long).chars().count(), "Simulated reply from m to: \"\"".len() + 120);
    }

    #[test]
    fn cuts_at_limit_and_stop() {
        let limited = answer(&Wish { limit: Some(2), ..wish("hello") }, None);
        assert_eq!((text(&limited), &limited.ended), ("Simulate", &Ended::AtLimit));
        let stops = vec!["reply".to_owned(), "lated".to_owned()];
        let stopped = answer(&Wish { stops, ..wish("hello") }, None);
        let ended = Ended::AtStop("lated".to_owned());
        assert_eq!((text(&stopped), &stopped.ended), ("Simu", &ended));
    }
}
