//! Generates the content of a reply, which a dialect then converts to its wire format. The same
//! request always gets the same content.

use serde_json::{Value, json};

use crate::prompt_schema;
use crate::sample;
use crate::script::response::ScriptedResponse;

/// The maximum number of characters that a simulated reply quotes from the user's message.
const MAX_QUOTE: usize = 120;

/// A dialect-independent description of the completion that a request asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompletionSpec {
    pub(crate) model: String,
    /// The text of the last user message, or of the system message if there is no user message.
    pub(crate) last_message: String,
    /// The full text of the prompt.
    pub(crate) prompt: String,
    /// The maximum number of tokens in the completion.
    pub(crate) max_tokens: Option<u64>,
    /// The sequences that end the completion.
    pub(crate) stop_sequences: Vec<String>,
    pub(crate) output: OutputKind,
}

/// The kind of output that a request asks for.
#[derive(Debug, Clone, Default)]
pub(crate) enum OutputKind {
    /// Text. If the prompt contains a schema, the text is JSON that satisfies it.
    #[default]
    Text,
    /// A JSON object. If the prompt contains a schema, the object satisfies it.
    Json,
    /// JSON that satisfies this schema.
    Schema(Value),
    /// A call to the named tool.
    Tool {
        name: String,
        /// The schema of the arguments.
        schema: Value,
    },
}

/// The reply of the simulated model.
#[derive(Debug, Clone)]
pub(crate) struct Completion {
    pub(crate) content: Content,
    /// Why the completion ended.
    pub(crate) finish: FinishReason,
    /// The scripted stop reason, which replaces the stop reason that `finish` implies.
    pub(crate) stop_reason: Option<String>,
    /// The scripted usage object, in the provider's format.
    pub(crate) usage: Option<Value>,
    /// The number of tokens in the prompt.
    pub(crate) input_tokens: u64,
    /// The number of tokens in the completion.
    pub(crate) output_tokens: u64,
}

/// The content of a completion.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Text(String),
    /// A text, which may be empty, and calls of tools.
    ToolCalls {
        text: String,
        calls: Vec<ContentCall>,
    },
    /// A refusal with this text.
    Refusal(String),
    Empty,
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub(crate) struct ContentCall {
    pub(crate) name: String,
    /// The arguments as a JSON string, which may be truncated or malformed.
    pub(crate) arguments: String,
}

impl ContentCall {
    /// Returns the arguments as an object. Arguments that are not valid JSON become an empty one.
    pub(crate) fn object(&self) -> Value {
        let arguments = serde_json::from_str(&self.arguments).ok();
        arguments.filter(Value::is_object).unwrap_or_else(|| json!({}))
    }
}

/// Why a completion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FinishReason {
    /// The content is complete.
    Complete,
    /// The token limit was reached.
    TokenLimit,
    /// This stop sequence was generated.
    StopSequence(String),
}

/// Counts the tokens in a string. The simulator counts every four characters as one token, rounded
/// up.
pub(crate) fn count_tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// Generates the completion for a request. Scripted content takes precedence over simulated
/// content.
pub(crate) fn complete(spec: &CompletionSpec, scripted: Option<&ScriptedResponse>) -> Completion {
    let mut stop_reason = None;
    let mut usage = None;
    let content = match scripted {
        Some(ScriptedResponse::Text { text, stop_reason: reason, usage: scripted_usage }) => {
            stop_reason.clone_from(reason);
            usage.clone_from(scripted_usage);
            Content::Text(text.clone())
        }
        Some(ScriptedResponse::ToolCalls { text, calls }) => {
            let calls = calls.iter().map(|call| ContentCall {
                name: call.name.clone(),
                arguments: match &call.arguments {
                    Value::Null => "{}".to_owned(),
                    Value::String(text) => text.clone(),
                    arguments => arguments.to_string(),
                },
            });
            Content::ToolCalls { text: text.clone(), calls: calls.collect() }
        }
        Some(ScriptedResponse::Refusal(text)) => Content::Refusal(text.clone()),
        Some(ScriptedResponse::Empty) => Content::Empty,
        _ => simulated_content(spec),
    };
    let (content, finish) = match stop_reason {
        Some(_) => (content, FinishReason::Complete),
        None => truncate(content, spec),
    };
    let output_tokens = match &content {
        Content::Text(text) | Content::Refusal(text) => count_tokens(text),
        Content::ToolCalls { text, calls } => {
            let tokens =
                |call: &ContentCall| count_tokens(&call.name) + count_tokens(&call.arguments);
            count_tokens(text) + calls.iter().map(tokens).sum::<u64>()
        }
        Content::Empty => 0,
    };
    let input_tokens = count_tokens(&spec.prompt);
    Completion { content, finish, stop_reason, usage, input_tokens, output_tokens }
}

fn simulated_content(spec: &CompletionSpec) -> Content {
    let json_for =
        |schema: &Value| sample::value_for(schema).unwrap_or_else(|| json!({})).to_string();
    let text = match &spec.output {
        OutputKind::Tool { name, schema } => {
            let (name, arguments) = (name.clone(), json_for(schema));
            return Content::ToolCalls {
                text: String::new(),
                calls: vec![ContentCall { name, arguments }],
            };
        }
        OutputKind::Schema(schema) => json_for(schema),
        OutputKind::Json => match prompt_schema::find(&spec.prompt) {
            Some(schema) => json_for(&schema),
            None => json!({"simulated": true}).to_string(),
        },
        OutputKind::Text => match prompt_schema::find(&spec.prompt) {
            Some(schema) => json_for(&schema),
            None if asks_for_list(&spec.prompt) => {
                "- Simulated item 1\n- Simulated item 2\n- Simulated item 3".to_owned()
            }
            None => {
                let quoted = quote(&spec.last_message);
                format!("Simulated reply from {} to: \"{quoted}\"", spec.model)
            }
        },
    };
    Content::Text(text)
}

/// Whether a prompt asks for a list, in which case the simulated reply is a list.
fn asks_for_list(prompt: &str) -> bool {
    let words = prompt.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let normalized = format!(" {} ", words.collect::<Vec<_>>().join(" "));
    [" a list ", " the list ", " numbered list ", " bullet points "]
        .iter()
        .any(|phrase| normalized.contains(phrase))
}

fn quote(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > MAX_QUOTE {
        text.chars().take(MAX_QUOTE - 1).chain(['…']).collect()
    } else {
        text
    }
}

/// Truncates the content at the first stop sequence and at the token limit.
fn truncate(content: Content, spec: &CompletionSpec) -> (Content, FinishReason) {
    match content {
        Content::Text(text) => {
            let (text, finish) = truncate_text(text, spec);
            (Content::Text(text), finish)
        }
        Content::ToolCalls { text, mut calls } => {
            let mut limit = spec.max_tokens;
            let mut finish = FinishReason::Complete;
            for call in &mut calls {
                limit = limit.map(|limit| limit.saturating_sub(count_tokens(&call.name)));
                let tokens = count_tokens(&call.arguments);
                if let Some(arguments) = limit_tokens(&call.arguments, limit) {
                    call.arguments = arguments;
                    finish = FinishReason::TokenLimit;
                }
                limit = limit.map(|limit| limit.saturating_sub(tokens));
            }
            (Content::ToolCalls { text, calls }, finish)
        }
        Content::Refusal(_) | Content::Empty => (content, FinishReason::Complete),
    }
}

fn truncate_text(mut text: String, spec: &CompletionSpec) -> (String, FinishReason) {
    let first_stop = spec
        .stop_sequences
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop)))
        .min_by_key(|(at, _)| *at);
    let mut finish = FinishReason::Complete;
    if let Some((at, stop)) = first_stop {
        text.truncate(at);
        finish = FinishReason::StopSequence(stop.clone());
    }
    match limit_tokens(&text, spec.max_tokens) {
        Some(text) => (text, FinishReason::TokenLimit),
        None => (text, finish),
    }
}

/// Returns the first `limit` tokens of the text, or `None` if the text is within the limit.
fn limit_tokens(text: &str, limit: Option<u64>) -> Option<String> {
    let limit = limit.filter(|limit| count_tokens(text) > *limit)?;
    let characters = usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX);
    Some(text.chars().take(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(message: &str) -> CompletionSpec {
        let (last_message, prompt) = (message.to_owned(), message.to_owned());
        CompletionSpec { model: "m".to_owned(), last_message, prompt, ..CompletionSpec::default() }
    }

    fn text(completion: &Completion) -> &str {
        match &completion.content {
            Content::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_prompt_for_a_list_gets_a_list() {
        assert!(text(&complete(&spec("Answer with a list."), None)).starts_with("- Simulated"));
        assert!(text(&complete(&spec("Listen, a lister!"), None)).starts_with("Simulated reply"));
    }

    #[test]
    fn the_quoted_message_is_collapsed_and_shortened() {
        let short = complete(&spec("a \n b"), None);
        assert_eq!(text(&short), "Simulated reply from m to: \"a b\"");
        let long = complete(&spec(&"x".repeat(500)), None);
        assert_eq!(text(&long).chars().count(), "Simulated reply from m to: \"\"".len() + 120);
    }

    #[test]
    fn text_is_truncated_at_the_limit_and_at_stop_sequences() {
        let limited = complete(&CompletionSpec { max_tokens: Some(2), ..spec("hello") }, None);
        assert_eq!((text(&limited), &limited.finish), ("Simulate", &FinishReason::TokenLimit));
        let stop_sequences = vec!["reply".to_owned(), "lated".to_owned()];
        let stopped = complete(&CompletionSpec { stop_sequences, ..spec("hello") }, None);
        let finish = FinishReason::StopSequence("lated".to_owned());
        assert_eq!((text(&stopped), &stopped.finish), ("Simu", &finish));
    }
}
