//! The error type of this crate.
//!
//! The [`ErrorKind`] of an [`Error`] determines how Lambda, HTTP and the command line report it. A
//! table defines the name, HTTP status and exit code of each kind, and whether a retry can help. A
//! test checks that `docs/errors.md` matches the table.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

/// Declares the error kinds as a table, so that every kind has a status, an exit code and a
/// description.
macro_rules! kinds {
    ($($name:ident $status:literal $retry:literal $exit:literal $doc:literal;)*) => {
        /// The kind of an error. Its name is the `errorType` in Lambda errors and the `type` in
        /// HTTP error bodies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = $doc] $name,)*
        }

        impl ErrorKind {
            /// All kinds, in the order of `docs/errors.md`.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            fn row(self) -> (&'static str, u16, bool, u8, &'static str) {
                match self {
                    $(ErrorKind::$name => (stringify!($name), $status, $retry, $exit, $doc),)*
                }
            }
        }
    };
}

kinds! {
    InvalidRequest 400 false 2 "the request is malformed or breaks a rule";
    PromptInvalid 400 false 2 "a template is invalid or, in strict mode, uses a missing variable";
    ConfigInvalid 400 false 2 "the hosted config is invalid";
    Unauthorized 401 false 3 "the HTTP caller did not authenticate";
    ConfigForbidden 403 false 3 "the hosted config, an override or the destination is not allowed";
    ConfigNotFound 404 false 2 "the hosted config does not exist";
    RequestTooLarge 413 false 2 "the body of the HTTP request is too large";
    ProviderRejected 422 false 4 "the provider rejected the request";
    ProviderRateLimited 429 true 5 "the provider's rate limit or quota is exceeded";
    ProviderAuthFailed 502 false 4 "the provider rejected the API key";
    ProviderUnavailable 503 true 5 "the provider failed or could not be reached";
    OutputInvalid 502 true 6 "the reply could not be parsed or does not satisfy the schema";
    OutputTruncated 502 false 6 "the reply was cut off before the output was complete";
    OutputRefused 502 false 6 "the model refused, or a safety filter stopped the reply";
    LimitExceeded 422 false 6 "the request reached a limit of its calls, turns, tools or cost";
    IdempotencyConflict 409 false 2 "the idempotency key was already used for a different request";
    AccessDenied 500 false 3 "AWS denied the function's role access to a resource";
    ToolFailed 502 false 6 "a tool failed, or the model repeated an invalid call";
    SecretNotFound 500 false 3 "an API key, AWS credentials or a setting is missing";
    ConfigUnavailable 503 true 5 "the hosted config could not be fetched";
    SecretUnavailable 503 true 5 "the key store failed";
    ResultUnavailable 503 true 5 "the result could not be stored or sent to its destination";
    Timeout 504 true 5 "the time limit was exceeded";
    NotFound 404 false 2 "the HTTP route does not exist";
    MethodNotAllowed 405 false 2 "the HTTP route does not support this method";
    ResultTooLarge 502 false 6 "the result exceeds the size limit of the event source";
    Internal 500 false 1 "a bug in llm-exe";
}

impl ErrorKind {
    /// Returns the public name, such as `InvalidRequest`.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Returns the status of HTTP responses that report this kind of error.
    pub fn http_status(self) -> u16 {
        self.row().1
    }

    /// Returns whether the same request may succeed if it is retried later.
    pub fn retryable(self) -> bool {
        self.row().2
    }

    /// Returns the exit code of the command-line program for this kind of error.
    pub fn exit_code(self) -> u8 {
        self.row().3
    }

    /// Returns a short description of when this kind of error occurs.
    pub fn description(self) -> &'static str {
        self.row().4
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A single problem in a request, with the path of the invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// `InvalidRequest`, or `PromptInvalid` for a problem in a template.
    pub kind: ErrorKind,
    /// The path of the field, such as `message[1].role`. Empty if the problem concerns the whole
    /// request.
    pub path: String,
    /// What was expected and what was received.
    pub message: String,
    /// The line in the template that the problem concerns, counted from 1.
    pub template_line: Option<usize>,
}

impl Problem {
    /// Creates a problem of any kind.
    pub fn new(kind: ErrorKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { kind, path: path.into(), message: message.into(), template_line: None }
    }

    /// Creates a problem of kind [`ErrorKind::InvalidRequest`].
    pub fn request(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem::new(ErrorKind::InvalidRequest, path, message)
    }

    /// Creates a problem of kind [`ErrorKind::PromptInvalid`].
    pub fn prompt(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem::new(ErrorKind::PromptInvalid, path, message)
    }

    /// Sets the line in the template that the problem concerns.
    #[must_use]
    pub fn at_template_line(self, line: usize) -> Self {
        Problem { template_line: Some(line), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// An error with one message for the caller and one for logs. Neither contains API keys.
///
/// Its `Debug` output is the kind and the message, with a line for each problem, because a `main`
/// that returns the error prints that output. `{:#?}` prints all fields.
///
/// ```
/// use llm_exe::{ErrorKind, Plan, Rules};
/// use serde_json::json;
///
/// let request = json!({ "provider": "opnai", "model": "m", "message": "Hi", "output": "jsn" });
/// let error = Plan::from_value(request, &Rules::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
/// assert!(!error.kind().retryable());
/// let paths: Vec<&str> = error.problems().iter().map(|problem| problem.path.as_str()).collect();
/// assert_eq!(paths, ["provider", "output"]);
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    problems: Box<[Problem]>,
    /// The message for logs, which does not quote prompts or replies. `None` if `message` itself is
    /// safe to log.
    logged: Option<String>,
    retry_after: Option<Duration>,
    provider_status: Option<u16>,
    is_of_own_result: bool,
    not_set: Option<NotSet>,
    run_details: Option<Arc<RunDetails>>,
}

/// What the run that failed used.
#[derive(Debug)]
struct RunDetails {
    fields: Map<String, Value>,
    /// Whether the request asked for the `full` object.
    is_full: bool,
}

/// What is missing when the kind of an error is [`ErrorKind::SecretNotFound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSet {
    /// An API key, or AWS credentials.
    Secret,
    /// A setting, such as the AWS region.
    Setting,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f
                .debug_struct("Error")
                .field("kind", &self.kind)
                .field("message", &self.message)
                .field("problems", &self.problems)
                .field("for_log", &self.for_log())
                .field("retry_after", &self.retry_after)
                .field("provider_status", &self.provider_status)
                .finish_non_exhaustive();
        }
        if self.problems.len() < 2 {
            return write!(f, "{}: {}", self.kind, self.message);
        }
        write!(f, "{}: {} problems", self.kind, self.problems.len())?;
        for problem in self.problems.iter().take(MAX_LISTED) {
            write!(f, "\n  {}", shorten(&problem.to_string(), MAX_PROBLEM_LENGTH))?;
        }
        match self.problems.len() - MAX_LISTED.min(self.problems.len()) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more problems"),
        }
    }
}

/// Maximum number of problems listed in an error message. It limits the size of the response.
const MAX_LISTED: usize = 50;

/// Maximum length in characters of each problem in an error message.
const MAX_PROBLEM_LENGTH: usize = 600;

impl Error {
    /// Creates an error. By convention, messages start with a lowercase letter and have no trailing
    /// period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            problems: Box::default(),
            logged: None,
            retry_after: None,
            provider_status: None,
            is_of_own_result: false,
            not_set: None,
            run_details: None,
        }
    }

    /// Creates an [`ErrorKind::SecretNotFound`] error for a missing API key or missing AWS
    /// credentials.
    pub fn secret_not_set(message: impl Into<String>) -> Self {
        let not_set = Some(NotSet::Secret);
        Error { not_set, ..Error::new(ErrorKind::SecretNotFound, message) }
    }

    /// Creates an [`ErrorKind::SecretNotFound`] error for a missing setting, such as the AWS
    /// region.
    pub fn setting_not_set(message: impl Into<String>) -> Self {
        let not_set = Some(NotSet::Setting);
        Error { not_set, ..Error::new(ErrorKind::SecretNotFound, message) }
    }

    /// Returns what is missing, or `None` for an error with another cause, such as a key that is
    /// set but unusable.
    pub fn not_set(&self) -> Option<NotSet> {
        self.not_set
    }

    /// Creates an [`ErrorKind::ConfigForbidden`] error for a config location that contains a stored
    /// result.
    pub fn own_result(place: &str) -> Self {
        let text = format!("{place} contains a result that llm-exe wrote, not a config");
        Error { is_of_own_result: true, ..Error::new(ErrorKind::ConfigForbidden, text) }
    }

    /// Returns whether the error was created by [`Error::own_result`].
    pub fn is_of_own_result(&self) -> bool {
        self.is_of_own_result
    }

    /// Creates an [`ErrorKind::InvalidRequest`] error with a single problem.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Error::from_problems(vec![Problem::request(path, message)])
    }

    /// Combines the problems of a request into one error. Its kind is `InvalidRequest` if any of
    /// the problems has that kind.
    pub fn from_problems(problems: Vec<Problem>) -> Self {
        let kind = problems
            .iter()
            .map(|problem| problem.kind)
            .find(|kind| *kind == ErrorKind::InvalidRequest)
            .or(problems.first().map(|problem| problem.kind))
            .unwrap_or(ErrorKind::InvalidRequest);
        let listed = problems.iter().take(MAX_LISTED);
        let mut messages: Vec<String> =
            listed.map(|problem| shorten(&problem.to_string(), MAX_PROBLEM_LENGTH)).collect();
        if problems.len() > MAX_LISTED {
            messages.push(format!("and {} more problems", problems.len() - MAX_LISTED));
        }
        let mut error = Error::new(kind, messages.join("; "));
        error.problems = problems.into_boxed_slice();
        error
    }

    /// Sets the problems of a request that this error reports. Its message does not change.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems.into_boxed_slice();
        self
    }

    /// Sets a separate message for logs. Use this if the message for the caller quotes a prompt or
    /// a reply.
    #[must_use]
    pub fn logged_as(mut self, message: impl Into<String>) -> Self {
        self.logged = Some(message.into());
        self
    }

    /// Sets the delay before the next attempt that the provider asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Sets the HTTP status of the provider's response.
    #[must_use]
    pub fn with_provider_status(mut self, status: Option<u16>) -> Self {
        self.provider_status = status;
        self
    }

    /// Adds what the run used, as fields of JSON. `is_full` states whether the request asked for
    /// the `full` object. Runs add it themselves; a program adds it to an error that it stored.
    #[must_use]
    pub fn with_run_details(mut self, fields: Map<String, Value>, is_full: bool) -> Self {
        self.run_details = Some(Arc::new(RunDetails { fields, is_full }));
        self
    }

    /// Prefixes the message with its context, such as `openai gpt-4o: …`.
    #[must_use]
    pub fn in_context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self.logged = self.logged.map(|message| format!("{context}: {message}"));
        self
    }

    /// Prefixes the message with the name of a step, and the paths of the problems with the path of
    /// the step in the request.
    #[must_use]
    pub(crate) fn in_step(mut self, name: &str, path: &str) -> Self {
        for problem in &mut self.problems {
            problem.path = match &*problem.path {
                "" => path.to_owned(),
                inner => format!("{path}.{inner}"),
            };
        }
        self.in_context(name)
    }

    /// Appends `suffix` to the message.
    #[must_use]
    pub fn with_suffix(mut self, suffix: &str) -> Self {
        self.message.push_str(suffix);
        self.logged = self.logged.map(|message| message + suffix);
        self
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the message for a caller who receives nothing else. If the request asked for the
    /// `full` object, the last line of the message is a JSON object with the
    /// [run details](Error::run_details).
    pub fn message_with_details(&self) -> Cow<'_, str> {
        match self.run_details.as_deref() {
            Some(RunDetails { fields, is_full: true }) => {
                let details = serde_json::to_string(fields).unwrap_or_default();
                Cow::Owned(format!("{}\n{details}", self.message))
            }
            _ => Cow::Borrowed(&self.message),
        }
    }

    /// Returns whether the request asked for the `full` object, if the error has
    /// [run details](Error::run_details).
    pub fn has_full_details(&self) -> bool {
        self.run_details.as_ref().is_some_and(|details| details.is_full)
    }

    /// Returns what the run used, if a provider was called: `provider`, `model`, `attempts`,
    /// `usage` and `cost`. If the request asked for the `full` object, its `warnings` follow. Only
    /// errors to which [`Report::add_details_to`](crate::Report::add_details_to) added them have
    /// details, such as those of [`Run::with_envelope`](crate::Run::with_envelope).
    pub fn run_details(&self) -> Option<&Map<String, Value>> {
        self.run_details.as_ref().map(|details| &details.fields)
    }

    /// Returns the message for logs, which does not quote prompts, replies or data. For an invalid
    /// request, it lists only the paths of the problems.
    pub fn for_log(&self) -> String {
        if let Some(logged) = &self.logged {
            return logged.clone();
        }
        if self.problems.is_empty() {
            return self.message.clone();
        }
        let paths = self.problems.iter().map(|problem| match problem.path.as_str() {
            "" => "the request",
            path => path,
        });
        paths.take(20).collect::<Vec<_>>().join(", ")
    }

    /// Returns the problems of an invalid request, or an empty slice for any other error.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the delay before the next attempt that the provider asked for, if any.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the HTTP status of the provider's response, if there was a response.
    pub fn provider_status(&self) -> Option<u16> {
        self.provider_status
    }
}

/// Maximum length of the error of a tool in characters.
pub const MAX_TOOL_ERROR_CHARS: usize = 2_000;

/// Truncates a string to `limit` characters, and appends `…` if it was longer.
pub fn shorten(text: &str, limit: usize) -> String {
    let mut chars = text.char_indices();
    match chars.nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default().trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorKind, Problem};

    #[test]
    fn debug_output_is_readable() {
        let error = Error::new(ErrorKind::Timeout, "too slow").in_context("openai gpt-4o");
        assert_eq!(format!("{error:?}"), "Timeout: openai gpt-4o: too slow");
        assert!(format!("{error:#?}").contains("provider_status"));
        let problem = |path: &str| Problem::request(path, "is wrong");
        let one = Error::from_problems(vec![problem("model")]);
        assert_eq!(format!("{one:?}"), "InvalidRequest: model: is wrong");
        let two = Error::from_problems(vec![problem("model"), problem("output")]);
        let expected = "InvalidRequest: 2 problems\n  model: is wrong\n  output: is wrong";
        assert_eq!(format!("{two:?}"), expected);
        let many = Error::from_problems(vec![problem("model"); 53]);
        assert!(format!("{many:?}").ends_with("model: is wrong\n  and 3 more problems"));
    }
}
