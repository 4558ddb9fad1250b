//! The ids of tool calls for APIs that do not accept every id.
//!
//! A conversation may contain ids of another provider, with characters or a length that the API
//! rejects, or the same id in several turns. The calls and their results are then sent with other
//! ids. The same history always gets the same ids, because a changed history is not cached.

use std::collections::HashSet;

use crate::chat::Message;

/// Maximum length of an id in characters.
const MAX_LENGTH: usize = 64;
/// The length of the ids that models from Mistral accept.
const SHORT_LENGTH: usize = 9;
/// Maximum length of an id in OpenAI's API, which names it in its error "string too long".
const OPENAI_LENGTH: usize = 40;

/// The ids that an API accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdFormat {
    /// At most 64 ASCII letters, digits, `_` and `-`.
    Name,
    /// Exactly nine ASCII letters and digits.
    Short,
    /// At most 40 characters.
    Length40,
}

/// The ids of the calls in a request.
#[derive(Debug)]
pub(crate) struct CallIds {
    format: IdFormat,
    /// The ids that the request contains so far.
    used: HashSet<String>,
    /// The calls of the latest assistant message, each as its id in the chat and in the request.
    turn: Vec<(String, String)>,
}

impl CallIds {
    pub(crate) fn new(format: IdFormat) -> Self {
        CallIds { format, used: HashSet::new(), turn: Vec::new() }
    }

    /// Chooses the ids of the calls in an assistant message. Those of a raw turn do not change.
    pub(crate) fn add_turn(&mut self, message: &Message, is_raw: bool) {
        self.turn.clear();
        for call in message.tool_calls() {
            let id = if is_raw { call.id.clone() } else { self.choose(&call.id) };
            self.used.insert(id.clone());
            self.turn.push((call.id.clone(), id));
        }
    }

    /// Returns the id in the request for a call of the latest assistant message.
    pub(crate) fn get<'a>(&'a self, id: &'a str) -> &'a str {
        self.turn.iter().find(|(known, _)| known == id).map_or(id, |(_, sent)| sent)
    }

    fn choose(&self, id: &str) -> String {
        let is_free = |id: &String| !self.used.contains(id);
        let base = match self.format {
            IdFormat::Name => last_characters(
                id.chars().map(|it| if is_name_character(it) { it } else { '_' }),
                MAX_LENGTH,
            ),
            // The beginning of an id is often the same for all calls.
            IdFormat::Short => {
                let id =
                    last_characters(id.chars().filter(char::is_ascii_alphanumeric), SHORT_LENGTH);
                format!("{id:0>SHORT_LENGTH$}")
            }
            IdFormat::Length40 => last_characters(id.chars(), OPENAI_LENGTH),
        };
        let numbered = (2_usize..).map(|number| self.with_number(&base, number));
        std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or_default()
    }

    fn with_number(&self, base: &str, number: usize) -> String {
        let (suffix, length) = match self.format {
            IdFormat::Name => (format!("_{number}"), MAX_LENGTH),
            IdFormat::Short => (number.to_string(), SHORT_LENGTH),
            IdFormat::Length40 => (format!("_{number}"), OPENAI_LENGTH),
        };
        let count = length.saturating_sub(suffix.len());
        base.chars().take(count).chain(suffix.chars()).collect()
    }
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

fn last_characters(characters: impl Iterator<Item = char>, count: usize) -> String {
    let characters: Vec<char> = characters.collect();
    characters.iter().skip(characters.len().saturating_sub(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::{CallIds, IdFormat};
    use crate::chat::{Message, Part, Role, ToolCall};

    fn turn(ids: &[&str]) -> Message {
        let calls = ids.iter().map(|id| Part::ToolCall(ToolCall::new(*id, "f", "{}")));
        Message::new(Role::Assistant, calls.collect())
    }

    /// Returns the ids that the turns of a conversation are sent with.
    fn sent(format: IdFormat, turns: &[&[&str]]) -> Vec<Vec<String>> {
        let mut ids = CallIds::new(format);
        let send = |turn_ids: &&[&str]| {
            ids.add_turn(&turn(turn_ids), false);
            turn_ids.iter().map(|id| ids.get(id).to_owned()).collect()
        };
        turns.iter().map(send).collect()
    }

    #[test]
    fn valid_ids_do_not_change() {
        let long = "a".repeat(64);
        let turns: &[&[&str]] = &[&["toolu_01A", "call-2"], &[&long, "1"]];
        assert_eq!(sent(IdFormat::Name, turns), turns);
        let turns: &[&[&str]] = &[&["a1B2c3D4e", "000000000"]];
        assert_eq!(sent(IdFormat::Short, turns), turns);
    }

    #[test]
    fn other_ids_become_valid_and_unique() {
        let long = format!("{}end", "é".repeat(80));
        let turns: &[&[&str]] = &[&["functions.f:0", "functions_f_0"], &[&long], &["call_0"]];
        let mut expected = sent(IdFormat::Name, turns);
        assert_eq!(expected[0], ["functions_f_0", "functions_f_0_2"]);
        assert_eq!(expected[1], [format!("{}end", "_".repeat(61))]);
        // A later turn does not change the ids of earlier ones.
        expected.push(vec!["call_0_2".to_owned()]);
        let turns: &[&[&str]] =
            &[&["functions.f:0", "functions_f_0"], &[&long], &["call_0"], &["call_0"]];
        assert_eq!(sent(IdFormat::Name, turns), expected);

        let turns: &[&[&str]] = &[&["tooluse_bpe71yCfRu2b5i-nKGDr5g", "call_0", "call_0_"], &[""]];
        let expected = [vec!["5inKGDr5g", "0000call0", "0000call2"], vec!["000000000"]];
        assert_eq!(sent(IdFormat::Short, turns), expected);

        let (long, cut) = (format!("fc_{}", "é".repeat(40)), "é".repeat(40));
        let turns: &[&[&str]] = &[&["functions.f:0", &long], &[&long]];
        let expected =
            [vec!["functions.f:0".to_owned(), cut], vec![format!("{}_2", "é".repeat(38))]];
        assert_eq!(sent(IdFormat::Length40, turns), expected);
    }

    #[test]
    fn ids_of_raw_turns_are_not_given_to_other_calls() {
        let mut ids = CallIds::new(IdFormat::Name);
        ids.add_turn(&turn(&["a.b"]), true);
        assert_eq!(ids.get("a.b"), "a.b");
        ids.add_turn(&turn(&["a.b"]), false);
        assert_eq!(ids.get("a.b"), "a_b");
        ids.add_turn(&turn(&["a_b"]), true);
        ids.add_turn(&turn(&["a_b"]), false);
        assert_eq!(ids.get("a_b"), "a_b_2");
    }
}
