//! The report of a run: what it did, how long it took and how many tokens it used.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::learned::RequestChange;
use crate::chat::{StopReason, Tags, ToolCall, Usage};
use crate::destination::ParsedDestination;
use crate::error::{Error, ErrorKind};
use crate::hosted::ConfigSource;
use crate::plan::{Plan, Returns, StreamFormat, Target};
use crate::providers::{CalledModel, Cost};

/// How long each part of a run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// The time to fetch and parse the hosted config, or zero if there is none.
    pub config: Duration,
    /// The time to get API keys.
    pub secrets: Duration,
    /// The time to call providers, including the waits between attempts.
    pub provider: Duration,
    /// The duration of the whole run.
    pub total: Duration,
}

/// Maximum number of warnings in a report.
const MAX_WARNINGS: usize = 200;

/// A target that failed, after which the next fallback was called.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FailedTarget {
    /// The provider's name.
    pub provider: String,
    /// The model name, as in the caller's request.
    pub model: String,
    /// Why the target failed.
    pub error: Error,
}

impl FailedTarget {
    fn to_stored(&self) -> [String; 4] {
        let FailedTarget { provider, model, error } = self;
        let (kind, message) = (error.kind().name().to_owned(), error.message().to_owned());
        [provider.clone(), model.clone(), kind, message]
    }

    fn from_stored([provider, model, kind, message]: [String; 4]) -> Self {
        let known = ErrorKind::ALL.iter().copied().find(|known| known.name() == kind);
        let error = Error::new(known.unwrap_or(ErrorKind::ProviderUnavailable), message);
        FailedTarget { provider, model, error }
    }
}

/// Maximum length of the arguments and of the result of a tool in a report, in characters.
const MAX_TOOL_TEXT: usize = 4_096;

/// A run of a tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolRunReport {
    /// The turn of the model that called the tool, counted from 1.
    pub turn: u32,
    /// The name of the tool.
    pub name: String,
    /// The beginning of the arguments, as the model wrote them. Empty unless the request asked for
    /// the `full` object or the run has an observer.
    pub arguments: String,
    /// The beginning of the result, or of the error that the model received. Empty unless the
    /// request asked for the `full` object or the run has an observer.
    pub outcome: Result<String, String>,
    /// The duration of the run.
    pub duration: Duration,
}

impl ToolRunReport {
    pub(super) fn new(
        turn: u32,
        call: &ToolCall,
        outcome: &Result<String, String>,
        duration: Duration,
        has_texts: bool,
    ) -> Self {
        let max = if has_texts { MAX_TOOL_TEXT } else { 0 };
        let cut = |text: &String| text.chars().take(max).collect::<String>();
        let outcome = outcome.as_ref().map(cut).map_err(cut);
        let (name, arguments) = (call.name.clone(), cut(&call.arguments));
        ToolRunReport { turn, name, arguments, outcome, duration }
    }
}

/// A step of a chain that ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The name of the step.
    pub name: String,
    /// Whether the step was skipped, because its condition was false.
    pub is_skipped: bool,
    /// Whether the step failed, or one of its items did.
    #[serde(default)]
    pub has_failed: bool,
    /// The result. `None` unless the step succeeded and the request asked for the `full` object.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_result")]
    pub result: Option<Value>,
    /// Number of items, for a step that runs for each item of a list.
    pub items: Option<usize>,
    /// Number of requests sent to providers, including retries and repairs.
    pub attempts: u32,
    /// The total token usage.
    pub usage: Usage,
    /// What the calls cost, if it is computed.
    pub cost: Option<Cost>,
    /// What this run paid for, if a part of the step was restored.
    #[serde(skip)]
    pub(super) paid: Option<Box<PaidCounts>>,
    /// The duration of the step.
    pub duration: Duration,
    /// The steps of a chain inside of the step.
    pub steps: Vec<StepReport>,
}

impl StepReport {
    /// Returns the number of requests that this run sent to providers, without those of an earlier
    /// run of the same request.
    pub fn paid_attempts(&self) -> u32 {
        self.paid.as_ref().map_or(self.attempts, |paid| paid.attempts)
    }

    /// Returns the token usage of the requests of this run.
    pub fn paid_usage(&self) -> Usage {
        self.paid.as_ref().map_or(self.usage, |paid| paid.usage)
    }

    /// Returns whether the step was restored from an earlier run of the same request, which paid
    /// for it.
    pub fn is_restored(&self) -> bool {
        self.attempts > 0 && self.paid_attempts() == 0
    }

    /// Records that an earlier run paid for the step.
    fn set_restored(&mut self) {
        self.paid = Some(Box::default());
        self.steps.iter_mut().for_each(StepReport::set_restored);
    }
}

/// What this run paid for, if it restored the progress of an earlier run of the same request.
#[derive(Debug, Clone, Default)]
pub(super) struct PaidCounts {
    pub(super) attempts: u32,
    pub(super) repairs: u32,
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
}

impl PaidCounts {
    fn add(&mut self, other: &PaidCounts) {
        self.attempts += other.attempts;
        self.repairs += other.repairs;
        self.usage.add(other.usage);
        if let Some(cost) = &other.cost {
            self.cost.get_or_insert_default().add(cost);
        }
    }
}

/// What a part of a run adds to its report.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct StoredCounts {
    pub(super) attempts: u32,
    pub(super) repairs: u32,
    pub(super) unknown_calls: u32,
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
    #[serde(serialize_with = "write_amount", deserialize_with = "read_amount")]
    pub(super) limited_cost: u128,
    pub(super) answered_model: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) tool_runs: Vec<ToolRunReport>,
    /// The targets that failed, each with its provider, its model, and the kind and the message of
    /// its error. Earlier versions did not store this field and the following ones.
    #[serde(default)]
    failed_targets: Vec<[String; 4]>,
    /// The target that was called last, for a step.
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stop_reason: Option<StopReason>,
    #[serde(default)]
    provider_stop_reason: Option<String>,
    #[serde(default)]
    has_tools: bool,
    /// The steps of a chain inside of a step.
    #[serde(default)]
    steps: Vec<StepReport>,
}

impl StoredCounts {
    /// Returns what a finished step adds to the report of its chain.
    pub(super) fn of_step(report: &Report) -> Self {
        let counts = StoredCounts {
            provider: report.provider.clone(),
            model: report.model.clone(),
            stop_reason: report.stop_reason,
            provider_stop_reason: report.provider_stop_reason.clone(),
            has_tools: report.has_tools,
            steps: report.steps.clone(),
            ..StoredCounts::of(report)
        };
        counts.with_failed_targets(report)
    }

    /// Returns only what the calls used, and the target that was called last.
    pub(super) fn of_calls(&self) -> Self {
        StoredCounts {
            attempts: self.attempts,
            repairs: self.repairs,
            unknown_calls: self.unknown_calls,
            usage: self.usage,
            cost: self.cost,
            answered_model: self.answered_model.clone(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            ..StoredCounts::default()
        }
    }

    /// Adds the targets that failed.
    pub(super) fn with_failed_targets(self, report: &Report) -> Self {
        let failed = report.passed_over.iter().flatten().map(FailedTarget::to_stored);
        StoredCounts { failed_targets: failed.collect(), ..self }
    }

    /// Returns the counts of a finished run.
    pub(super) fn of(report: &Report) -> Self {
        StoredCounts {
            attempts: report.attempts,
            repairs: report.repairs,
            unknown_calls: report.unknown_calls,
            usage: report.usage,
            cost: report.cost().copied().or(report.counts_cost.then(Cost::default)),
            limited_cost: report.limited_cost,
            answered_model: report.answered_model.clone(),
            warnings: report.warnings.clone(),
            tool_runs: report.tool_runs.clone(),
            ..StoredCounts::default()
        }
    }
}

/// Reads a result that is present, which can be null.
fn read_result<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Writes an amount as text, because not every JSON value can hold its number.
fn write_amount<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

fn read_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// A report of what a run did. It contains no prompts, replies or API keys, except
/// for the arguments and results in `tool_runs`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The name of the provider that was called last, or `None` if the request is invalid.
    pub provider: Option<String>,
    /// The model name, as in the caller's request.
    pub model: Option<String>,
    /// The targets that failed before the current one, or `None` if the request has no fallbacks.
    pub passed_over: Option<Vec<FailedTarget>>,
    /// The model that replied, as reported by the provider.
    pub answered_model: Option<String>,
    /// The name of the output parser.
    pub output: Option<String>,
    /// Whether a provider sent a successful response, which is usually billed.
    pub answered: bool,
    /// Whether the run is a chain that ended early, because a step of a chain around it failed.
    pub(super) is_stopped: bool,
    /// Whether a tool ended because no time was left.
    pub(super) lacked_time: bool,
    /// Number of requests sent to providers, including retries and repairs.
    pub attempts: u32,
    /// Number of repairs, which are requests that ask the model to correct an unusable reply.
    pub repairs: u32,
    /// The total token usage of all replies.
    pub usage: Usage,
    /// What this run paid for. `None` if that is all of the counts, because no progress of an
    /// earlier run was restored. Boxed, because most runs restore nothing.
    pub(super) paid: Option<Box<PaidCounts>>,
    /// The number of calls of providers that are in progress.
    pub(super) calls_in_progress: u32,
    /// Whether the run was cancelled, because its caller closed the stream.
    pub is_cancelled: bool,
    /// Whether the costs of calls are computed.
    pub(super) counts_cost: bool,
    /// Whether an unknown cost is a warning, because the request asked for the cost or limits it.
    pub(super) warns_of_cost: bool,
    /// The number of calls with unknown token counts that may be billed.
    pub(super) unknown_calls: u32,
    /// What the calls cost, if it is computed. Boxed, because most requests do not ask for it.
    cost: Option<Box<Cost>>,
    /// What the calls count toward a limit of the cost, in 10^-18 dollars. It can be more than
    /// their cost, because a call with an unknown cost counts as its highest cost.
    pub(super) limited_cost: u128,
    /// Why the operator's prices are not known, so that the cost is not known either.
    pub prices_error: Option<String>,
    /// Why the model stopped in the last reply.
    pub stop_reason: Option<StopReason>,
    /// The stop reason in the provider's own spelling.
    pub provider_stop_reason: Option<String>,
    /// How long each part of the run took.
    pub durations: Durations,
    /// Warnings, for example about ignored fields and dropped options.
    pub warnings: Vec<String>,
    /// How requests were changed because of what a provider rejected, in this run or before.
    pub changed: Vec<RequestChange>,
    /// What the process learned about the models that were called: what the provider rejected, and
    /// what later requests contain instead. Contains each fact only in the run that learned it.
    pub learned: Vec<RequestChange>,
    /// Whether the request has tools.
    pub has_tools: bool,
    /// Whether the result hands calls of tools back to the caller.
    pub handed_back: bool,
    /// The tools that ran, in the order of their calls.
    pub tool_runs: Vec<ToolRunReport>,
    /// The steps of a chain that ended, in the order of the request.
    pub steps: Vec<StepReport>,
    /// `sha256:` followed by the hash of the prompt before rendering. That of a chain covers the
    /// prompts of all steps.
    pub prompt_hash: Option<String>,
    /// The location of the hosted config that the request refers to, even if it was not found.
    /// Parts that may be secret, such as a URL's query, are removed.
    pub config_place: Option<String>,
    /// Whether a tool is the request of a pinned config, whose arguments and results are not shown.
    pub has_pinned_tools: bool,
    /// Whether the hosted config is pinned, so that its caller may not see the prompt.
    pub is_pinned: bool,
    /// The hosted config that was used, if any.
    pub config: Option<ConfigSource>,
    /// Whether this was a dry run, which calls no provider.
    pub dry_run: bool,
    /// The format of the stream that the request, or its hosted config, asked for.
    pub stream: Option<StreamFormat>,
    /// Whether the request asked for the `full` object. See
    /// [`Run::with_envelope`](super::Run::with_envelope).
    pub full: bool,
    /// The labels of the request.
    pub tags: Option<Tags>,
    /// Where the result is sent, if the request names a destination.
    pub destination: Option<ParsedDestination>,
}

impl Report {
    /// Sets the fields that are known once the request is validated. The fields about the hosted
    /// config are not changed.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        self.set_target(&plan.target);
        self.passed_over = (!plan.fallbacks.is_empty()).then(Vec::new);
        self.output = Some(plan.output.parser.name().to_owned());
        self.warnings.clone_from(&plan.warnings);
        self.prompt_hash = Some(plan.prompt.hash().to_owned());
        self.has_tools = plan.tools.is_some();
        self.dry_run = plan.dry_run;
        self.tags.clone_from(&plan.tags);
        self.stream = plan.stream;
        // The request of a tool has no `return` of its own.
        self.full |= plan.returns == Returns::Full;
        self.counts_cost |= self.full;
        self.warns_of_cost |= self.full;
        self.destination.clone_from(&plan.destination);
    }

    /// Adds the report of the request of a tool or a step. `place` is the start of its warnings,
    /// unless it is empty.
    pub(super) fn add_nested(&mut self, place: &str, nested: Report) {
        if self.paid.is_some() || nested.paid.is_some() {
            self.separate_paid().add(&nested.paid_counts());
        }
        self.usage.add(nested.usage);
        self.limited_cost = self.limited_cost.saturating_add(nested.limited_cost);
        self.attempts += nested.attempts;
        self.repairs += nested.repairs;
        self.durations.secrets += nested.durations.secrets;
        self.durations.provider += nested.durations.provider;
        self.add_cost_of(&nested);
        let warnings = nested.warnings.into_iter().map(|text| match place {
            "" => text,
            place => format!("{place}: {text}"),
        });
        self.add_warnings(warnings.collect());
        self.changed.extend(nested.changed);
        self.learned.extend(nested.learned);
        self.prices_error = self.prices_error.take().or(nested.prices_error);
        self.has_pinned_tools |= nested.has_pinned_tools;
        self.lacked_time |= nested.lacked_time;
        self.tool_runs.extend(nested.tool_runs);
    }

    /// Adds the report of a step, or of one of its runs. The model of the last one that called a
    /// provider is that of the chain.
    pub(super) fn add_step(&mut self, place: &str, mut nested: Report) {
        self.answered |= nested.answered;
        self.has_tools |= nested.has_tools;
        // A step that an earlier version stored has no provider.
        if nested.attempts > 0 && nested.provider.is_some() {
            self.provider = nested.provider.take();
            self.model = nested.model.take();
            self.answered_model = nested.answered_model.take();
            self.stop_reason = nested.stop_reason.take();
            self.provider_stop_reason = nested.provider_stop_reason.take();
        }
        if let Some(targets) = nested.passed_over.take().filter(|targets| !targets.is_empty()) {
            self.passed_over.get_or_insert_default().extend(targets);
        }
        self.steps.append(&mut nested.steps);
        self.add_nested(place, nested);
    }

    /// Removes what the calls so far added, so that the counts of the next call can be stored.
    pub(super) fn take_counts(&mut self) -> StoredCounts {
        StoredCounts {
            attempts: std::mem::take(&mut self.attempts),
            repairs: std::mem::take(&mut self.repairs),
            unknown_calls: std::mem::take(&mut self.unknown_calls),
            usage: std::mem::take(&mut self.usage),
            cost: self.cost.take().map(|cost| *cost).or(self.counts_cost.then(Cost::default)),
            limited_cost: std::mem::take(&mut self.limited_cost),
            answered_model: self.answered_model.take(),
            warnings: std::mem::take(&mut self.warnings),
            tool_runs: std::mem::take(&mut self.tool_runs),
            ..StoredCounts::default()
        }
    }

    /// Adds counts that were removed or stored.
    pub(super) fn restore(&mut self, counts: StoredCounts) {
        self.attempts += counts.attempts;
        self.repairs += counts.repairs;
        self.unknown_calls += counts.unknown_calls;
        self.usage.add(counts.usage);
        self.limited_cost = self.limited_cost.saturating_add(counts.limited_cost);
        if let Some(cost) = &counts.cost {
            self.cost.get_or_insert_default().add(cost);
        }
        if counts.answered_model.is_some() {
            self.answered_model = counts.answered_model;
        }
        self.add_warnings(counts.warnings);
        self.tool_runs.extend(counts.tool_runs);
        if counts.provider.is_some() {
            (self.provider, self.model) = (counts.provider, counts.model);
            self.stop_reason = counts.stop_reason;
            self.provider_stop_reason = counts.provider_stop_reason;
        }
        let failed = counts.failed_targets.into_iter().map(FailedTarget::from_stored);
        if failed.len() > 0 {
            self.passed_over.get_or_insert_default().extend(failed);
        }
        self.has_tools |= counts.has_tools;
        self.steps.extend(counts.steps);
    }

    /// Adds the counts of an earlier run of the request, which this run does not pay for.
    pub(super) fn restore_stored(&mut self, mut counts: StoredCounts) {
        self.separate_paid();
        // An earlier version stored no cost, unless the request asked for it.
        if counts.cost.is_none() && self.counts_cost && counts.attempts > 0 {
            counts.cost = Some(Cost::UNKNOWN);
        }
        counts.steps.iter_mut().for_each(StepReport::set_restored);
        self.restore(counts);
    }

    /// Counts separately what this run pays for from now on.
    fn separate_paid(&mut self) -> &mut PaidCounts {
        let paid = self.paid.take().unwrap_or_else(|| Box::new(self.paid_counts()));
        self.paid.insert(paid)
    }

    /// Returns what this run paid for.
    pub(super) fn paid_counts(&self) -> PaidCounts {
        if let Some(paid) = &self.paid {
            return PaidCounts::clone(paid);
        }
        let Report { attempts, repairs, usage, .. } = *self;
        PaidCounts { attempts, repairs, usage, cost: self.cost().copied() }
    }

    /// Removes what an earlier run of the same request paid for: its attempts and repairs, its
    /// token usage and its cost. The counts of steps do not change.
    pub fn remove_restored_counts(&mut self) {
        if let Some(paid) = self.paid.take() {
            let PaidCounts { attempts, repairs, usage, cost } = *paid;
            (self.attempts, self.repairs, self.usage) = (attempts, repairs, usage);
            self.cost = cost.map(Box::new);
        }
    }

    /// Adds calls of a provider.
    pub(super) fn add_attempts(&mut self, count: u32) {
        self.attempts += count;
        if let Some(paid) = &mut self.paid {
            paid.attempts += count;
        }
    }

    /// Adds a repair.
    pub(super) fn add_repair(&mut self) {
        self.repairs += 1;
        if let Some(paid) = &mut self.paid {
            paid.repairs += 1;
        }
    }

    /// Adds the token usage of a reply.
    pub(super) fn add_usage(&mut self, usage: Usage) {
        self.usage.add(usage);
        if let Some(paid) = &mut self.paid {
            paid.usage.add(usage);
        }
    }

    /// Changes the cost in the same way as the part of it that this run pays for.
    fn change_cost(&mut self, change: impl Fn(&mut Cost)) {
        change(self.cost.get_or_insert_default());
        if let Some(paid) = &mut self.paid {
            change(paid.cost.get_or_insert_default());
        }
    }

    /// Replaces the counts with those that a request shared with the requests inside of it.
    pub(super) fn replace_counts(&mut self, shared: Report) {
        self.attempts = shared.attempts;
        self.repairs = shared.repairs;
        self.usage = shared.usage;
        self.cost = shared.cost;
        self.paid = shared.paid;
        self.unknown_calls = shared.unknown_calls;
        self.calls_in_progress = shared.calls_in_progress;
        self.durations.provider = shared.durations.provider;
        if shared.provider.is_some() {
            (self.provider, self.model) = (shared.provider, shared.model);
            self.answered_model = shared.answered_model;
        }
    }

    /// Sets the target that is being called.
    pub(super) fn set_target(&mut self, target: &Target) {
        target.provider.name().clone_into(self.provider.get_or_insert_default());
        self.model.get_or_insert_default().clone_from(&target.model);
    }

    /// Returns whether a target was called last.
    pub(super) fn is_for(&self, target: &Target) -> bool {
        self.provider.as_deref() == Some(target.provider.name())
            && self.model.as_ref() == Some(&target.model)
    }

    /// Records a target that failed.
    pub(super) fn add_failed_target(&mut self, target: &Target, error: Error) {
        let (provider, model) = (target.provider.name().to_owned(), target.model.clone());
        self.passed_over.get_or_insert_default().push(FailedTarget { provider, model, error });
    }

    /// Returns what the calls cost. `None` means that no provider was called, or that the cost is
    /// not computed: the request neither asks for the `full` object nor limits its cost, and the
    /// program does not use [`Context::with_cost`](super::Context::with_cost).
    pub fn cost(&self) -> Option<&Cost> {
        self.cost.as_deref()
    }

    /// Adds the cost of a call with these token counts. If it is not known, the caller receives a
    /// warning, unless the cost is only logged.
    pub(super) fn add_cost(&mut self, cost: &Cost, model: CalledModel<'_>, usage: Usage) {
        if self.warns_of_cost && cost.total().is_none() {
            let CalledModel { provider, requested, answered } = model;
            let model = answered.unwrap_or(requested);
            let reason = match (&self.prices_error, usage == Usage::default()) {
                (Some(error), _) => error.clone(),
                (None, true) => {
                    format!("the response of {provider} {model} contains no token counts")
                }
                (None, false) => format!("the price of {provider} {model} is not known"),
            };
            self.add_warnings(vec![format!("cost: {reason}")]);
        }
        self.change_cost(|total| total.add(cost));
    }

    /// Adds the cost of another request.
    pub fn add_cost_of(&mut self, other: &Report) {
        if let Some(cost) = &other.cost {
            self.cost.get_or_insert_default().add(cost);
        }
    }

    /// Records that a call with unknown token counts may be billed.
    pub(super) fn add_unknown_call(&mut self) {
        self.unknown_calls += 1;
        self.mark_cost_as_estimate();
    }

    /// Counts the calls that were in progress when the run was cancelled. They may be billed.
    pub(super) fn end_cancelled_calls(&mut self) {
        for _ in 0..std::mem::take(&mut self.calls_in_progress) {
            self.add_attempts(1);
            if self.counts_cost {
                self.add_unknown_call();
            }
        }
    }

    /// Records that the cost can differ from the bill.
    pub(super) fn mark_cost_as_estimate(&mut self) {
        self.change_cost(Cost::set_estimate);
    }

    /// Adds warnings, except for duplicates and for warnings beyond [`MAX_WARNINGS`].
    pub(super) fn add_warnings(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}
