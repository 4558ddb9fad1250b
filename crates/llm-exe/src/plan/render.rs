//! A compiled prompt with a plan's data: messages, and what was odd about them.

use std::time::Instant;

use serde_json::{Map, Value};

use super::messages::{Prompt, TemplateMessage, TemplatePart};
use super::{Plan, history};
use crate::chat::{Message, Part};
use crate::error::{Error, Problem};
use crate::json;
use crate::prompt::{Limits, Rendered, Scope, TemplateProblem};

/// What templates are filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filling<'a> {
    pub(crate) data: &'a Map<String, Value>,
    /// What they see as `schema`.
    pub(crate) schema: Option<&'a Value>,
    /// A missing variable is an error.
    pub(crate) strict: bool,
}

/// The rendered messages, with what was odd about them.
#[derive(Debug, Clone, Default)]
pub struct RenderedChat {
    /// At least one message, each with content.
    pub messages: Vec<Message>,
    /// Missing variables and messages that came out empty.
    pub warnings: Vec<String>,
}

impl Prompt {
    /// `sha256:` and the hash of the prompt as written.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Renders the messages with a plan's data; the limits are those of all of them together.
    ///
    /// # Errors
    /// `PromptInvalid` for a template that can't be rendered, for missing variables in strict
    /// mode (all of them), and where nothing at all comes out.
    pub fn render(&self, plan: &Plan, limits: &Limits) -> Result<RenderedChat, Error> {
        let mut chat = RenderedChat::default();
        self.render_noting(plan, limits, &mut chat)?;
        Ok(chat)
    }

    /// As [`Prompt::render`]; when it fails, what was odd is noted too.
    pub(crate) fn render_noting(
        &self,
        plan: &Plan,
        limits: &Limits,
        chat: &mut RenderedChat,
    ) -> Result<(), Error> {
        let Plan { data, schema, strict_variables: strict, .. } = plan;
        let filling = Filling { data, schema: schema.as_ref(), strict: *strict };
        let mut problems = self.fill(filling, limits, chat);
        if problems.is_empty() && chat.messages.is_empty() {
            problems.push(Problem::prompt("message", "every message rendered to nothing"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::from_problems(problems)) }
    }

    /// Renders the messages and gives the problems of all of them.
    pub(crate) fn fill(
        &self,
        filling: Filling<'_>,
        limits: &Limits,
        chat: &mut RenderedChat,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut allowance = Allowance::new(limits);
        for message in &self.messages {
            if let Some(key) = message.history() {
                history::expand(key, message, filling, chat, &mut problems);
                continue;
            }
            let (warnings, known) = (&mut chat.warnings, problems.len());
            let content = message.content(filling, &mut allowance, warnings, &mut problems);
            if !content.is_empty() {
                chat.messages.push(Message { role: message.role, content });
            } else if problems.len() == known {
                let text = format!("{}: rendered to nothing and was left out", message.path);
                chat.warnings.push(text);
            }
        }
        problems
    }
}

/// What the messages of a prompt may still use together.
struct Allowance {
    limits: Limits,
    until: Option<Instant>,
}

impl Allowance {
    fn new(limits: &Limits) -> Self {
        Allowance { limits: *limits, until: Instant::now().checked_add(limits.time) }
    }

    fn render(
        &mut self,
        part: &TemplatePart,
        scope: &Scope<'_>,
    ) -> Result<Rendered, TemplateProblem> {
        if let Some(until) = self.until {
            self.limits.time = until.saturating_duration_since(Instant::now());
        }
        let rendered = part.template.render(scope, &self.limits)?;
        self.limits.bytes = self.limits.bytes.saturating_sub(rendered.text.len());
        Ok(rendered)
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
        filling: Filling<'_>,
        allowance: &mut Allowance,
        warnings: &mut Vec<String>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Part> {
        let extra = filling.schema.map(|schema| ("schema", schema));
        let scope = Scope { data: filling.data, extra: extra.as_slice() };
        let mut content = Vec::new();
        for part in &self.parts {
            let rendered = match allowance.render(part, &scope) {
                Ok(rendered) => rendered,
                Err(fault) => {
                    problems.push(Problem::prompt(&part.path, fault.to_string()));
                    continue;
                }
            };
            for missing in &rendered.missing {
                let (name, line, column) = (&missing.path, missing.line, missing.column);
                let text = format!("`{name}` is not in data (line {line}, column {column})");
                note_missing(filling, &part.path, &text, warnings, problems);
            }
            content.extend(rendered_part(part, rendered.text, problems));
        }
        content
    }
}

/// A missing variable is an error in strict mode, else a warning.
pub(super) fn note_missing(
    filling: Filling<'_>,
    path: &str,
    text: &str,
    warnings: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    if filling.strict {
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
