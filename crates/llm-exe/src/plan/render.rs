//! Renders a compiled prompt into messages and collects warnings.
//!
//! A message that consists only of `{{> DialogueHistory key='history'}}` is replaced by the
//! messages of the conversation in `data.history`. That conversation may contain only user and
//! assistant messages, because `data` is not trusted to instruct the model.

use std::time::Instant;

use serde_json::{Map, Value};

use super::messages::{Prompt, TemplateMessage, TemplatePart};
use super::scope::StepScope;
use crate::chat::{Media, Message, Part, Role};
use crate::error::Problem;
use crate::json;
use crate::prompt::{
    Limits, Missing, ProblemKind, Rendered, Scope, Template, TemplateProblem, TemplateWarning,
};
use crate::request::suggestion;

/// Maximum number of warnings, and of missing variables, to report.
const MAX_REPORTED: usize = 200;

/// The text of a message or part that depends on values which are not known yet.
const UNKNOWN_TEXT: &str = "…";

/// An image in place of one whose URL is not known yet.
const UNKNOWN_IMAGE: &str = "data:image/png;base64,iVBORw0KGgo=";

/// The values that templates can use, and how missing values are handled.
#[derive(Debug, Clone, Copy)]
pub(super) struct TemplateValues<'a> {
    pub(super) data: &'a Map<String, Value>,
    /// The value of the template variable `schema`.
    pub(super) schema: Option<&'a Value>,
    /// The variables of the chain, for a step.
    pub(super) scope: Option<&'a StepScope>,
    /// Whether a missing template variable is an error.
    pub(super) strict: bool,
    /// Whether messages do not suggest names of variables, because the caller may not see them.
    pub(super) hides_names: bool,
}

impl<'a> TemplateValues<'a> {
    /// Lists the variables of a step that are not results. Without a chain, there are none.
    fn listed(&self) -> Vec<(&'a str, &'a Value)> {
        self.scope.map_or_else(Vec::new, |scope| scope.variables(self.data))
    }

    /// Returns the variables as a template finds them. `listed` are those of a step.
    fn variables<'l>(
        &self,
        schema: &'l Option<(&'a str, &'a Value)>,
        listed: &'l [(&'a str, &'a Value)],
    ) -> Scope<'l>
    where
        'a: 'l,
    {
        let data = self.scope.map_or(self.data, |scope| &scope.results);
        Scope { data, more: listed, extra: schema.as_slice() }
    }

    fn named_schema(&self) -> Option<(&'a str, &'a Value)> {
        self.schema.map(|schema| ("schema", schema))
    }

    /// Returns whether some values are not known yet, so that only the rest is checked.
    fn is_incomplete(&self) -> bool {
        self.scope.is_some_and(|scope| scope.unknown.is_some())
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        match self.scope {
            None => self.data.get(name),
            Some(scope) => scope.get(self.data, name),
        }
    }

    /// Returns the missing variables of a rendered template, without results of skipped steps.
    fn missing<'r>(&self, rendered: &'r Rendered) -> impl Iterator<Item = &'r Missing> {
        let scope = self.scope;
        rendered
            .missing
            .iter()
            .filter(move |missing| !scope.is_some_and(|scope| scope.is_null_result(&missing.path)))
    }
}

/// Renders a template that is not a message. Adds a warning for each missing variable to the list.
/// `place` is the end of its position.
///
/// # Errors
/// The messages are logged, so they do not quote the template.
pub(super) fn render_text(
    template: &Template,
    values: TemplateValues<'_>,
    place: &str,
    warnings: &mut Vec<String>,
) -> Result<String, String> {
    let (schema, listed) = (values.named_schema(), values.listed());
    let scope = values.variables(&schema, &listed);
    let rendered = template.render(&scope, &Limits::default());
    let rendered = match rendered {
        Err(_) if values.is_incomplete() => return Ok(String::new()),
        rendered => rendered.map_err(|problem| describe(&problem))?,
    };
    let missing = values.missing(&rendered).map(|missing| {
        let (name, line, column) = (&missing.path, missing.line, missing.column);
        format!("`{name}` is not in data (line {line}, column {column}{place})")
    });
    let missing: Vec<String> = missing.collect();
    if values.strict && !missing.is_empty() {
        return Err(missing.join("; "));
    }
    warnings.extend(missing);
    Ok(rendered.text)
}

/// Describes a problem without quoting the template.
pub(super) fn describe(problem: &TemplateProblem) -> String {
    let TemplateProblem { line, column, message, .. } = problem;
    format!("line {line}, column {column}: {message}")
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
        let (listed, problems) = (values.listed(), Vec::new());
        let mut renderer = Renderer { values, listed, budget, chat, problems };
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
    /// The variables of a step.
    listed: Vec<(&'a str, &'a Value)>,
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
        } else if self.values.is_incomplete() {
            self.chat.messages.push(Message::text(message.role, UNKNOWN_TEXT));
        } else if self.problems.len() == problems_before {
            self.warn(|| format!("{}: dropped, because it is empty after rendering", message.path));
        }
    }

    fn render_parts(&mut self, message: &TemplateMessage) -> Vec<Part> {
        let (values, listed) = (self.values, std::mem::take(&mut self.listed));
        let schema = values.named_schema();
        let scope = values.variables(&schema, &listed);
        let mut content = Vec::new();
        for part in &message.parts {
            let rendered = match self.budget.render(part, &scope) {
                Ok(rendered) => rendered,
                Err(_) if values.is_incomplete() => {
                    content.extend(self.convert_part(part, UNKNOWN_TEXT.to_owned()));
                    continue;
                }
                Err(problem) => {
                    let (text, line) = (problem.to_string(), problem.line);
                    self.problems.push(Problem::prompt(&*part.path, text).at_template_line(line));
                    continue;
                }
            };
            for missing in values.missing(&rendered) {
                if self.problems.len().max(self.chat.warnings.len()) >= MAX_REPORTED {
                    break;
                }
                let (name, line, column) = (&missing.path, missing.line, missing.column);
                let hint = self.suggest(name, &listed);
                let text = format!("`{name}` is not in data{hint} (line {line}, column {column})");
                self.add_missing(&part.path, &text, line);
            }
            for TemplateWarning { line, column, message, .. } in rendered.warnings() {
                let path = &part.path;
                self.warn(|| format!("{path}: {message} (line {line}, column {column})"));
            }
            content.extend(self.convert_part(part, rendered.text));
        }
        self.listed = listed;
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
        if self.values.is_incomplete() {
            return Some(Part::Media(Media::new(UNKNOWN_IMAGE)));
        }
        let text = format!("expected an https: or data: URL, got {}", json::quoted(&url));
        self.problems.push(Problem::request(&*part.path, text));
        None
    }

    /// Adds the messages of the conversation `data[key]` in place of `message`.
    fn add_history(&mut self, key: &str, message: &TemplateMessage) {
        let is_unknown = |scope: &StepScope| scope.unknown.is_some() && scope.is_unknown(key);
        if self.values.scope.is_some_and(is_unknown) {
            return self.chat.messages.push(Message::text(Role::User, UNKNOWN_TEXT));
        }
        let turns = match self.values.get(key) {
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
    /// `listed` are the variables of a step.
    fn suggest(&self, path: &str, listed: &[(&str, &Value)]) -> String {
        if self.values.hides_names {
            return String::new();
        }
        if self.values.scope.is_some() {
            let known: Vec<&str> = listed.iter().map(|(name, _)| *name).collect();
            let name = path.split('.').next().unwrap_or(path);
            return suggestion(name, &known);
        }
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
