//! What can go wrong, as callers see it.
//!
//! In: a failure of any room. Out: an [`Error`] whose [`ErrorKind`] is the only thing that the
//! edges (Lambda, HTTP, CLI) look at. One table gives each kind its public name, HTTP status, exit
//! code, and whether trying again can help; `docs/errors.md` is checked against it.

use std::fmt;
use std::time::Duration;

/// Declares the kinds and their table together, so that a kind without a row can't be written.
macro_rules! kinds {
    ($($name:ident $status:literal $retry:literal $exit:literal $doc:literal;)*) => {
        /// The public name of a failure: a Lambda `errorType`, the `type` of an HTTP error body.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $(#[doc = $doc] $name,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of the documentation.
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
    InvalidRequest 400 false 2 "the request is malformed, or breaks a rule";
    PromptInvalid 400 false 2 "a template can't be used, or lacks a variable in strict mode";
    ConfigInvalid 400 false 2 "the hosted config can't be read";
    Unauthorized 401 false 3 "the endpoint's own key or AWS's proof of the caller is missing";
    ConfigForbidden 403 false 3 "the pointer or the override is not allowed";
    ConfigNotFound 404 false 2 "no such object, version or page";
    RequestTooLarge 413 false 2 "the body is over its limit";
    ProviderRejected 422 false 4 "the provider refused the request";
    ProviderRateLimited 429 true 5 "the provider's rate or quota is used up";
    ProviderAuthFailed 502 false 4 "the provider did not accept the key";
    ProviderUnavailable 503 true 5 "the provider failed or could not be reached";
    OutputInvalid 502 true 6 "the reply could not be parsed or does not satisfy the schema";
    OutputTruncated 502 false 6 "a strict output was cut off";
    OutputRefused 502 false 6 "the model refused, or a safety filter stopped it";
    LimitExceeded 422 false 6 "500 calls were made for one request";
    IdempotencyConflict 409 false 2 "the idempotency key was used for another request";
    AccessDenied 500 false 3 "AWS refused the function's own role";
    ToolFailed 502 false 6 "a tool could not be run";
    SecretNotFound 500 false 3 "the provider's key is not set";
    ConfigUnavailable 503 true 5 "the hosted config could not be fetched";
    SecretUnavailable 503 true 5 "the key store failed";
    ResultUnavailable 503 true 5 "the result could not be kept, or its destination not told";
    Timeout 504 true 5 "the time allowed ran out";
    NotFound 404 false 2 "HTTP only: no such route";
    MethodNotAllowed 405 false 2 "HTTP only: not with this method";
    ResultTooLarge 502 false 6 "the answer is larger than the event source takes";
    Internal 500 false 1 "a fault of ours";
}

impl ErrorKind {
    /// The public name, as `errorType` has it.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that an HTTP caller gets.
    pub fn http_status(self) -> u16 {
        self.row().1
    }

    /// Whether the same request may succeed later.
    pub fn retryable(self) -> bool {
        self.row().2
    }

    /// The exit code of the command line.
    pub fn exit_code(self) -> u8 {
        self.row().3
    }

    /// When it happens, in a few words.
    pub fn when(self) -> &'static str {
        self.row().4
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `InvalidRequest`, or `PromptInvalid` for a template.
    pub kind: ErrorKind,
    /// The field's path, like `message[1].role`; empty for the request as a whole.
    pub path: String,
    /// What is wrong, what came, what was expected.
    pub message: String,
}

impl Problem {
    /// A problem of kind [`ErrorKind::InvalidRequest`].
    pub fn request(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { kind: ErrorKind::InvalidRequest, path: path.into(), message: message.into() }
    }

    /// A problem of kind [`ErrorKind::PromptInvalid`].
    pub fn prompt(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { kind: ErrorKind::PromptInvalid, path: path.into(), message: message.into() }
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

/// A failure with its context. Holds no key, no prompt and no full provider body.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    problems: Vec<Problem>,
    /// The message less what it quotes of prompts and replies, where it quotes any.
    logged: Option<String>,
    retry_after: Option<Duration>,
    provider_status: Option<u16>,
    is_of_own_result: bool,
    not_set: Option<NotSet>,
}

/// What is not set, for an error of kind [`ErrorKind::SecretNotFound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSet {
    /// A key, or AWS credentials.
    Secret,
    /// A setting, such as the AWS region.
    Setting,
}

/// The most problems that a message tells, and the most characters of each: a message has to fit
/// where errors go.
const MOST_TOLD: usize = 50;
const LONGEST_TOLD: usize = 600;

impl Error {
    /// A failure of a kind, with a message in lower case and without a final dot.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            problems: Vec::new(),
            logged: None,
            retry_after: None,
            provider_status: None,
            is_of_own_result: false,
            not_set: None,
        }
    }

    /// [`ErrorKind::SecretNotFound`] for a key or AWS credentials that are not set.
    pub fn secret_not_set(message: impl Into<String>) -> Self {
        let not_set = Some(NotSet::Secret);
        Error { not_set, ..Error::new(ErrorKind::SecretNotFound, message) }
    }

    /// [`ErrorKind::SecretNotFound`] for a setting that is not set, such as the AWS region.
    pub fn setting_not_set(message: impl Into<String>) -> Self {
        let not_set = Some(NotSet::Setting);
        Error { not_set, ..Error::new(ErrorKind::SecretNotFound, message) }
    }

    /// What is not set. `None` for other errors, also for a key that is set but can't be used.
    pub fn not_set(&self) -> Option<NotSet> {
        self.not_set
    }

    /// [`ErrorKind::ConfigForbidden`] of an object that holds a result of ours, and no config.
    pub fn own_result(place: &str) -> Self {
        let text = format!("{place} is a result that llm-exe wrote");
        Error { is_of_own_result: true, ..Error::new(ErrorKind::ConfigForbidden, text) }
    }

    /// Whether it is of an object that holds a result of ours.
    pub fn is_of_own_result(&self) -> bool {
        self.is_of_own_result
    }

    /// [`ErrorKind::InvalidRequest`] with one problem.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Error::from_problems(vec![Problem::request(path, message)])
    }

    /// Everything that is wrong with a request, as one failure: `InvalidRequest` if any problem
    /// is of that kind.
    pub fn from_problems(problems: Vec<Problem>) -> Self {
        let kind = problems
            .iter()
            .map(|problem| problem.kind)
            .find(|kind| *kind == ErrorKind::InvalidRequest)
            .or(problems.first().map(|problem| problem.kind))
            .unwrap_or(ErrorKind::InvalidRequest);
        let told = problems.iter().take(MOST_TOLD);
        let mut shown: Vec<String> =
            told.map(|problem| shorten(&problem.to_string(), LONGEST_TOLD)).collect();
        if problems.len() > MOST_TOLD {
            shown.push(format!("and {} more", problems.len() - MOST_TOLD));
        }
        let mut error = Error::new(kind, shown.join("; "));
        error.problems = problems;
        error
    }

    /// Says what a log may hold instead of the message, which quotes a prompt or a reply.
    #[must_use]
    pub fn logged_as(mut self, message: impl Into<String>) -> Self {
        self.logged = Some(message.into());
        self
    }

    /// Says how long the provider asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Says with which HTTP status the provider answered.
    #[must_use]
    pub fn with_provider_status(mut self, status: Option<u16>) -> Self {
        self.provider_status = status;
        self
    }

    /// Puts where it happened in front of the message: `openai gpt-4o: …`.
    #[must_use]
    pub fn in_context(mut self, context: &str) -> Self {
        self.message = format!("{context}: {}", self.message);
        self.logged = self.logged.map(|message| format!("{context}: {message}"));
        self
    }

    /// Puts what went before behind the message.
    #[must_use]
    pub fn followed_by(mut self, what: &str) -> Self {
        self.message.push_str(what);
        self.logged = self.logged.map(|message| message + what);
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message, as callers get it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message as a log may hold it: nothing of prompts, replies and data. Of a request's
    /// problems it holds the paths alone.
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

    /// The problems of a request that can't be run, each with its path; else empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How long the provider asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The provider's HTTP status, where there was one.
    pub fn provider_status(&self) -> Option<u16> {
        self.provider_status
    }
}

/// A value as a message quotes it: at most `limit` characters, with `…` where it was cut.
pub fn shorten(text: &str, limit: usize) -> String {
    let mut chars = text.char_indices();
    match chars.nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default().trim_end()),
    }
}
