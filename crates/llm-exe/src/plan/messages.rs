//! `message`: from what callers may write to compiled templates.

use sha2::{Digest, Sha256};

use super::Problems;
use crate::chat::Role;
use crate::json;
use crate::prompt::Template;
use crate::request::{RequestMessage, RequestPart, TextOr, nearest};

/// The most messages of a request, and parts of a message. Each is a template, which costs time to
/// read before any deadline is looked at.
const MOST_MESSAGES: usize = 1000;
const MOST_PARTS: usize = 200;

type RequestList = Vec<Option<TextOr<RequestMessage>>>;

/// The compiled prompt.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub(super) messages: Vec<TemplateMessage>,
    pub(super) hash: String,
}

#[derive(Debug, Clone)]
pub(super) struct TemplateMessage {
    /// Where it stands in the request, for messages about it.
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) parts: Vec<TemplatePart>,
}

#[derive(Debug, Clone)]
pub(super) struct TemplatePart {
    pub(super) path: String,
    pub(super) image: bool,
    pub(super) template: Template,
}

/// Reads `message` as written. Where it is not usable, the error is what of it could be read, and
/// the problems are noted.
pub(crate) fn read(
    written: Option<TextOr<RequestList>>,
    problems: &mut Problems,
) -> Result<Prompt, Prompt> {
    let hash = hash(written.as_ref());
    let (count, messages) = match written {
        None => {
            problems.add("message", "missing; expected the prompt");
            (1, Vec::new())
        }
        Some(TextOr::Text(text)) => {
            let path = "message".to_owned();
            let part = text_part(&path, &text, problems);
            let message =
                part.map(|part| TemplateMessage { path, role: Role::System, parts: vec![part] });
            (1, message.into_iter().collect())
        }
        Some(TextOr::Long(list)) => (list.len().max(1), messages(list, problems)),
    };
    let whole = messages.len() == count;
    let conversation = Prompt { messages, hash };
    if whole { Ok(conversation) } else { Err(conversation) }
}

/// SHA-256 over the prompt as written, roles and texts, so that a result names its prompt.
fn hash(written: Option<&TextOr<RequestList>>) -> String {
    let mut hasher = Sha256::new();
    let mut feed = |label: &str, text: &str| {
        hasher.update(label.as_bytes());
        hasher.update([0]);
        hasher.update(text.as_bytes());
        hasher.update([0]);
    };
    let items: &[Option<TextOr<RequestMessage>>] = match written {
        Some(TextOr::Text(text)) => {
            feed("text", text);
            &[]
        }
        Some(TextOr::Long(list)) => list,
        None => &[],
    };
    for item in items.iter().flatten() {
        match item {
            TextOr::Text(text) => feed("turn", text),
            TextOr::Long(message) => {
                feed("role", message.role.as_deref().unwrap_or_default());
                match &message.content {
                    Some(TextOr::Text(text)) => feed("text", text),
                    Some(TextOr::Long(parts)) => {
                        for part in parts.iter().flatten() {
                            let url =
                                part.image_url.as_ref().and_then(|image| image.url.as_deref());
                            feed("part", part.text.as_deref().or(url).unwrap_or_default());
                        }
                    }
                    None => {}
                }
            }
        }
    }
    let digest = hasher.finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The messages that can be read.
fn messages(mut list: RequestList, problems: &mut Problems) -> Vec<TemplateMessage> {
    if list.len() > MOST_MESSAGES {
        let text = format!("expected at most {MOST_MESSAGES} messages, got {}", list.len());
        problems.add("message", text);
        list.truncate(MOST_MESSAGES);
    }
    if list.is_empty() {
        problems.add("message", "is an empty list; expected at least one message");
    }
    let texts = list.iter().flatten().filter(|item| matches!(item, TextOr::Text(_))).count();
    if texts > 0 && texts < list.iter().flatten().count() {
        problems.add("message", "mixes strings and objects; use one form for all messages");
    }
    let mut read = Vec::new();
    for (index, item) in list.into_iter().enumerate() {
        let path = format!("message[{index}]");
        let message = match item {
            None => {
                problems.add(path, "is null; expected a string or {role, content}");
                None
            }
            // Strings take turns: system, user, assistant, user, assistant and so on.
            Some(TextOr::Text(text)) => {
                let role = match index {
                    0 => Role::System,
                    odd if odd % 2 == 1 => Role::User,
                    _ => Role::Assistant,
                };
                let part = text_part(&path, &text, problems);
                part.map(|part| TemplateMessage { path, role, parts: vec![part] })
            }
            Some(TextOr::Long(message)) => chat_message(path, message, problems),
        };
        read.extend(message);
    }
    read
}

fn chat_message(
    path: String,
    written: RequestMessage,
    problems: &mut Problems,
) -> Option<TemplateMessage> {
    let role = role(&path, written.role.as_deref(), problems);
    let content = format!("{path}.content");
    let parts = match written.content {
        None => {
            problems.add(content, "missing; expected a string or a list of parts");
            None
        }
        Some(TextOr::Text(text)) => text_part(&content, &text, problems).map(|part| vec![part]),
        Some(TextOr::Long(parts)) if parts.is_empty() => {
            problems.add(content, "is an empty list; expected at least one part");
            None
        }
        Some(TextOr::Long(parts)) if parts.len() > MOST_PARTS => {
            problems.add(content, format!("expected at most {MOST_PARTS} parts"));
            None
        }
        Some(TextOr::Long(parts)) => {
            let count = parts.len();
            let read: Vec<TemplatePart> = parts
                .into_iter()
                .enumerate()
                .filter_map(|(at, part)| part_of(format!("{content}[{at}]"), part, role, problems))
                .collect();
            (read.len() == count).then_some(read)
        }
    };
    Some(TemplateMessage { path, role: role?, parts: parts? })
}

fn role(path: &str, written: Option<&str>, problems: &mut Problems) -> Option<Role> {
    const KNOWN: &[&str] = &["system", "user", "assistant"];
    let path = format!("{path}.role");
    let Some(name) = written else {
        problems.add(path, "missing; expected system, user or assistant");
        return None;
    };
    if name == "tool" {
        problems.add(path, "\"tool\" is not built yet in this version (tools)");
        return None;
    }
    let role = Role::from_name(name);
    if role.is_none() {
        let hint = nearest(name, KNOWN)
            .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        let name = json::quoted(name);
        let text = format!("unknown role {name}; expected system, user or assistant{hint}");
        problems.add(path, text);
    }
    role
}

fn part_of(
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
        (Some("text"), Some(text), _) => text_part(&format!("{path}.text"), &text, problems),
        (Some("text"), None, _) => {
            problems.add(format!("{path}.text"), "missing; expected a string");
            None
        }
        (Some("image_url"), _, Some(_)) if role.is_some_and(|role| role != Role::User) => {
            problems.add(path, "an image can stand in a user message only");
            None
        }
        (Some("image_url"), _, Some(url)) => {
            let part = text_part(&format!("{path}.image_url.url"), &url, problems)?;
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

fn text_part(path: &str, source: &str, problems: &mut Problems) -> Option<TemplatePart> {
    if source.trim().is_empty() {
        problems.add(path, "is empty; expected text");
        return None;
    }
    match Template::compile(source) {
        Ok(template) => Some(TemplatePart { path: path.to_owned(), image: false, template }),
        Err(faults) => {
            for fault in faults {
                problems.add_prompt(path, fault.to_string());
            }
            None
        }
    }
}
