//! Partials: templates that other templates include by name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::error::{ProblemKind, TemplateProblem};
use super::syntax::tree::{Expr, Partial, PartialName};
use super::unit::Unit;

/// Partials by name. Clones share the compiled partials.
#[derive(Debug, Clone, Default)]
pub struct Partials {
    units: Arc<HashMap<String, Arc<Unit>>>,
}

/// The built-in partials, as in npm llm-exe. All their variables are optional arguments, so that
/// missing ones are not reported.
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

/// The partial that is replaced by messages if a message consists of it alone.
const DIALOGUE_HISTORY: &str = "DialogueHistory";

/// Arguments of `DialogueHistory` that have no effect on messages.
const SPEAKER_NAMES: [&str; 3] = ["user", "assistant", "system"];

/// `code` in a fenced block, with its `language`.
const MARKDOWN_CODE: &str = "\
{{#if code}}
```{{#if language}}{{language}}{{/if}}
{{code}}
```
{{~/if}}";

/// The JSON Schema under `key` in a fenced block; on one line with `collapse`.
const JSON_SCHEMA: &str = "\
{{#if (getKeyOr key)}}
```json
{{indentJson (getKeyOr key) collapse}}
```
{{~/if}}";

/// An example for the JSON Schema under `key` in a fenced block; see the helper
/// `jsonSchemaExample`.
const JSON_SCHEMA_EXAMPLE_JSON: &str = "\
{{#if (getOr key)}}
```json
{{jsonSchemaExample key property collapse}}
```
{{~/if}}";

/// The messages under `key` as text.
const DIALOGUE_HISTORY_TEXT: &str = "\
{{> ChatConversationHistory
  chat_history=(getKeyOr key)
  userName=(getOr user 'User')
  assistantName=(getOr assistant 'Assistant')
  systemName=(getOr system 'System')
}}";

/// The messages of `chat_history` as text, one per line. The `mostRecent…` arguments are rendered
/// around the speaker and the text of the last message.
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

/// One message as text, from `role`, `content` and the names for the roles.
const SINGLE_CHAT_MESSAGE: &str = "\
{{~#if (eq role 'user')}}{{getOr name 'User'}}: {{content}}{{/if~}}
{{~#if (eq role 'assistant')}}{{getOr assistant 'Assistant'}}: {{content}}{{/if~}}
{{~#if (eq role 'system')}}{{getOr system 'System'}}: {{content}}{{/if~}}";

/// `thoughts`, each with its observation.
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
        // All of them compile; a test checks it.
        if let Ok((mut unit, _)) = Unit::new(Some(name), source) {
            unit.optional_variables = true;
            partials.insert(name, unit);
        }
    }
    partials
});

impl Partials {
    /// Returns the built-in partials.
    pub fn builtin() -> Partials {
        COMPILED.clone()
    }

    /// Adds or replaces a partial. It may use partials that are added later.
    ///
    /// # Errors
    /// The first syntax error; if there is none, every unknown helper.
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

    /// Returns the partial with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Unit> {
        self.units.get(name).map(|unit| &**unit)
    }

    /// Returns the names of all partials, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.units.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Finds the undefined partials that a template includes, directly or through other partials.
    pub(super) fn unknown_in(&self, template: &Unit) -> Vec<TemplateProblem> {
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
        // An inline partial is visible to every partial that its program includes. Whether it is
        // visible at a given tag is only known while rendering, so any definition is accepted here.
        let inlines: HashSet<&str> =
            units.iter().flat_map(|unit| &unit.analysis.inlines).map(|name| &**name).collect();
        let mut problems = Vec::new();
        for unit in units {
            for (name, at) in &unit.analysis.partials {
                if self.get(name).is_none() && !inlines.contains(&**name) {
                    let message = format!("unknown partial `{name}`");
                    problems.push(unit.problem(ProblemKind::UnknownPartial, *at, message));
                }
            }
        }
        problems
    }
}

/// Returns the key of `{{> DialogueHistory key='…'}}`, or `None` for any other partial.
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
