//! The job: a request that can't be invalid any more. Every rule about what is valid is in this
//! room, and all that is wrong with a request is said at once.

mod history;
mod messages;
mod options;
mod output;
mod render;

use serde_json::{Map, Value};

pub use messages::Conversation;
pub use output::Output;
pub use render::RenderedChat;

use crate::chat::Sampling;
use crate::error::{Error, ErrorKind, Problem};
use crate::json;
use crate::providers::{self, PROVIDERS, ProviderRow};
use crate::request::{Request, Written, nearest};
use crate::transport::Policy;

/// What the operator lays down for every request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// A missing variable is an error, even where the request does not say so.
    pub strict_variables: bool,
}

/// What the caller wants to get back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// The bare result.
    Result,
    /// The result with usage, model, attempts and warnings.
    Full,
}

/// A validated request.
#[derive(Debug, Clone)]
pub struct Job {
    /// Who is asked.
    pub provider: &'static ProviderRow,
    /// The provider's name of the model.
    pub model: String,
    /// The compiled prompt.
    pub prompt: Conversation,
    /// How the reply is read.
    pub output: Output,
    /// What the templates see as `schema`.
    pub schema: Option<Value>,
    /// What the templates are filled with.
    pub data: Map<String, Value>,
    /// What the model is tuned with.
    pub sampling: Sampling,
    /// How calls are tried.
    pub policy: Policy,
    /// What the caller gets back.
    pub returns: Returns,
    /// Render and validate only.
    pub dry_run: bool,
    /// A missing variable is an error.
    pub strict_variables: bool,
    /// What was ignored so far.
    pub warnings: Vec<String>,
}

impl Job {
    /// Validates a request.
    ///
    /// # Errors
    /// `InvalidRequest` or `PromptInvalid`, with every problem of the request.
    pub fn new(written: Written, rules: Rules) -> Result<Job, Error> {
        let Written { request, problems, warnings } = written;
        let mut problems = Problems(problems);
        if request_was_unreadable(&problems) {
            return Err(Error::from_problems(problems.0));
        }
        let asked = whom(&request, &mut problems);
        let prompt = messages::read(request.message, &mut problems);
        let returns = returns(request.returns.as_deref(), &mut problems);
        let (sampling, policy) = options::read(request.options.unwrap_or_default(), &mut problems);
        let mut warnings = warnings;
        let schema = request.schema.clone().map(Value::Object);
        let output = output::read(
            request.output.as_deref().unwrap_or("string"),
            request.output_options.unwrap_or_default(),
            request.schema,
            &mut problems,
            &mut warnings,
        );
        let (Some((provider, model)), Some(prompt), Some(output)) = (asked, prompt, output) else {
            return Err(Error::from_problems(problems.0));
        };
        if !problems.0.is_empty() {
            return Err(Error::from_problems(problems.0));
        }
        Ok(Job {
            provider,
            model,
            prompt,
            output,
            schema,
            data: request.data.unwrap_or_default(),
            sampling,
            policy,
            returns,
            dry_run: request.dry_run.unwrap_or(false),
            strict_variables: rules.strict_variables || request.strict_variables.unwrap_or(false),
            warnings,
        })
    }

    /// Reads and validates a request in one go.
    ///
    /// # Errors
    /// As [`Job::new`].
    pub fn read(value: Value, rules: Rules) -> Result<Job, Error> {
        Job::new(Written::read(value), rules)
    }
}

/// Whether there was no request at all: then nothing more is worth saying.
fn request_was_unreadable(problems: &Problems) -> bool {
    problems.0.iter().any(|problem| problem.path.is_empty())
}

/// Problems by path: a field that is reported already is not reported again.
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        if !self.0.iter().any(|problem| problem.path == path) {
            self.0.push(Problem::request(path, message));
        }
    }

    pub(crate) fn add_prompt(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Problem { kind: ErrorKind::PromptInvalid, ..Problem::request(path, message) });
    }
}

fn whom(request: &Request, problems: &mut Problems) -> Option<(&'static ProviderRow, String)> {
    if let (Some(one), Some(other)) = (&request.provider, &request.providor)
        && one != other
    {
        let text = format!(
            "{} and providor {} name two providers; give one",
            json::quoted(one),
            json::quoted(other)
        );
        problems.add("provider", text);
        return None;
    }
    let written = request.provider.as_deref().or(request.providor.as_deref());
    let found = written.map(|written| (written, providers::named(written)));
    let provider = match found {
        None => {
            problems.add("provider", format!("missing; expected one of {}", provider_names()));
            None
        }
        Some((written, None)) => {
            let near = nearest(written, &PROVIDERS.iter().map(|row| row.name).collect::<Vec<_>>());
            let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            let known = provider_names();
            let text = format!(
                "unknown provider {}; expected one of {known}{hint}",
                json::quoted(written)
            );
            problems.add("provider", text);
            None
        }
        Some((_, Some(found))) => Some(found),
    };
    let named = provider.and_then(|(_, model)| model);
    let model = match (request.model.as_deref(), named) {
        (Some(one), Some(other)) if one != other => {
            let text = format!(
                "{} differs from the model in provider, {}; give one",
                json::quoted(one),
                json::quoted(other)
            );
            problems.add("model", text);
            return None;
        }
        (Some(model), _) | (None, Some(model)) => model,
        (None, None) => {
            problems.add("model", "missing; expected the provider's name of a model");
            return None;
        }
    };
    if let Some(fault) = model_fault(model) {
        problems.add("model", format!("{} {fault}", json::quoted(model)));
        return None;
    }
    provider.map(|(row, _)| (row, model.to_owned()))
}

fn provider_names() -> String {
    PROVIDERS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

/// Why a text can't be a model's name: it stands in URLs and logs.
fn model_fault(model: &str) -> Option<&'static str> {
    if model.is_empty() {
        return Some("is empty");
    }
    if model.len() > 256 {
        return Some("is longer than 256 characters");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
    if !model.bytes().all(allowed) {
        return Some("holds other characters than letters, digits and . _ : / @ + -");
    }
    model.contains("..").then_some("holds two dots in a row")
}

fn returns(written: Option<&str>, problems: &mut Problems) -> Returns {
    match written {
        None | Some("result") => Returns::Result,
        Some("full") => Returns::Full,
        Some(other) => {
            let text = format!("expected \"result\" or \"full\", got {}", json::quoted(other));
            problems.add("return", text);
            Returns::Result
        }
    }
}
