//! Renders a compiled prompt into messages and collects warnings.
//!
//! A message that consists only of `{{> DialogueHistory key='history'}}` is replaced by the
//! messages of the conversation in `data.history`. That conversation may contain only user and
//! assistant messages, because `data` is not trusted to instruct the model.

use std::time::Instant;

use serde_json::{Map, Value};

use super::messages::{Prompt, TemplateMessage, TemplatePart};
use crate::chat::{Media, Message, Part, Role};
use crate::error::Problem;
use crate::json;
use crate::prompt::{Limits, ProblemKind, Rendered, Scope, TemplateProblem, TemplateWarning};
use crate::request::suggestion;

/// Maximum number of warnings, and of missing variables, to report.
const MAX_REPORTED: usize = 200;

/// The values that templates can use, and how missing values are handled.
#[derive(Debug, Clone, Copy)]
pub(super) struct TemplateValues<'a> {
    pub(super) data: &'a Map<String, Value>,
    /// The value of the template variable `schema`.
    pub(super) schema: Option<&'a Value>,
    /// Whether a missing template variable is an error.
    pub(super) strict: bool,
}

/// The rendered messages and the warnings from rendering.
#[derive(Debug, Clone, Default)]
pub struct RenderedChat {
    /// The messages, none of which is empty.
    pub messages: Vec<Message>,
    /// The warnings about missing variables and about messages that are empty after rendering.
    pub warnings: Vec<String>,
}

impl Prompt {
    /// Returns `sha256:` followed by the hash of the prompt before rendering.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Renders all messages into `chat` and returns the problems.
    pub(super) fn render(
        &self,
        chat: &mut RenderedChat,
        values: TemplateValues<'_>,
        limits: &Limits,
    ) -> Vec<Problem> {
        let budget = RenderBudget::new(limits);
        let mut renderer = Renderer { values, budget, chat, problems: Vec::new() };
        for message in &self.messages {
            renderer.render_message(message);
        }
        renderer.problems
    }
}

/// The time and output size that remain for the messages that are not rendered yet.
struct RenderBudget {
    limits: Limits,
    /// The size of the rendered parts in bytes.
    rendered_bytes: usize,
    end: Option<Instant>,
}

impl RenderBudget {
    fn new(limits: &Limits) -> Self {
        let end = Instant::now().checked_add(limits.time);
        RenderBudget { limits: *limits, rendered_bytes: 0, end }
    }

    fn render(
        &mut self,
        part: &TemplatePart,
        scope: &Scope<'_>,
    ) -> Result<Rendered, TemplateProblem> {
        if let Some(end) = self.end {
            self.limits.time = end.saturating_duration_since(Instant::now());
        }
        let rendered = part.template.render(scope, &self.limits).map_err(|mut problem| {
            if problem.kind == ProblemKind::TooLarge && self.rendered_bytes > 0 {
                let used =
                    format!("; the parts before it already have {} bytes", self.rendered_bytes);
                problem.message.push_str(&used);
            }
            problem
        })?;
        self.limits.bytes = self.limits.bytes.saturating_sub(rendered.text.len());
        self.rendered_bytes += rendered.text.len();
        Ok(rendered)
    }
}

/// Renders the messages of one prompt.
struct Renderer<'a> {
    values: TemplateValues<'a>,
    budget: RenderBudget,
    chat: &'a mut RenderedChat,
    problems: Vec<Problem>,
}

impl Renderer<'_> {
    fn render_message(&mut self, message: &TemplateMessage) {
        if let Some(key) = message.history_key() {
            return self.add_history(key, message);
        }
        let problems_before = self.problems.len();
        let parts = self.render_parts(message);
        if !parts.is_empty() {
            self.chat.messages.push(Message::new(message.role, parts));
        } else if self.problems.len() == problems_before {
            self.warn(|| format!("{}: dropped, because it is empty after rendering", message.path));
        }
    }

    fn render_parts(&mut self, message: &TemplateMessage) -> Vec<Part> {
        let extra = self.values.schema.map(|schema| ("schema", schema));
        let scope = Scope { data: self.values.data, extra: extra.as_slice() };
        let mut content = Vec::new();
        for part in &message.parts {
            let rendered = match self.budget.render(part, &scope) {
                Ok(rendered) => rendered,
                Err(problem) => {
                    let (text, line) = (problem.to_string(), problem.line);
                    self.problems.push(Problem::prompt(&*part.path, text).at_template_line(line));
                    continue;
                }
            };
            for missing in &rendered.missing {
                if self.problems.len().max(self.chat.warnings.len()) >= MAX_REPORTED {
                    break;
                }
                let (name, line, column) = (&missing.path, missing.line, missing.column);
                let hint = self.suggest(name);
                let text = format!("`{name}` is not in data{hint} (line {line}, column {column})");
                self.add_missing(&part.path, &text, line);
            }
            for TemplateWarning { line, column, message, .. } in rendered.warnings() {
                let path = &part.path;
                self.warn(|| format!("{path}: {message} (line {line}, column {column})"));
            }
            content.extend(self.convert_part(part, rendered.text));
        }
        content
    }

    /// Converts a rendered part. Returns `None` if the text is empty or the image URL is not valid.
    fn convert_part(&mut self, part: &TemplatePart, text: String) -> Option<Part> {
        if !part.image {
            return (!text.trim().is_empty()).then_some(Part::Text(text));
        }
        let url = text.trim().to_owned();
        if url.starts_with("https://") || url.starts_with("data:") {
            return Some(Part::Media(Media::new(url)));
        }
        let text = format!("expected an https: or data: URL, got {}", json::quoted(&url));
        self.problems.push(Problem::request(&*part.path, text));
        None
    }

    /// Adds the messages of the conversation `data[key]` in place of `message`.
    fn add_history(&mut self, key: &str, message: &TemplateMessage) {
        let turns = match self.values.data.get(key) {
            None | Some(Value::Null) => {
                return self.add_missing(&message.path, &format!("`{key}` is not in data"), 1);
            }
            Some(Value::Array(turns)) => turns,
            Some(other) => {
                let text =
                    format!("expected a list of {{role, content}}, got {}", json::shown(other));
                return self.problems.push(Problem::request(format!("data.{key}"), text));
            }
        };
        for (index, turn) in turns.iter().enumerate() {
            let text = |name: &str| turn.get(name).and_then(Value::as_str);
            let role = text("role").and_then(Role::from_name).filter(|role| *role != Role::System);
            match (role, text("content").filter(|content| !content.trim().is_empty())) {
                (Some(role), Some(content)) => {
                    self.chat.messages.push(Message::text(role, content))
                }
                _ => self.warn(|| {
                    format!(
                        "data.{key}[{index}]: dropped, because a history may only contain user \
                         and assistant messages with text"
                    )
                }),
            }
        }
    }

    /// Adds a warning, unless there are too many.
    fn warn(&mut self, text: impl FnOnce() -> String) {
        if self.chat.warnings.len() < MAX_REPORTED {
            self.chat.warnings.push(text());
        }
    }

    /// Suggests a variable in `data` with a name similar to that of a missing one. In a path such
    /// as `user.nmae`, the first name that is missing is compared with the names next to it.
    fn suggest(&self, path: &str) -> String {
        let (mut map, mut rest) = (self.values.data, path);
        loop {
            let (name, after) = rest.split_once('.').unwrap_or((rest, ""));
            match map.get(name) {
                Some(Value::Object(inside)) if !after.is_empty() => (map, rest) = (inside, after),
                Some(_) => return String::new(),
                None => {
                    let known: Vec<&str> = map.keys().map(String::as_str).collect();
                    return suggestion(name, &known);
                }
            }
        }
    }

    /// Reports a missing variable as an error in strict mode, and as a warning otherwise.
    fn add_missing(&mut self, path: &str, text: &str, line: usize) {
        if self.values.strict {
            self.problems.push(Problem::prompt(path, text).at_template_line(line));
        } else {
            self.chat.warnings.push(format!("{path}: {text}"));
        }
    }
}

impl TemplateMessage {
    /// Returns the key of a conversation in `data` if the message consists only of
    /// `{{> DialogueHistory key='…'}}`.
    fn history_key(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [TemplatePart { image: false, template, .. }] => template.dialogue_history_key(),
            _ => None,
        }
    }
}
