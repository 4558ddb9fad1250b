//! The plan: a request that can't be invalid any more. Every rule about what is valid is in this
//! room, and all that is wrong with a request is said at once.

mod destination;
mod history;
mod messages;
mod options;
mod output;
mod render;
mod rules;
mod target;

use serde_json::{Map, Value};

pub(crate) use destination::check_origins;
pub use messages::Prompt;
pub use output::Output;
pub(crate) use render::Filling;
pub use render::RenderedChat;
pub use rules::{ModelPatterns, Rules};
pub use target::Target;

use crate::destination::ParsedDestination;
use crate::error::{Error, ErrorKind, Problem};
use crate::json;
use crate::prompt::Limits;
use crate::request::{ParsedRequest, Request};

/// What the caller wants to get back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// The bare result.
    Result,
    /// The result with usage, model, attempts and warnings.
    Full,
}

/// Who keeps answers by their keys takes the key out before a request is run.
const KEYED_ELSEWHERE: &str = "needs a function with a RESULT_PREFIX, where answers are kept, and \
                               a caller who waits: no record and no hosted config can say it";

/// A validated request.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who is asked.
    pub target: Target,
    /// Who is asked next where the one before can't answer, in order.
    pub fallbacks: Vec<Target>,
    /// The compiled prompt.
    pub prompt: Prompt,
    /// How the reply is read.
    pub output: Output,
    /// What the templates see as `schema`.
    pub schema: Option<Value>,
    /// What the templates are filled with.
    pub data: Map<String, Value>,
    /// What the caller gets back.
    pub returns: Returns,
    /// Render and validate only.
    pub dry_run: bool,
    /// A missing variable is an error.
    pub strict_variables: bool,
    /// Who is told of the result, where the request names somebody.
    pub destination: Option<ParsedDestination>,
    /// What was ignored so far.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Validates a request.
    ///
    /// # Errors
    /// `InvalidRequest` or `PromptInvalid`, with every problem of the request.
    pub fn new(written: ParsedRequest, rules: &Rules) -> Result<Plan, Error> {
        Plan::noting(written, rules, &mut Vec::new())
    }

    /// As [`Plan::new`]; of a request that is refused, the warnings too are told.
    pub(crate) fn noting(
        written: ParsedRequest,
        rules: &Rules,
        warnings: &mut Vec<String>,
    ) -> Result<Plan, Error> {
        let ParsedRequest { request, problems, warnings: ignored } = written;
        warnings.extend(ignored);
        let mut problems = Problems(problems);
        if request_was_unreadable(&problems) {
            return Err(Error::from_problems(problems.0));
        }
        if let Some(pointed) = pointed(&request) {
            return Err(pointed);
        }
        if request.idempotency_key.is_some() {
            problems.add("idempotencyKey", KEYED_ELSEWHERE);
        }
        let destination = destination::read(request.destination.as_deref(), rules, &mut problems);
        let (target, fallbacks) = target::read(&request, rules, &mut problems);
        let prompt = messages::read(request.message, &mut problems);
        let returns = returns(request.returns.as_deref(), &mut problems);
        let schema = request.schema.clone().map(Value::Object);
        let output = output::read(
            request.output.as_deref().unwrap_or("string"),
            request.output_options.unwrap_or_default(),
            request.schema,
            &mut problems,
            warnings,
        );
        let data = request.data.unwrap_or_default();
        let strict_variables = rules.strict_variables || request.strict_variables.unwrap_or(false);
        let (target, prompt, output) = match (target, prompt, output) {
            (Some(target), Ok(prompt), Some(output)) if problems.0.is_empty() => {
                (target, prompt, output)
            }
            (_, Ok(readable) | Err(readable), _) => {
                let schema = schema.as_ref();
                let filling = Filling { data: &data, schema, strict: strict_variables };
                try_out(&readable, filling, &mut problems, warnings);
                return Err(Error::from_problems(problems.0));
            }
        };
        destination::check(destination.as_ref(), rules)?;
        Ok(Plan {
            target,
            fallbacks,
            prompt,
            output,
            schema,
            data,
            returns,
            dry_run: request.dry_run.unwrap_or(false),
            strict_variables,
            destination,
            warnings: std::mem::take(warnings),
        })
    }

    /// Reads and validates a request in one go.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn read(value: Value, rules: &Rules) -> Result<Plan, Error> {
        Plan::new(ParsedRequest::read(value), rules)
    }
}

/// Whether there was no request at all: then nothing more is worth saying.
fn request_was_unreadable(problems: &Problems) -> bool {
    problems.0.iter().any(|problem| problem.path.is_empty())
}

/// What a request that points to a hosted config lacks is not known before that was fetched.
fn pointed(request: &Request) -> Option<Error> {
    let Request { key, bucket, version, url, .. } = request;
    let fields = [("key", key), ("bucket", bucket), ("version", version), ("url", url)];
    let said = fields.iter().filter(|(_, said)| said.is_some());
    let text = "points to a hosted config, which is not fetched here; an executor's run fetches it";
    let problems: Vec<Problem> = said.map(|(name, _)| Problem::request(*name, text)).collect();
    (!problems.is_empty()).then(|| Error::from_problems(problems))
}

/// Of a request that is refused, renders what could be read of its prompt, so that what is wrong
/// and missing there is told at once with the rest.
fn try_out(
    readable: &Prompt,
    filling: Filling<'_>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    let filled = ["data", "schema"];
    if problems.0.iter().any(|one| filled.iter().any(|field| one.path.starts_with(field))) {
        return;
    }
    let mut chat = RenderedChat::default();
    problems.0.extend(readable.fill(filling, &Limits::default(), &mut chat));
    warnings.append(&mut chat.warnings);
}

/// The most problems of one request that are noted.
const MOST_PROBLEMS: usize = 200;

/// Problems by path: a field that is reported already is not reported again.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        if !self.is_full() && !self.0.iter().any(|problem| problem.path == path) {
            self.0.push(Problem::request(path, message));
        }
    }

    /// Nobody reads further: a hostile request must not make us write for ever.
    fn is_full(&self) -> bool {
        self.0.len() >= MOST_PROBLEMS
    }

    pub(crate) fn add_prompt(&mut self, path: &str, message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        self.0.push(Problem { kind: ErrorKind::PromptInvalid, ..Problem::request(path, message) });
    }
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
