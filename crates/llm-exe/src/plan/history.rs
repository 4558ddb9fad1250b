//! `{{> DialogueHistory key='history'}}` as a whole message: the conversation in `data.history`
//! becomes messages, not text.
//!
//! `data` is not trusted with instructions: user and assistant messages alone are taken.

use serde_json::Value;

use super::messages::TemplateMessage;
use super::render::{Filling, RenderedChat, note_missing};
use crate::chat::{Message, Role};
use crate::error::Problem;
use crate::json;

/// Puts the conversation in place of the message.
pub(crate) fn expand(
    key: &str,
    message: &TemplateMessage,
    filling: Filling<'_>,
    chat: &mut RenderedChat,
    problems: &mut Vec<Problem>,
) {
    let turns = match filling.data.get(key) {
        None | Some(Value::Null) => {
            let text = format!("`{key}` is not in data");
            return note_missing(filling, &message.path, &text, &mut chat.warnings, problems);
        }
        Some(Value::Array(turns)) => turns,
        Some(other) => {
            let text = format!("expected a list of {{role, content}}, got {}", json::shown(other));
            return problems.push(Problem::request(format!("data.{key}"), text));
        }
    };
    for (index, turn) in turns.iter().enumerate() {
        let text = |name: &str| turn.get(name).and_then(Value::as_str);
        let role = text("role").and_then(Role::from_name).filter(|role| *role != Role::System);
        match (role, text("content").filter(|content| !content.trim().is_empty())) {
            (Some(role), Some(content)) => chat.messages.push(Message::text(role, content)),
            _ => chat.warnings.push(format!(
                "data.{key}[{index}]: left out, a history holds user and assistant messages with \
                 text"
            )),
        }
    }
}
