//! Partials: templates that others include by name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::Unit;
use super::ast::{Expr, Partial, PartialName};
use super::error::{ProblemKind, TemplateProblem};

/// Partials by name. Cloning shares what was compiled.
#[derive(Debug, Clone, Default)]
pub struct Partials {
    units: Arc<HashMap<String, Arc<Unit>>>,
}

/// The partials that come with llm-exe. Their arguments are optional, so what they lack is not
/// reported as missing.
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

/// `code` in a fence, with its `language`.
const MARKDOWN_CODE: &str = "\
{{#if code}}
```{{#if language}}{{language}}{{/if}}
{{code}}
```
{{~/if}}";

/// The JSON Schema at `key`, in a fence; on one line with `collapse`.
const JSON_SCHEMA: &str = "\
{{#if (getKeyOr key)}}
```json
{{indentJson (getKeyOr key) collapse}}
```
{{~/if}}";

/// An example for the JSON Schema at `key`, in a fence; see the helper `jsonSchemaExample`.
const JSON_SCHEMA_EXAMPLE_JSON: &str = "\
{{#if (getOr key)}}
```json
{{jsonSchemaExample key property collapse}}
```
{{~/if}}";

/// The messages at `key` as text.
const DIALOGUE_HISTORY_TEXT: &str = "\
{{> ChatConversationHistory
  chat_history=(getKeyOr key)
  userName=(getOr user 'User')
  assistantName=(getOr assistant 'Assistant')
  systemName=(getOr system 'System')
}}";

/// The messages of `chat_history` as text, a line each; what is given for the most recent one
/// goes around its speaker and its text if it is the last.
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

/// One message as text: `role`, `content`, and names for the roles.
const SINGLE_CHAT_MESSAGE: &str = "\
{{~#if (eq role 'user')}}{{getOr name 'User'}}: {{content}}{{/if~}}
{{~#if (eq role 'assistant')}}{{getOr assistant 'Assistant'}}: {{content}}{{/if~}}
{{~#if (eq role 'system')}}{{getOr system 'System'}}: {{content}}{{/if~}}";

/// `thoughts`, each with what was observed.
const THOUGHTS_AND_OBSERVATIONS: &str = "\
{{#each thoughts as |step|}}
{{#if step.thought}}
Thought: {{step.thought}}
{{/if}}
{{#if step.observation}}
Observation: {{step.observation}}
{{/if}}
{{/each}}";

/// `attributes.stepsTaken`, each with its action and result.
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
        // A test compiles each of them; one that did not compile would be unknown here.
        if let Ok((mut unit, _)) = Unit::new(Some(name), source) {
            unit.quiet = true;
            partials.insert(name, unit);
        }
    }
    partials
});

impl Partials {
    /// llm-exe's partials.
    pub fn builtin() -> Partials {
        COMPILED.clone()
    }

    /// Adds a partial, or puts another in the place of one. It may use partials that are added
    /// later.
    ///
    /// # Errors
    /// The first place that cannot be read; or else every unknown helper.
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

    pub(super) fn get(&self, name: &str) -> Option<&Unit> {
        self.units.get(name).map(|unit| &**unit)
    }

    /// The partials that a template asks for, itself or by way of others, and nobody defines.
    pub(super) fn unknown_in(&self, template: &Unit) -> Vec<TemplateProblem> {
        let mut reached: HashSet<&str> = HashSet::new();
        let mut units = vec![template];
        let mut next = 0;
        while let Some(unit) = units.get(next) {
            let names = unit.findings.partials.iter().map(|(name, _)| &**name);
            let new = names.filter(|name| reached.insert(name)).filter_map(|name| self.get(name));
            let new: Vec<&Unit> = new.collect();
            units.extend(new);
            next += 1;
        }
        // An inline partial is in reach of whatever its program calls, so one that is defined
        // anywhere may be meant; whether it is in reach shows when rendering.
        let inlines: HashSet<&str> =
            units.iter().flat_map(|unit| &unit.findings.inlines).map(|name| &**name).collect();
        let mut problems = Vec::new();
        for unit in units {
            for (name, at) in &unit.findings.partials {
                if self.get(name).is_none() && !inlines.contains(&**name) {
                    let message = format!("unknown partial `{name}`");
                    problems.push(unit.problem(ProblemKind::UnknownPartial, *at, message));
                }
            }
        }
        problems
    }
}

/// The partial that stands for a conversation, and the pairs that do not matter to messages.
const DIALOGUE_HISTORY: &str = "DialogueHistory";
const SPEAKERS: [&str; 3] = ["user", "assistant", "system"];

/// The key given to `{{> DialogueHistory key='…'}}`.
pub(super) fn dialogue_history_key(partial: &Partial) -> Option<&str> {
    let PartialName::Fixed(name) = &partial.name else {
        return None;
    };
    if &**name != DIALOGUE_HISTORY || partial.context.is_some() || partial.block.is_some() {
        return None;
    }
    let mut found = None;
    for pair in &partial.hash {
        match (&*pair.key, &pair.value) {
            ("key", Expr::Text(key)) => found = found.or(Some(&**key)),
            (name, _) if SPEAKERS.contains(&name) => {}
            _ => return None,
        }
    }
    found
}
