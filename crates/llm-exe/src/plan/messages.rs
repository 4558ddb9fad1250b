//! Validates the `message` field and compiles its templates.

use std::borrow::Cow;

use ring::digest;

use super::problems::Problems;
use crate::chat::Role;
use crate::hex::prefixed_hex;
use crate::json;
use crate::prompt::{Template, VariableUse};
use crate::request::{RequestMessage, RequestPart, TextOr, suggestion};

/// Maximum number of messages in a request. It bounds the time to compile their templates, which
/// the deadline does not cover.
const MAX_MESSAGES: usize = 1000;

/// Maximum number of parts in a message. It bounds the time to compile their templates.
const MAX_PARTS: usize = 200;

type RequestList = Vec<Option<TextOr<RequestMessage>>>;

/// A prompt whose templates are compiled.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub(super) messages: Vec<TemplateMessage>,
    pub(super) hash: String,
}

/// A message whose parts are compiled templates.
#[derive(Debug, Clone)]
pub(super) struct TemplateMessage {
    /// The path of the message in the request, for error messages.
    pub(super) path: Cow<'static, str>,
    pub(super) role: Role,
    pub(super) parts: Vec<TemplatePart>,
}

/// A part of a message, as a compiled template.
#[derive(Debug, Clone)]
pub(super) struct TemplatePart {
    pub(super) path: Cow<'static, str>,
    /// Whether the template renders to an image URL instead of text.
    pub(super) image: bool,
    pub(super) template: Template,
}

impl Prompt {
    /// Creates the prompt of a chain, which has no messages of its own. Its hash identifies the
    /// prompts of the steps.
    pub(super) fn of_steps<'a>(prompts: impl Iterator<Item = &'a Prompt>) -> Self {
        let mut hasher = digest::Context::new(&digest::SHA256);
        prompts.for_each(|prompt| hasher.update(prompt.hash.as_bytes()));
        let hash = prefixed_hex("sha256:", hasher.finish().as_ref());
        Prompt { messages: Vec::new(), hash }
    }

    /// Returns the variables to which the templates refer.
    pub(super) fn variables(&self) -> Vec<VariableUse> {
        let mut variables = Vec::new();
        for message in &self.messages {
            for part in &message.parts {
                variables.extend(part.template.variables());
            }
        }
        variables
    }
}

/// Validates the `message` field and compiles its templates.
///
/// # Errors
/// If any message is invalid, returns the valid ones and adds the reasons to `problems`.
pub(super) fn compile_prompt(
    written: Option<TextOr<RequestList>>,
    problems: &mut Problems,
) -> Result<Prompt, Prompt> {
    let hash = hash_prompt(written.as_ref());
    let (count, messages) = match written {
        None => {
            problems.add("message", "missing; expected a string or a list of messages");
            (1, Vec::new())
        }
        Some(TextOr::Text(text)) => {
            let path = Cow::Borrowed("message");
            let part = compile_text(path.clone(), &text, problems);
            let message =
                part.map(|part| TemplateMessage { path, role: Role::System, parts: vec![part] });
            (1, message.into_iter().collect())
        }
        Some(TextOr::Long(list)) => (list.len().max(1), compile_messages(list, problems)),
    };
    let is_complete = messages.len() == count;
    let prompt = Prompt { messages, hash };
    if is_complete { Ok(prompt) } else { Err(prompt) }
}

/// Returns the SHA-256 hash of the roles and templates of the prompt. The hash identifies the
/// prompt that produced a result.
fn hash_prompt(written: Option<&TextOr<RequestList>>) -> String {
    let mut hasher = digest::Context::new(&digest::SHA256);
    let mut add = |label: &str, text: &str| {
        hasher.update(label.as_bytes());
        hasher.update(&[0]);
        hasher.update(text.as_bytes());
        hasher.update(&[0]);
    };
    let items: &[Option<TextOr<RequestMessage>>] = match written {
        Some(TextOr::Text(text)) => {
            add("text", text);
            &[]
        }
        Some(TextOr::Long(list)) => list,
        None => &[],
    };
    for item in items.iter().flatten() {
        match item {
            TextOr::Text(text) => add("turn", text),
            TextOr::Long(message) => {
                add("role", message.role.as_deref().unwrap_or_default());
                match &message.content {
                    Some(TextOr::Text(text)) => add("text", text),
                    Some(TextOr::Long(parts)) => {
                        for part in parts.iter().flatten() {
                            let url =
                                part.image_url.as_ref().and_then(|image| image.url.as_deref());
                            add("part", part.text.as_deref().or(url).unwrap_or_default());
                        }
                    }
                    None => {}
                }
            }
        }
    }
    prefixed_hex("sha256:", hasher.finish().as_ref())
}

/// Compiles a list of messages and skips invalid messages.
fn compile_messages(mut list: RequestList, problems: &mut Problems) -> Vec<TemplateMessage> {
    if list.len() > MAX_MESSAGES {
        let text = format!("expected at most {MAX_MESSAGES} messages, got {}", list.len());
        problems.add("message", text);
        list.truncate(MAX_MESSAGES);
    }
    if list.is_empty() {
        problems.add("message", "is an empty list; expected at least one message");
    }
    let texts = list.iter().flatten().filter(|item| matches!(item, TextOr::Text(_))).count();
    if texts > 0 && texts < list.iter().flatten().count() {
        problems.add("message", "contains both strings and objects; use either strings or objects");
    }
    let mut compiled = Vec::new();
    for (index, item) in list.into_iter().enumerate() {
        let path = Cow::Owned(format!("message[{index}]"));
        let message = match item {
            None => {
                problems.add(path, "is null; expected a string or {role, content}");
                None
            }
            // Strings have alternating roles: system, user, assistant, user, assistant and so on.
            Some(TextOr::Text(text)) => {
                let role = match index {
                    0 => Role::System,
                    index if index % 2 == 1 => Role::User,
                    _ => Role::Assistant,
                };
                let part = compile_text(path.clone(), &text, problems);
                part.map(|part| TemplateMessage { path, role, parts: vec![part] })
            }
            Some(TextOr::Long(message)) => compile_message(path, message, problems),
        };
        compiled.extend(message);
    }
    compiled
}

fn compile_message(
    path: Cow<'static, str>,
    written: RequestMessage,
    problems: &mut Problems,
) -> Option<TemplateMessage> {
    let role = parse_role(&path, written.role.as_deref(), problems);
    let content = Cow::Owned(format!("{path}.content"));
    let parts = match written.content {
        None => {
            problems.add(content, "missing; expected a string or a list of parts");
            None
        }
        Some(TextOr::Text(text)) => compile_text(content, &text, problems).map(|part| vec![part]),
        Some(TextOr::Long(parts)) if parts.is_empty() => {
            problems.add(content, "is an empty list; expected at least one part");
            None
        }
        Some(TextOr::Long(parts)) if parts.len() > MAX_PARTS => {
            problems
                .add(content, format!("expected at most {MAX_PARTS} parts, got {}", parts.len()));
            None
        }
        Some(TextOr::Long(parts)) => {
            let count = parts.len();
            let compiled: Vec<TemplatePart> = parts
                .into_iter()
                .enumerate()
                .filter_map(|(at, part)| {
                    compile_part(format!("{content}[{at}]"), part, role, problems)
                })
                .collect();
            (compiled.len() == count).then_some(compiled)
        }
    };
    Some(TemplateMessage { path, role: role?, parts: parts? })
}

fn parse_role(path: &str, written: Option<&str>, problems: &mut Problems) -> Option<Role> {
    const KNOWN: &[&str] = &["system", "user", "assistant"];
    let path = format!("{path}.role");
    let Some(name) = written else {
        problems.add(path, "missing; expected system, user or assistant");
        return None;
    };
    let role = Role::from_name(name);
    if role.is_none() {
        let received = json::quoted(name);
        let hint = match name {
            "tool" => "; the results of tools are sent in toolResults".to_owned(),
            _ => suggestion(name, KNOWN),
        };
        problems.add(path, format!("expected system, user or assistant, got {received}{hint}"));
    }
    role
}

fn compile_part(
    path: String,
    written: Option<RequestPart>,
    role: Option<Role>,
    problems: &mut Problems,
) -> Option<TemplatePart> {
    let Some(part) = written else {
        problems.add(path, "is null; expected a part of type text or image_url");
        return None;
    };
    match (part.kind.as_deref(), part.text, part.image_url.and_then(|image| image.url)) {
        (Some("text"), Some(text), _) => {
            compile_text(Cow::Owned(format!("{path}.text")), &text, problems)
        }
        (Some("text"), None, _) => {
            problems.add(format!("{path}.text"), "missing; expected a string");
            None
        }
        (Some("image_url"), _, Some(_)) if role.is_some_and(|role| role != Role::User) => {
            problems.add(path, "images are allowed only in user messages");
            None
        }
        (Some("image_url"), _, Some(url)) => {
            let part = compile_text(Cow::Owned(format!("{path}.image_url.url")), &url, problems)?;
            Some(TemplatePart { image: true, ..part })
        }
        (Some("image_url"), _, None) => {
            problems.add(format!("{path}.image_url.url"), "missing; expected a URL");
            None
        }
        (Some(other), _, _) => {
            let text = format!("expected text or image_url, got {}", json::quoted(other));
            problems.add(format!("{path}.type"), text);
            None
        }
        (None, _, _) => {
            problems.add(format!("{path}.type"), "missing; expected text or image_url");
            None
        }
    }
}

fn compile_text(
    path: Cow<'static, str>,
    source: &str,
    problems: &mut Problems,
) -> Option<TemplatePart> {
    if source.trim().is_empty() {
        problems.add(path, "is empty; expected a non-empty string");
        return None;
    }
    let template = compile_template(&path, source, problems)?;
    Some(TemplatePart { path, image: false, template })
}

/// Compiles a template. `path` is that of its field.
pub(super) fn compile_template(
    path: &str,
    source: &str,
    problems: &mut Problems,
) -> Option<Template> {
    match Template::compile(source) {
        Ok(template) => Some(template),
        Err(errors) => {
            for error in errors {
                problems.add_prompt(path, &error);
            }
            None
        }
    }
}
