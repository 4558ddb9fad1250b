//! Remembers which parts of requests a provider rejected, so that later requests do not contain
//! them.
//!
//! The capability tables do not contain every model. If a provider rejects a part of a request that
//! can be changed, the part is changed and the request is sent again. The change is remembered once
//! the changed request succeeds.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::chat::{Chat, Sampling, Structure, ToolChoice};
use crate::providers::{RejectedPart, Rejection, SamplingOption};
use crate::schema::Schema;

/// Number of methods for making the reply match a schema.
pub(super) const MAX_METHODS: usize = 5;
/// Maximum number of changes to remember. The oldest ones are forgotten.
const MAX_LEARNED_CHANGES: usize = 1000;
/// How long a change is remembered. A provider may accept the part again, for example after a
/// defect of its API was fixed.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A change to requests after a provider's rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestChange {
    /// The provider's name.
    pub provider: String,
    /// The model name, as in the caller's request.
    pub model: String,
    /// The part of the request that the provider rejected, such as `options.temperature`.
    pub field: &'static str,
    /// What the requests contain instead, such as `dropped`.
    pub change: String,
    /// The words of the provider's message that reject the part, in the report of the run that
    /// learned the change. They quote nothing of the request.
    pub evidence: Option<String>,
}

/// A change to a request that makes the provider accept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The option is dropped.
    Drop(SamplingOption),
    /// The effort is replaced, or dropped.
    Effort { from: String, to: Option<&'static str> },
    /// The output limit is lowered to `limit` tokens. If the request had no limit, `default_for`
    /// contains its effort, on which the default limit depends.
    OutputLimit { limit: u64, default_for: Option<Option<String>> },
    /// The schema is sent with a weaker method, which `sent` describes. With a hash in `schema`,
    /// the change applies only to the schema with this hash.
    Structure { rejected: SchemaMethod, schema: Option<u64>, sent: &'static str },
    /// The model is not forced to call a tool.
    ToolChoice,
    /// The model may call several tools in one turn.
    ParallelToolCalls,
    /// The request is sent to the Responses API instead of chat completions. The need for it can
    /// depend on whether the request has tools.
    ResponsesApi { with_tools: bool },
    /// The reply is not streamed. A model can lack streams only in requests with tools.
    Unstreamed { with_tools: bool },
}

/// An API of a provider. What one API of a provider rejects, another one may accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Api<'a> {
    /// The provider's name.
    pub(super) provider: &'a str,
    /// Whether it is the Responses API of a provider that also has chat completions.
    pub(super) is_responses: bool,
}

/// A method for making the reply match a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaMethod {
    /// The provider's field for schemas, in any mode.
    Native,
    /// The same field in the mode that guarantees a valid reply.
    Strict,
    /// The same field in another mode.
    Loose,
    ForcedTool,
    JsonMode,
}

impl SchemaMethod {
    fn includes(self, structure: &Structure) -> bool {
        match structure {
            Structure::Native { strict: true, .. } => {
                matches!(self, SchemaMethod::Native | SchemaMethod::Strict)
            }
            Structure::Native { strict: false, .. } => {
                matches!(self, SchemaMethod::Native | SchemaMethod::Loose)
            }
            Structure::ForcedTool { .. } => self == SchemaMethod::ForcedTool,
            Structure::JsonMode => self == SchemaMethod::JsonMode,
            Structure::Free | Structure::PromptOnly => false,
        }
    }
}

impl Change {
    /// Chooses the changes for a rejection. Returns none if the request does not contain the
    /// rejected part, or if that part can't be changed. With `only_options`, the schema is not sent
    /// with another method and the API stays the same, because a completed turn of the conversation
    /// depends on the current ones.
    pub(super) fn for_rejection(
        rejection: Rejection,
        chat: &Chat,
        schema: Option<&Schema>,
        only_options: bool,
    ) -> Vec<Change> {
        let set_options = |options: Vec<SamplingOption>| {
            let mut sampling = chat.sampling.clone();
            let set = options.into_iter().filter(|option| option.clear(&mut sampling));
            set.map(Change::Drop).collect::<Vec<_>>()
        };
        let part = match rejection.part {
            RejectedPart::Options(options) => {
                let mut set = set_options(options);
                if rejection.is_exclusive {
                    // One of the options stays.
                    set.truncate(2);
                    set.drain(..set.len().saturating_sub(1));
                }
                return set;
            }
            part => part,
        };
        let change = Change::for_part(part, chat, schema);
        let is_option = |change: &Change| {
            !matches!(change, Change::Structure { .. } | Change::ResponsesApi { .. })
        };
        let is_allowed = |change: &Change| !only_options || is_option(change);
        change.filter(is_allowed).into_iter().collect()
    }

    /// Chooses the change for the rejection of one part of the request.
    fn for_part(part: RejectedPart, chat: &Chat, schema: Option<&Schema>) -> Option<Change> {
        match part {
            RejectedPart::Effort(supported) => {
                let from = chat.sampling.effort.clone()?;
                let to = supported.nearest(&from);
                (to != Some(&*from)).then_some(Change::Effort { from, to })
            }
            RejectedPart::OutputLimit(limit) => match chat.sampling.max_tokens {
                Some(requested) if requested <= limit => None,
                requested => {
                    let effort = requested.is_none().then(|| chat.sampling.effort.clone());
                    Some(Change::OutputLimit { limit, default_for: effort })
                }
            },
            RejectedPart::Format => {
                let rejected = match chat.structure {
                    Structure::Native { .. } => SchemaMethod::Native,
                    Structure::JsonMode => SchemaMethod::JsonMode,
                    _ => return None,
                };
                Some(Change::Structure { rejected, schema: None, sent: "" })
            }
            RejectedPart::Schema | RejectedPart::ToolSchema => {
                let rejected = match (&chat.structure, part) {
                    (Structure::Native { strict: true, .. }, RejectedPart::Schema) => {
                        SchemaMethod::Strict
                    }
                    (Structure::Native { .. }, RejectedPart::Schema) => SchemaMethod::Loose,
                    // The only tool is the one for the reply.
                    (Structure::ForcedTool { .. }, _) if chat.tools.is_empty() => {
                        SchemaMethod::ForcedTool
                    }
                    _ => return None,
                };
                Some(Change::Structure { rejected, schema: Some(hash_schema(schema?)), sent: "" })
            }
            // The caller's tools are never dropped.
            RejectedPart::Tools => match chat.structure {
                Structure::ForcedTool { .. } if chat.tools.is_empty() => Some(Change::Structure {
                    rejected: SchemaMethod::ForcedTool,
                    schema: None,
                    sent: "",
                }),
                _ => None,
            },
            RejectedPart::ToolChoice => match (&chat.structure, &chat.tool_choice) {
                (Structure::ForcedTool { .. }, _) => Some(Change::Structure {
                    rejected: SchemaMethod::ForcedTool,
                    schema: None,
                    sent: "",
                }),
                (_, ToolChoice::Required | ToolChoice::Named(_)) if !chat.tools.is_empty() => {
                    Some(Change::ToolChoice)
                }
                _ => None,
            },
            RejectedPart::ParallelToolCalls => {
                (!chat.parallel_tool_calls).then_some(Change::ParallelToolCalls)
            }
            RejectedPart::ChatCompletions => {
                Some(Change::ResponsesApi { with_tools: !chat.tools.is_empty() })
            }
            RejectedPart::Options(_) => None,
        }
    }

    /// Applies the change to the options of a request, and returns whether it applies. The
    /// structure, the API and the stream are changed by the conversation, which knows the schema
    /// and the provider.
    pub(super) fn apply(&self, chat: &mut Chat) -> bool {
        let sampling = &mut chat.sampling;
        match self {
            Change::Drop(option) => option.clear(sampling),
            Change::Effort { from, to } => {
                let applies = sampling.effort.as_ref() == Some(from);
                if applies {
                    sampling.effort = to.map(str::to_owned);
                }
                applies
            }
            Change::OutputLimit { limit, default_for } => {
                let applies = match sampling.max_tokens {
                    Some(requested) => requested > *limit,
                    None => default_for.as_ref() == Some(&sampling.effort),
                };
                if applies {
                    sampling.max_tokens = Some(*limit);
                }
                applies
            }
            Change::ToolChoice => {
                let is_forced =
                    matches!(chat.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
                if is_forced {
                    chat.tool_choice = ToolChoice::Auto;
                }
                is_forced && !chat.tools.is_empty()
            }
            Change::ParallelToolCalls => !std::mem::replace(&mut chat.parallel_tool_calls, true),
            Change::Structure { .. } | Change::ResponsesApi { .. } | Change::Unstreamed { .. } => {
                false
            }
        }
    }

    /// Returns whether the change excludes a method for making the reply match a schema.
    pub(super) fn excludes(&self, structure: &Structure) -> bool {
        matches!(self, Change::Structure { rejected, .. } if rejected.includes(structure))
    }

    /// Replaces a structure that the change excludes with the next weaker one that it allows.
    pub(super) fn weaken(
        &mut self,
        structure: &mut Structure,
        weaker: impl Fn(&Structure) -> Structure,
    ) {
        // A dialect that the program implements could return the same structure again.
        for _ in 0..MAX_METHODS {
            if !self.excludes(structure) {
                break;
            }
            *structure = weaker(structure);
        }
        if self.excludes(structure) {
            *structure = Structure::PromptOnly;
        }
        if let Change::Structure { sent, .. } = self {
            *sent = match structure {
                Structure::Native { .. } => "without strict mode",
                Structure::ForcedTool { .. } => "as a tool",
                Structure::JsonMode => "in the prompt, with JSON mode",
                Structure::PromptOnly | Structure::Free => "only in the prompt",
            };
        }
    }

    /// Returns the part of the request that was rejected.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Change::Drop(option) => option.path(),
            Change::Effort { .. } => "options.effort",
            Change::OutputLimit { .. } => "options.maxTokens",
            Change::Structure { .. } => "schema",
            Change::ToolChoice => "toolChoice",
            Change::ParallelToolCalls => "parallelToolCalls",
            Change::ResponsesApi { .. } => "api",
            Change::Unstreamed { .. } => "stream",
        }
    }

    /// Describes the change for a target.
    pub(super) fn report(&self, provider: &str, model: &str) -> RequestChange {
        let (provider, model) = (provider.to_owned(), model.to_owned());
        let (field, change) = (self.field(), self.description());
        RequestChange { provider, model, field, change, evidence: None }
    }

    /// Returns what is sent instead.
    fn description(&self) -> String {
        match self {
            Change::Effort { from, to: Some(to) } => format!("sent as {to:?} instead of {from:?}"),
            Change::Effort { from, to: None } => format!("dropped if it is {from:?}"),
            Change::OutputLimit { limit, .. } => format!("lowered to {limit}"),
            Change::Structure { sent, .. } => format!("sent {sent}"),
            Change::ResponsesApi { .. } => "Responses instead of chat completions".to_owned(),
            Change::Drop(_)
            | Change::ToolChoice
            | Change::ParallelToolCalls
            | Change::Unstreamed { .. } => "dropped".to_owned(),
        }
    }

    /// Returns the warning about the change. It does not quote the provider's message, because
    /// warnings can be logged.
    pub(super) fn warning(&self, model: &str) -> String {
        let change = match self {
            Change::Unstreamed { .. } => {
                let reason = "the provider rejected a stream of";
                return format!("the text is not streamed: {reason} {model}");
            }
            Change::Effort { to: None, .. } => "dropped".to_owned(),
            change => change.description(),
        };
        let reason = match self {
            Change::OutputLimit { .. } => "the provider rejects a higher value",
            Change::Structure { .. } => "the provider rejected a stronger method",
            Change::ResponsesApi { .. } => "the provider requires that API",
            _ => "the provider rejects it",
        };
        format!("{} is {change} for {model}: {reason}", self.field())
    }
}

fn hash_schema(schema: &Schema) -> u64 {
    let mut hasher = DefaultHasher::new();
    schema.written().to_string().hash(&mut hasher);
    hasher.finish()
}

/// A change to the requests for a model of a provider.
#[derive(Debug)]
struct LearnedChange {
    provider: String,
    /// Whether the request was rejected by the Responses API.
    is_responses: bool,
    model: String,
    /// Whether the rejected request turned reasoning on or off, or `None` if it left this to the
    /// provider. Many models accept a part only in one of these states.
    reasoning: Option<bool>,
    change: Change,
    learned_at: Instant,
}

impl LearnedChange {
    fn is_for(&self, api: Api<'_>, model: &str) -> bool {
        let Api { provider, is_responses } = api;
        self.provider == provider && self.is_responses == is_responses && self.model == model
    }

    /// Returns whether the change applies to requests with this state of reasoning. A change of
    /// the effort depends on the effort itself.
    fn fits(&self, reasoning: Option<bool>) -> bool {
        self.reasoning == reasoning || matches!(self.change, Change::Effort { .. })
    }
}

/// The changes that the process has learned.
#[derive(Debug, Default)]
pub(super) struct LearnedChanges {
    /// The changes in the order in which they were learned.
    changes: Mutex<VecDeque<LearnedChange>>,
    /// The number of changes, so that requests do not wait for the lock while there are none.
    count: AtomicUsize,
}

impl LearnedChanges {
    /// Remembers a change. Returns a report about it, unless it is known already.
    pub(super) fn add(
        &self,
        api: Api<'_>,
        model: &str,
        reasoning: Option<bool>,
        change: Change,
    ) -> Option<RequestChange> {
        let report = change.report(api.provider, model);
        let learned_at = Instant::now();
        let mut changes = self.lock(learned_at);
        let is_same = |known: &LearnedChange| {
            known.is_for(api, model) && known.reasoning == reasoning && known.change == change
        };
        if changes.iter().any(is_same) {
            return None;
        }
        if changes.len() >= MAX_LEARNED_CHANGES {
            changes.pop_front();
        }
        let Api { provider, is_responses } = api;
        let (provider, model) = (provider.to_owned(), model.to_owned());
        let learned =
            LearnedChange { provider, is_responses, model, reasoning, change, learned_at };
        changes.push_back(learned);
        self.count.store(changes.len(), Ordering::Release);
        Some(report)
    }

    /// Locks the changes, and removes those that are older than [`LIFETIME`].
    fn lock(&self, now: Instant) -> MutexGuard<'_, VecDeque<LearnedChange>> {
        // Each operation leaves the list consistent, so a lock poisoned by a panic is safe to use.
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        while changes.front().is_some_and(|oldest| now - oldest.learned_at >= LIFETIME) {
            changes.pop_front();
        }
        self.count.store(changes.len(), Ordering::Release);
        changes
    }

    /// Returns the change of the API, if a provider rejected a request like this one in chat
    /// completions.
    pub(super) fn responses_api(&self, provider: &str, chat: &Chat) -> Option<Change> {
        let api = Api { provider, is_responses: false };
        self.find(api, chat, Change::ResponsesApi { with_tools: !chat.tools.is_empty() })
    }

    /// Returns the change that replaces a stream, if the API rejected a stream of a request like
    /// this one.
    pub(super) fn unstreamed(&self, api: Api<'_>, chat: &Chat) -> Option<Change> {
        self.find(api, chat, Change::Unstreamed { with_tools: !chat.tools.is_empty() })
    }

    /// Returns a change that does not depend on the state of reasoning, if it was learned.
    fn find(&self, api: Api<'_>, chat: &Chat, change: Change) -> Option<Change> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let changes = self.lock(Instant::now());
        let is_learned =
            changes.iter().any(|known| known.is_for(api, &chat.model) && known.change == change);
        is_learned.then_some(change)
    }

    /// Applies the changes that were learned for the API and the model of a chat, except for those
    /// of its structure and of the API itself. Returns the changes that apply.
    pub(super) fn apply(&self, api: Api<'_>, chat: &mut Chat) -> Vec<Change> {
        let mut applied = Vec::new();
        if self.count.load(Ordering::Acquire) == 0 {
            return applied;
        }
        let model = chat.model.clone();
        let changes = self.lock(Instant::now());
        let changes: Vec<&LearnedChange> =
            changes.iter().filter(|known| known.is_for(api, &model)).collect();
        // Other changes depend on the effort that is sent.
        let is_effort = |known: &&&LearnedChange| matches!(known.change, Change::Effort { .. });
        let effort_changes = changes.iter().filter(is_effort);
        let other_changes = changes.iter().filter(|known| !is_effort(known));
        for known in effort_changes.chain(other_changes) {
            if known.fits(reasoning(&chat.sampling)) && known.change.apply(chat) {
                applied.push(known.change.clone());
            }
        }
        applied
    }

    /// Returns the change that excludes the structure of a chat for a schema, if one was learned.
    pub(super) fn rejected_structure(
        &self,
        api: Api<'_>,
        chat: &Chat,
        schema: &Schema,
    ) -> Option<Change> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let hash = hash_schema(schema);
        let excludes = |change: &Change| {
            let applies = match change {
                Change::Structure { schema, .. } => schema.is_none_or(|rejected| rejected == hash),
                _ => false,
            };
            applies && change.excludes(&chat.structure)
        };
        let changes = self.lock(Instant::now());
        let mut changes = changes.iter().filter(|known| {
            known.is_for(api, &chat.model) && known.fits(reasoning(&chat.sampling))
        });
        changes.find(|known| excludes(&known.change)).map(|known| known.change.clone())
    }
}

/// Returns whether a request turns reasoning on or off, or `None` if it leaves this to the
/// provider.
pub(super) fn reasoning(sampling: &Sampling) -> Option<bool> {
    sampling.effort.as_deref().map(|effort| effort != "none")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::{Api, Change, LIFETIME, LearnedChanges, MAX_LEARNED_CHANGES, SchemaMethod};
    use crate::chat::{Chat, Structure, Tool, ToolChoice};
    use crate::providers::{RejectedPart, Rejection, SamplingOption};

    const API: Api<'_> = Api { provider: "p", is_responses: false };

    #[test]
    fn each_api_of_a_provider_has_its_own_changes() {
        let learned = LearnedChanges::default();
        let responses = Api { is_responses: true, ..API };
        learned.add(API, "m", None, Change::Drop(SamplingOption::Seed)).unwrap();
        let applies = |api| {
            let mut chat = Chat::new("m", Vec::new());
            chat.sampling.seed = Some(1);
            !learned.apply(api, &mut chat).is_empty()
        };
        assert!(applies(API) && !applies(responses));
    }

    #[test]
    fn the_change_of_the_api_depends_on_tools() {
        let learned = LearnedChanges::default();
        let mut chat = Chat::new("m", Vec::new());
        let change = Change::ResponsesApi { with_tools: true };
        learned.add(API, "m", Some(true), change.clone()).unwrap();
        assert_eq!(learned.responses_api("p", &chat), None);
        chat.tools = vec![Tool::new("f", json!({"type": "object"}))];
        assert_eq!(learned.responses_api("p", &chat), Some(change.clone()));
        assert_eq!(learned.responses_api("q", &chat), None);
        assert!(learned.apply(API, &mut chat).is_empty());
        assert_eq!(change.field(), "api");
    }

    #[test]
    fn oldest_changes_are_forgotten() {
        let learned = LearnedChanges::default();
        let change = || Change::Drop(SamplingOption::Seed);
        for number in 0..=MAX_LEARNED_CHANGES {
            let added = learned.add(API, &number.to_string(), None, change());
            assert!(added.is_some());
            assert!(learned.add(API, &number.to_string(), None, change()).is_none());
        }
        let applies = |model: &str| {
            let mut chat = Chat::new(model, Vec::new());
            chat.sampling.seed = Some(1);
            !learned.apply(API, &mut chat).is_empty()
        };
        assert!(!applies("0") && applies("1") && applies("1000"));
    }

    #[test]
    fn memory_for_many_models_is_bounded() {
        let learned = LearnedChanges::default();
        for number in 0..10_000 {
            learned.add(API, &number.to_string(), None, Change::Drop(SamplingOption::Seed));
        }
        let changes = learned.lock(Instant::now());
        assert_eq!(changes.len(), MAX_LEARNED_CHANGES);
        assert!(changes.capacity() <= 2 * MAX_LEARNED_CHANGES, "{}", changes.capacity());
    }

    #[test]
    fn changes_are_forgotten_after_an_hour() {
        let learned = LearnedChanges::default();
        let add = || learned.add(API, "m", None, Change::Drop(SamplingOption::Seed));
        let applies = || {
            let mut chat = Chat::new("m", Vec::new());
            chat.sampling.seed = Some(1);
            !learned.apply(API, &mut chat).is_empty()
        };
        add().unwrap();
        let start = Instant::now();
        drop(learned.lock(start + LIFETIME - Duration::from_secs(60)));
        assert!(applies());
        drop(learned.lock(start + LIFETIME));
        assert!(!applies());
        // The change is learned and reported again.
        add().unwrap();
        assert!(applies());
    }

    #[test]
    fn tools_are_never_dropped() {
        let mut chat = Chat::new("m", Vec::new());
        chat.tools = vec![Tool::new("f", json!({"type": "object"}))];
        chat.tool_choice = ToolChoice::Required;
        chat.parallel_tool_calls = false;
        let mut change = |part| {
            let (is_exclusive, is_general) = (false, true);
            let rejection = Rejection { part, is_exclusive, is_general, evidence: String::new() };
            let change = Change::for_rejection(rejection, &chat, None, true).pop()?;
            let applies = change.apply(&mut chat);
            assert!(applies && !change.apply(&mut chat), "{change:?}");
            Some(change)
        };
        assert_eq!(change(RejectedPart::ToolSchema), None);
        assert_eq!(change(RejectedPart::ToolChoice), Some(Change::ToolChoice));
        assert_eq!(change(RejectedPart::ToolChoice), None);
        assert_eq!(change(RejectedPart::ParallelToolCalls), Some(Change::ParallelToolCalls));
        assert_eq!(chat.tools.len(), 1);
    }

    #[test]
    fn a_dialect_without_a_weaker_structure_sends_the_schema_in_the_prompt() {
        let strict = || Structure::Native { name: "n".to_owned(), schema: json!({}), strict: true };
        let mut structure = strict();
        let mut change =
            Change::Structure { rejected: SchemaMethod::Native, schema: None, sent: "" };
        change.weaken(&mut structure, |_| strict());
        assert_eq!(structure, Structure::PromptOnly);
        assert!(change.warning("m").contains("only in the prompt"));
    }
}
