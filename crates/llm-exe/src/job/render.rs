//! A compiled prompt with a job's data: messages, and what was odd about them.

use serde_json::Value;

use super::messages::{Conversation, TemplateMessage, TemplatePart};
use super::{Job, history};
use crate::chat::{Message, Part};
use crate::error::{Error, Problem};
use crate::json;
use crate::prompt::{Limits, Scope};

/// The rendered messages, with what was odd about them.
#[derive(Debug, Clone)]
pub struct RenderedChat {
    /// At least one message, each with content.
    pub messages: Vec<Message>,
    /// Missing variables and messages that came out empty.
    pub warnings: Vec<String>,
}

impl Conversation {
    /// `sha256:` and the hash of the prompt as written.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Renders the messages with a job's data.
    ///
    /// # Errors
    /// `PromptInvalid` for a template that can't be rendered, for missing variables in strict
    /// mode (all of them), and where nothing at all comes out.
    pub fn render(&self, job: &Job, limits: &Limits) -> Result<RenderedChat, Error> {
        let extra: Vec<(&str, &Value)> =
            job.schema.iter().map(|schema| ("schema", schema)).collect();
        let scope = Scope { data: &job.data, extra: &extra };
        let mut chat = RenderedChat { messages: Vec::new(), warnings: Vec::new() };
        let mut problems = Vec::new();
        for message in &self.messages {
            if let Some(key) = message.history() {
                history::expand(key, message, job, &mut chat, &mut problems);
                continue;
            }
            let content = message.content(job, &scope, limits, &mut chat.warnings, &mut problems);
            if content.is_empty() {
                let text = format!("{}: rendered to nothing and was left out", message.path);
                chat.warnings.push(text);
            } else {
                chat.messages.push(Message { role: message.role, content });
            }
        }
        if !problems.is_empty() {
            return Err(Error::from_problems(problems));
        }
        if chat.messages.is_empty() {
            let problem = Problem::prompt("message", "every message rendered to nothing");
            return Err(Error::from_problems(vec![problem]));
        }
        Ok(chat)
    }
}

impl TemplateMessage {
    /// The name in `data` of the conversation that this message stands for, if it is nothing but
    /// `{{> DialogueHistory key='…'}}`.
    fn history(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [TemplatePart { image: false, template, .. }] => template.dialogue_history_key(),
            _ => None,
        }
    }

    fn content(
        &self,
        job: &Job,
        scope: &Scope<'_>,
        limits: &Limits,
        warnings: &mut Vec<String>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Part> {
        let mut content = Vec::new();
        for part in &self.parts {
            let rendered = match part.template.render(scope, limits) {
                Ok(rendered) => rendered,
                Err(fault) => {
                    problems.push(Problem::prompt(&part.path, fault.to_string()));
                    continue;
                }
            };
            for missing in &rendered.missing {
                let (name, line, column) = (&missing.path, missing.line, missing.column);
                let text = format!("`{name}` is not in data (line {line}, column {column})");
                note_missing(job, &part.path, &text, warnings, problems);
            }
            content.extend(rendered_part(part, rendered.text, problems));
        }
        content
    }
}

/// A missing variable is an error in strict mode, else a warning.
pub(super) fn note_missing(
    job: &Job,
    path: &str,
    text: &str,
    warnings: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    if job.strict_variables {
        problems.push(Problem::prompt(path, text));
    } else {
        warnings.push(format!("{path}: {text}"));
    }
}

/// The rendered part; `None` for text that came out empty.
fn rendered_part(part: &TemplatePart, text: String, problems: &mut Vec<Problem>) -> Option<Part> {
    if !part.image {
        return (!text.trim().is_empty()).then_some(Part::Text(text));
    }
    let url = text.trim().to_owned();
    if url.starts_with("https://") || url.starts_with("data:") {
        return Some(Part::Image { url });
    }
    let text = format!("expected an https: or data: URL, got {}", json::quoted(&url));
    problems.push(Problem::request(&part.path, text));
    None
}
