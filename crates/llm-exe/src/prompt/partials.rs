//! Partials are templates that other templates include by name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::error::{ProblemKind, TemplateProblem};
use super::syntax::tree::{Expr, Partial, PartialName};
use super::unit::Unit;
use crate::request::suggestion;
use crate::word_list::contains_word;

/// A set of named partials. Clones share the compiled partials.
#[derive(Debug, Clone, Default)]
pub struct Partials {
    units: Arc<HashMap<String, Arc<Unit>>>,
}

/// The names and sources of the built-in partials, which match those of the npm package llm-exe.
/// Their variables are arguments. [`ARGUMENTS`] determines which ones are reported as missing.
const BUILTIN: &[(&str, &str)] = &[
    ("MarkdownCode", MARKDOWN_CODE),
    ("JsonSchema", JSON_SCHEMA),
    ("JsonSchemaExampleJson", JSON_SCHEMA_EXAMPLE_JSON),
    (DIALOGUE_HISTORY, DIALOGUE_HISTORY_TEXT),
    ("ChatConversationHistory", CHAT_CONVERSATION_HISTORY),
    ("SingleChatMessage", SINGLE_CHAT_MESSAGE),
    ("ThoughtsAndObservations", THOUGHTS_AND_OBSERVATIONS),
    ("ThoughtActionResult", THOUGHT_ACTION_RESULT),
];

/// The arguments of the built-in partials: on each line, the name of a partial, its required
/// arguments and, after a semicolon, the others. The arguments can be variables of the context.
const ARGUMENTS: &str = "\
MarkdownCode code; language
JsonSchema key; collapse
JsonSchemaExampleJson key; property collapse
DialogueHistory key; user assistant system title mostRecentRolePrefix mostRecentRoleSuffix \
mostRecentMessagePrefix mostRecentMessageSuffix
ChatConversationHistory chat_history; title userName assistantName systemName \
mostRecentRolePrefix mostRecentRoleSuffix mostRecentMessagePrefix mostRecentMessageSuffix
SingleChatMessage role content; name assistant system
ThoughtsAndObservations ; thoughts
ThoughtActionResult ; attributes title";

/// Returns the names of the required and of the other arguments of the built-in partial with the
/// given name, separated by spaces.
pub(super) fn builtin_arguments(name: &str) -> Option<(&'static str, &'static str)> {
    let line = ARGUMENTS.split('\n').find(|line| line.split(' ').next() == Some(name))?;
    line.get(name.len()..)?.split_once(';')
}

/// Returns whether a built-in partial looks up the variable at the path `key`.
pub(super) fn reads_key(name: &str) -> bool {
    builtin_arguments(name).is_some_and(|(required, _)| contains_word(required, "key"))
}

/// The name of the dialogue history partial. A message that contains only this partial is replaced
/// by the messages of the history.
const DIALOGUE_HISTORY: &str = "DialogueHistory";

/// Arguments of `DialogueHistory` that have no effect when the partial is replaced by messages.
const SPEAKER_NAMES: [&str; 3] = ["user", "assistant", "system"];

/// Renders `code` in a fenced code block, labelled with `language`.
const MARKDOWN_CODE: &str = "\
{{#if code}}
```{{#if language}}{{language}}{{/if}}
{{code}}
```
{{~/if}}";

/// Looks up a JSON Schema by the path `key` and renders it in a fenced code block. With `collapse`,
/// the schema is on one line.
const JSON_SCHEMA: &str = "\
{{#if (getKeyOr key)}}
```json
{{indentJson (getKeyOr key) collapse}}
```
{{~/if}}";

/// Looks up a JSON Schema by the path `key` and renders an example for it in a fenced code block.
const JSON_SCHEMA_EXAMPLE_JSON: &str = "\
{{#if (getOr key)}}
```json
{{jsonSchemaExample key property collapse}}
```
{{~/if}}";

/// Looks up chat messages by the path `key` and renders them as text.
const DIALOGUE_HISTORY_TEXT: &str = "\
{{> ChatConversationHistory
  chat_history=(getKeyOr key)
  userName=(getOr user 'User')
  assistantName=(getOr assistant 'Assistant')
  systemName=(getOr system 'System')
}}";

/// Renders the messages of `chat_history` as text, one message per line. The `mostRecent…`
/// arguments add text around the speaker and the content of the last message.
const CHAT_CONVERSATION_HISTORY: &str = "\
{{#if chat_history.length}}{{#if title}}{{title}}{{/if}}{{/if}}
{{#each chat_history as |message|}}
{{#if (eq message.role 'system')}}
{{../systemName}}: {{message.content}}
{{else if (eq message.role 'user, assistant')}}
{{#if @last}}{{../mostRecentRolePrefix}}{{/if~}}
{{#if (eq message.role 'user')}}{{../userName}}{{else}}{{../assistantName}}{{/if~}}
{{#if @last}}{{../mostRecentRoleSuffix}}{{/if}}: {{#if @last~}}
{{../mostRecentMessagePrefix}}{{message.content}}{{../mostRecentMessageSuffix~}}
{{else}}{{message.content}}{{/if}}
{{/if}}
{{/each}}";

/// Renders one chat message as its speaker and its `content`. The arguments can override the
/// default speaker name of each role.
const SINGLE_CHAT_MESSAGE: &str = "\
{{~#if (eq role 'user')}}{{getOr name 'User'}}: {{content}}{{/if~}}
{{~#if (eq role 'assistant')}}{{getOr assistant 'Assistant'}}: {{content}}{{/if~}}
{{~#if (eq role 'system')}}{{getOr system 'System'}}: {{content}}{{/if~}}";

/// Renders the thought and the observation of each element of `thoughts`.
const THOUGHTS_AND_OBSERVATIONS: &str = "\
{{#each thoughts as |step|}}
{{#if step.thought}}
Thought: {{step.thought}}
{{/if}}
{{#if step.observation}}
Observation: {{step.observation}}
{{/if}}
{{/each}}";

/// Renders the thought, action and result of each element of `attributes.stepsTaken`.
const THOUGHT_ACTION_RESULT: &str = "
{{#if attributes.stepsTaken.length}}{{#if title}}{{title}}
{{/if}}{{/if}}
{{#each attributes.stepsTaken as |step|}}
{{#if step.thought}}Thought: {{step.thought}}{{/if}}
{{#if step.result}}Action: {{step.action}}{{/if}}
{{#if step.result}}Result: {{step.result}}{{/if}}
{{/each}}";

static COMPILED: LazyLock<Partials> = LazyLock::new(|| {
    let mut partials = Partials::default();
    for (name, source) in BUILTIN {
        // Errors can be ignored because a test checks that all built-in partials compile.
        if let Ok((mut unit, _)) = Unit::new(Some(name), source) {
            unit.optional_variables = true;
            partials.insert(name, unit);
        }
    }
    partials
});

impl Partials {
    /// Returns an empty set, which all templates without partials share.
    pub(crate) fn none() -> Self {
        static NONE: LazyLock<Partials> = LazyLock::new(Partials::default);
        NONE.clone()
    }

    /// Returns the built-in partials.
    pub fn builtin() -> Partials {
        COMPILED.clone()
    }

    /// Adds a partial, or replaces the existing partial with the same name. The source may include
    /// partials that are added later.
    ///
    /// # Errors
    /// Returns the first syntax error or, if the syntax is valid, one error for each unknown
    /// helper.
    pub fn add(&mut self, name: &str, source: &str) -> Result<(), Vec<TemplateProblem>> {
        let (unit, problems) = Unit::new(Some(name), source).map_err(|problem| vec![*problem])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        self.insert(name, unit);
        Ok(())
    }

    fn insert(&mut self, name: &str, unit: Unit) {
        Arc::make_mut(&mut self.units).insert(name.to_owned(), Arc::new(unit));
    }

    /// Returns the partial with the given name.
    pub(super) fn get(&self, name: &str) -> Option<&Unit> {
        self.units.get(name).map(|unit| &**unit)
    }

    /// Returns the names of all partials in sorted order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.units.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Returns a problem for each undefined partial that a template includes, directly or through
    /// other partials.
    pub(super) fn unknown_in(&self, template: &Unit) -> Vec<TemplateProblem> {
        if !template.analysis.includes_partials {
            return Vec::new();
        }
        let mut reached: HashSet<&str> = HashSet::new();
        let mut units = vec![template];
        let mut next = 0;
        while let Some(unit) = units.get(next) {
            let names = unit.analysis.partials.iter().map(|(name, _)| &**name);
            let new = names.filter(|name| reached.insert(name)).filter_map(|name| self.get(name));
            let new: Vec<&Unit> = new.collect();
            units.extend(new);
            next += 1;
        }
        // Whether an inline partial is visible to a tag is known only during rendering. This check
        // therefore accepts any name that is defined in any of the sources.
        let inlines: HashSet<&str> =
            units.iter().flat_map(|unit| &unit.analysis.inlines).map(|name| &**name).collect();
        let mut problems = Vec::new();
        for unit in units {
            for (name, at) in &unit.analysis.partials {
                if self.get(name).is_none() && !inlines.contains(&**name) {
                    let known: Vec<&str> = self
                        .units
                        .keys()
                        .map(|name| &**name)
                        .chain(inlines.iter().copied())
                        .collect();
                    let hint = suggestion(name, &known);
                    let message = format!("unknown partial `{name}`{hint}");
                    problems.push(unit.problem(ProblemKind::UnknownPartial, *at, message));
                }
            }
        }
        problems
    }
}

/// Returns the key if the partial is `{{> DialogueHistory key='…'}}`, or `None` for any other
/// partial.
pub(super) fn dialogue_history_key(partial: &Partial) -> Option<&str> {
    let PartialName::Fixed(name) = &partial.name else {
        return None;
    };
    if &**name != DIALOGUE_HISTORY || partial.context.is_some() || partial.block.is_some() {
        return None;
    }
    let mut history_key = None;
    for pair in &partial.hash {
        match (&*pair.key, &pair.value) {
            ("key", Expr::Text(key)) => history_key = history_key.or(Some(&**key)),
            (name, _) if SPEAKER_NAMES.contains(&name) => {}
            _ => return None,
        }
    }
    history_key
}
