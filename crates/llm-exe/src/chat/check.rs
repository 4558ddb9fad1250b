//! Checks that the tool calls and results of a conversation belong together. All providers reject
//! a conversation in which they do not, each with its own error.

use super::message::{Message, Part, Role};
use super::request::{Chat, Structure};
use super::tools::{ToolCall, ToolChoice, ToolResult};
use crate::error::{Error, Problem};
use crate::json::{quoted, type_name};

/// Maximum length of the name of a tool in characters, which most providers have.
const MAX_NAME_LENGTH: usize = 64;

impl Chat {
    /// Checks the tools, the tool choice, and the calls and results in the messages.
    ///
    /// # Errors
    /// `InvalidRequest` with all problems.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut checker = Checker::default();
        self.check_tools(&mut checker.problems);
        for (index, message) in self.messages.iter().enumerate() {
            checker.check_message(index, message);
        }
        checker.end_turn();
        match checker.problems {
            problems if problems.is_empty() => Ok(()),
            problems => Err(Error::from_problems(problems)),
        }
    }

    fn check_tools(&self, problems: &mut Vec<Problem>) {
        let reply_tool = match &self.structure {
            Structure::ForcedTool { name, .. } => Some(name),
            _ => None,
        };
        for (index, tool) in self.tools.iter().enumerate() {
            let mut add = |field: &str, text: String| {
                problems.push(Problem::request(format!("tools[{index}].{field}"), text));
            };
            if tool.name.is_empty() {
                add("name", "expected a name, got an empty string".to_owned());
            }
            let length = tool.name.chars().count();
            if length > MAX_NAME_LENGTH {
                add("name", format!("expected at most {MAX_NAME_LENGTH} characters, got {length}"));
            }
            if self.tools.iter().take(index).any(|earlier| earlier.name == tool.name) {
                add("name", format!("another tool has the name {} as well", quoted(&tool.name)));
            }
            if Some(&tool.name) == reply_tool {
                let text = format!(
                    "{} is reserved for the tool that returns the reply; choose another name",
                    quoted(&tool.name)
                );
                add("name", text);
            }
            if !tool.parameters.is_object() {
                let received = type_name(&tool.parameters);
                add("parameters", format!("expected a JSON Schema as an object, got {received}"));
            }
        }
        if let ToolChoice::Named(name) = &self.tool_choice
            && !self.tools.iter().any(|tool| tool.name == *name)
        {
            let text = format!("expected the name of a tool, got {}", quoted(name));
            problems.push(Problem::request("toolChoice", text));
        }
    }
}

/// The state of a check: the latest assistant message with tool calls.
#[derive(Default)]
struct Checker<'a> {
    /// The position of the assistant message.
    turn: usize,
    /// Its calls, and whether each of them has a result.
    calls: Vec<(&'a ToolCall, bool)>,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn check_message(&mut self, index: usize, message: &'a Message) {
        // Results may be in several messages, but nothing else may be between them.
        if message.role != Role::User {
            self.end_turn();
        }
        for (part_index, part) in message.parts.iter().enumerate() {
            let path = || format!("message[{index}].content[{part_index}]");
            match part {
                Part::ToolCall(_) if message.role != Role::Assistant => {
                    self.add(path(), "tool calls are allowed only in assistant messages");
                }
                Part::ToolCall(call) => self.add_call(index, call, path),
                Part::ToolResult(_) if message.role != Role::User => {
                    self.add(path(), "tool results are allowed only in user messages");
                }
                Part::ToolResult(result) => self.add_result(result, path),
                Part::Text(_) | Part::Media(_) => {}
            }
        }
        let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
        if message.role == Role::User && !message.parts.iter().all(is_result) {
            self.end_turn();
        }
    }

    fn add_call(&mut self, index: usize, call: &'a ToolCall, path: impl Fn() -> String) {
        if call.name.is_empty() {
            self.add(path(), "the tool call has an empty name");
        }
        if call.id.is_empty() {
            self.add(path(), "the tool call has an empty id");
        } else if self.calls.iter().any(|(earlier, _)| earlier.id == call.id) {
            let text = format!(
                "another tool call of this message has the id {} as well",
                quoted(&call.id)
            );
            self.add(path(), text);
        }
        self.turn = index;
        self.calls.push((call, false));
    }

    fn add_result(&mut self, result: &ToolResult, path: impl Fn() -> String) {
        let id = quoted(&result.call_id);
        let call = self.calls.iter_mut().find(|(call, _)| call.id == result.call_id);
        let text = match call {
            None => format!("the preceding assistant message has no tool call with the id {id}"),
            Some((_, true)) => format!("the tool call {id} has a result already"),
            Some((call, has_result)) => {
                *has_result = true;
                if call.name == result.name {
                    return;
                }
                let (expected, received) = (quoted(&call.name), quoted(&result.name));
                format!("the tool call {id} is a call of {expected}, not of {received}")
            }
        };
        self.add(path(), text);
    }

    /// Reports the calls without a result, and forgets the turn.
    fn end_turn(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        let missing = calls.iter().filter(|(_, has_result)| !has_result);
        let ids: Vec<String> = missing.map(|(call, _)| quoted(&call.id)).collect();
        if !ids.is_empty() {
            let text = format!(
                "the following user message has no result for the tool calls {}; add a result for \
                 every call, also if it failed",
                ids.join(", ")
            );
            self.add(format!("message[{}]", self.turn), text);
        }
    }

    fn add(&mut self, path: String, text: impl Into<String>) {
        self.problems.push(Problem::request(path, text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chat::{
        Chat, Message, Part, Role, Structure, Tool, ToolCall, ToolChoice, ToolContent, ToolResult,
    };

    fn calls(ids: &[&str]) -> Message {
        let parts = ids.iter().map(|id| Part::ToolCall(ToolCall::new(*id, "f", "{}")));
        Message::new(Role::Assistant, parts.collect())
    }

    fn result(id: &str) -> Part {
        let content = ToolContent::Text("ok".to_owned());
        Part::ToolResult(ToolResult::new(&ToolCall::new(id, "f", ""), content))
    }

    fn user(parts: Vec<Part>) -> Message {
        Message::new(Role::User, parts)
    }

    fn text() -> Part {
        Part::Text("Go on.".to_owned())
    }

    fn check(messages: Vec<Message>) -> String {
        let error = Chat::new("m", messages).check().err();
        error.map(|error| error.message().to_owned()).unwrap_or_default()
    }

    #[test]
    fn complete_conversations_are_accepted() {
        for messages in [
            vec![calls(&["a", "b"]), user(vec![result("b"), result("a")])],
            vec![
                calls(&["a"]),
                user(vec![text(), result("a")]),
                calls(&["a"]),
                user(vec![result("a")]),
            ],
            vec![calls(&["a", "b"]), user(vec![result("a")]), user(vec![result("b"), text()])],
            vec![Message::text(Role::System, "s"), Message::text(Role::Assistant, "a")],
            Vec::new(),
        ] {
            assert_eq!(check(messages), "");
        }
    }

    #[test]
    fn incomplete_conversations_are_rejected_with_their_message() {
        let missing = "has no result for the tool calls \"b\"; add a result for every call";
        for (messages, path, expected) in [
            (vec![calls(&["a", "b"]), user(vec![result("a")]), calls(&[])], "message[0]", missing),
            (vec![calls(&["b"]), Message::text(Role::Assistant, "x")], "message[0]", missing),
            (vec![user(vec![text()]), calls(&["b"])], "message[1]", missing),
            (
                vec![calls(&["a", "b"]), user(vec![result("a"), text()]), user(vec![text()])],
                "message[0]",
                missing,
            ),
            (
                vec![user(vec![text(), result("a")])],
                "message[0].content[1]",
                "has no tool call with the id \"a\"",
            ),
            (
                vec![calls(&["a"]), user(vec![result("a"), result("a")])],
                "message[1].content[1]",
                "\"a\" has a result already",
            ),
            (
                vec![calls(&["a", "a"]), user(vec![result("a")])],
                "message[0].content[1]",
                "another tool call of this message has the id \"a\" as well",
            ),
            (
                vec![calls(&[""]), user(vec![result("")])],
                "message[0].content[0]",
                "the tool call has an empty id",
            ),
            (
                vec![
                    Message::new(
                        Role::Assistant,
                        vec![Part::ToolCall(ToolCall::new("a", "", "{}"))],
                    ),
                    Message::tool_results([ToolResult::error(&ToolCall::new("a", "", ""), "no")]),
                ],
                "message[0].content[0]",
                "the tool call has an empty name",
            ),
            (
                vec![user(calls(&["a"]).parts)],
                "message[0].content[0]",
                "only in assistant messages",
            ),
            (
                vec![calls(&["a"]), Message::new(Role::Assistant, vec![result("a")])],
                "message[1].content[0]",
                "only in user messages",
            ),
            (
                vec![
                    calls(&["a"]),
                    Message::tool_results([ToolResult::error(&ToolCall::new("a", "g", ""), "no")]),
                ],
                "message[1].content[0]",
                "the tool call \"a\" is a call of \"f\", not of \"g\"",
            ),
        ] {
            let message = check(messages);
            assert!(message.contains(&format!("{path}: ")), "{path}: {message}");
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }

    #[test]
    fn tools_and_choice_must_match() {
        let tool = || Tool::new("f", json!({"type": "object"}));
        let mut chat = Chat { tools: vec![tool()], ..Chat::new("m", Vec::new()) };
        chat.tool_choice = ToolChoice::Named("f".to_owned());
        chat.check().unwrap();
        chat.tools.push(tool());
        chat.tool_choice = ToolChoice::Named("g".to_owned());
        assert_eq!(
            chat.check().unwrap_err().message(),
            "tools[1].name: another tool has the name \"f\" as well; toolChoice: expected the name \
             of a tool, got \"g\""
        );
    }

    #[test]
    fn tools_that_no_provider_accepts_are_rejected() {
        let object = || json!({"type": "object"});
        let tools =
            vec![Tool::new("", object()), Tool::new("answer", object()), Tool::new("f", json!([]))];
        let structure = Structure::ForcedTool { name: "answer".to_owned(), schema: object() };
        let chat = Chat { tools, structure, ..Chat::new("m", Vec::new()) };
        assert_eq!(
            chat.check().unwrap_err().message(),
            "tools[0].name: expected a name, got an empty string; tools[1].name: \"answer\" is \
             reserved for the tool that returns the reply; choose another name; \
             tools[2].parameters: expected a JSON Schema as an object, got a list"
        );
    }

    #[test]
    fn names_of_tools_are_at_most_64_characters_long() {
        let check = |length| {
            let tools = vec![Tool::new("x".repeat(length), json!({"type": "object"}))];
            Chat { tools, ..Chat::new("m", Vec::new()) }.check()
        };
        check(64).unwrap();
        let error = check(65).unwrap_err();
        assert_eq!(error.message(), "tools[0].name: expected at most 64 characters, got 65");
    }
}
