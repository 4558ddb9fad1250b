//! What a run did and what it cost, whether it ended well or not.

use std::time::Duration;

use crate::chat::{StopReason, Usage};
use crate::destination::ParsedDestination;
use crate::error::Error;
use crate::hosted::ConfigSource;
use crate::plan::{Plan, Returns, Target};

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// Fetching and reading the hosted config; zero where there was none.
    pub config: Duration,
    /// Getting keys.
    pub secrets: Duration,
    /// Calling the provider, waits between tries included.
    pub provider: Duration,
    /// All of it.
    pub total: Duration,
}

/// The most warnings that are noted of a run.
const MOST_WARNINGS: usize = 200;

/// A provider that was asked and could not answer.
#[derive(Debug, Clone)]
pub struct PassedOver {
    /// The provider's name.
    pub provider: &'static str,
    /// The model as the caller named it.
    pub model: String,
    /// Why it did not answer.
    pub error: Error,
}

/// What a run did. Holds no prompt, no reply and no key.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The provider's name, once it is known.
    pub provider: Option<&'static str>,
    /// The model as the caller named it.
    pub model: Option<String>,
    /// Who was asked before and could not answer; `None` where there were no fallbacks.
    pub passed_over: Option<Vec<PassedOver>>,
    /// The model as the provider named it in its answer.
    pub answered_model: Option<String>,
    /// The parser's name.
    pub output: Option<&'static str>,
    /// Whether a provider answered with anything that is paid for.
    pub answered: bool,
    /// How often a request was sent, retries and re-asks counted in.
    pub attempts: u32,
    /// How often an answer that did not fit was asked for again.
    pub repairs: u32,
    /// The tokens of all answered calls.
    pub usage: Usage,
    /// Why the last answer ended.
    pub stop_reason: Option<StopReason>,
    /// The provider's own word for it.
    pub provider_stop_reason: Option<String>,
    /// Where the time went.
    pub durations: Durations,
    /// What was ignored, left out or odd.
    pub warnings: Vec<String>,
    /// `sha256:` and the hash of the prompt as written.
    pub prompt_hash: Option<String>,
    /// Where the request pointed to, whether anything could be read there or not; without what
    /// may be secret of it.
    pub config_place: Option<String>,
    /// The hosted config that was read.
    pub config: Option<ConfigSource>,
    /// Whether nobody was called on purpose.
    pub dry_run: bool,
    /// Whether the caller gets the `full` object.
    pub full: bool,
    /// Who is told of the result, where the request names somebody.
    pub destination: Option<ParsedDestination>,
}

impl Report {
    /// A report of a plan that has not been run yet; its config's part is known before.
    pub(crate) fn of(self, plan: &Plan) -> Self {
        Report {
            provider: Some(plan.target.provider.name),
            model: Some(plan.target.model.clone()),
            passed_over: (!plan.fallbacks.is_empty()).then(Vec::new),
            output: Some(plan.output.parser.row().name),
            warnings: plan.warnings.clone(),
            prompt_hash: Some(plan.prompt.hash().to_owned()),
            dry_run: plan.dry_run,
            full: plan.returns == Returns::Full,
            destination: plan.destination.clone(),
            ..self
        }
    }

    /// Says who is being asked.
    pub(crate) fn turn_to(&mut self, target: &Target) {
        self.provider = Some(target.provider.name);
        self.model = Some(target.model.clone());
    }

    /// Says who could not answer, and why.
    pub(crate) fn pass_over(&mut self, target: &Target, error: Error) {
        let (provider, model) = (target.provider.name, target.model.clone());
        self.passed_over.get_or_insert_default().push(PassedOver { provider, model, error });
    }

    /// Adds warnings, each once.
    pub(crate) fn note(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}
