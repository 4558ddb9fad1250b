//! Settings: the one place where the environment's text becomes values. It is a pure function of
//! a look-up, so that only binaries touch the environment itself.

use std::fmt;
use std::time::Duration;

use llm_exe::providers::{COMPATIBLE_SETTING, PROVIDERS, Providers};
use llm_exe::{Endpoints, ModelPatterns, Rules};
use llm_exe_events::EndpointAuth;

use crate::{compatible, hosted};

/// A setting, as the documentation lists it.
#[derive(Debug, Clone, Copy)]
pub struct SettingRow {
    /// The environment variable.
    pub name: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// What it does.
    pub what: &'static str,
}

const fn row(name: &'static str, default: &'static str, what: &'static str) -> SettingRow {
    SettingRow { name, default, what }
}

/// Every setting that is read.
pub const SETTINGS: &[SettingRow] = &[
    row("ENDPOINT_AUTH", "AWS_IAM", "who may call over HTTP: AWS_IAM, API_KEY or NONE"),
    row("HTTP_DEADLINE_SECONDS", "29", "the time for callers behind an API Gateway"),
    row("STRICT_VARIABLES", "false", "a variable that data lacks is an error in every request"),
    row("ALLOWED_MODELS", "", "patterns like openai:gpt-4o*, anthropic:*; none said, all"),
    row("MAX_TOKENS_CEILING", "", "the most maxTokens, and what a request gets that names none"),
    row("AWS_S3_FILES_BUCKET_NAME", "", "the prompt bucket: of a key that comes without a bucket"),
    row(
        "CONFIG_BUCKETS",
        "",
        "the buckets that configs are read from; none said, the prompt bucket",
    ),
    row("CONFIG_CACHE_SECONDS", "0", "how long a config is used without asking if it changed"),
    row("OPENAI_BASE_URL", "https://api.openai.com/v1", "where openai is reached"),
    row("ANTHROPIC_BASE_URL", "https://api.anthropic.com", "where anthropic is reached"),
    row("XAI_BASE_URL", "https://api.x.ai/v1", "where xai is reached"),
    row("DEEPSEEK_BASE_URL", "https://api.deepseek.com/v1", "where deepseek is reached"),
    row(
        "GEMINI_BASE_URL",
        "https://generativelanguage.googleapis.com/v1beta",
        "where google is reached",
    ),
    row("OLLAMA_ENDPOINT", "http://localhost:11434", "where ollama is reached"),
    row("OPENAI_COMPATIBLE_PROVIDERS", "", "servers that speak OpenAI's dialect, as JSON"),
    row("AWS_REGION", "", "the region of AWS services, else AWS_DEFAULT_REGION; Lambda sets it"),
    row("LOG_LEVEL", "info", "error, warn, info or debug"),
];

/// Settings of later versions. Set, they stop the start: a limit that silently does nothing is
/// worse than none.
const NOT_BUILT: &[&str] = &[
    "RESULT_PREFIX",
    "RESULT_DESTINATION",
    "RESULT_DESTINATION_OVERRIDE",
    "OFFLOAD_RESULTS_OVER",
    "TOOL_FUNCTIONS",
    "TOOLS_FROM_HTTP",
    "CONFIG_URL_HOSTS",
    "RECORD_CONCURRENCY",
    "LOG_PROMPTS",
    "SECRET_CACHE_SECONDS",
];

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Failures that are ours or the operator's.
    Error,
    /// Every failure.
    Warn,
    /// One line an invocation.
    Info,
    /// The same, with warnings spelled out.
    Debug,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may call over HTTP.
    pub endpoint_auth: EndpointAuth,
    /// The time for callers behind an API Gateway.
    pub http_deadline: Duration,
    /// What the operator lays down for every request.
    pub rules: Rules,
    /// How long a hosted config is used without asking whether it changed.
    pub config_cache: Duration,
    /// Where providers are reached.
    pub endpoints: Endpoints,
    /// How much is logged.
    pub log_level: LogLevel,
}

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFault {
    name: String,
    message: String,
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting {} can't be used: {}", self.name, self.message)
    }
}

impl std::error::Error for SettingsFault {}

impl Settings {
    /// Reads the settings by a look-up of names. A variable that is set but empty is not set.
    ///
    /// # Errors
    /// Names the setting, what came, and what is allowed.
    pub fn read(look_up: &dyn Fn(&str) -> Option<String>) -> Result<Settings, SettingsFault> {
        let get = |name: &str| look_up(name).filter(|text| !text.trim().is_empty());
        // "false" asks for nothing.
        let asked = |name: &str| get(name).is_some_and(|text| text.trim() != "false");
        if let Some(name) = NOT_BUILT.iter().find(|name| asked(name)) {
            return Err(fault(name, "it is not built yet in this version; unset it"));
        }
        let mut endpoints = Endpoints::new();
        for provider in PROVIDERS {
            if let Some(url) = get(provider.base_url_setting) {
                let url = url.trim();
                endpoints.set(provider, url).map_err(|why| {
                    // A URL with a password or a query in it may hold a secret.
                    let plain = !url.contains(['@', '?']);
                    let came = if plain { format!("; got {url:?}") } else { String::new() };
                    fault(provider.base_url_setting, why + &came)
                })?;
            }
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = get(name) {
                let region = region.trim();
                let told = |why| fault(name, format!("{why}; got {region:?}"));
                endpoints.set_region(region).map_err(told)?;
                break;
            }
        }
        Ok(Settings {
            endpoint_auth: word(&get, "ENDPOINT_AUTH", EndpointAuth::WORDS)?.unwrap_or_default(),
            http_deadline: http_deadline(&get)?,
            rules: rules(&get)?,
            config_cache: hosted::cache(&get)?,
            endpoints,
            log_level: word(&get, "LOG_LEVEL", LEVELS)?.unwrap_or(LogLevel::Info),
        })
    }
}

const LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

pub(crate) type Get<'a> = dyn Fn(&str) -> Option<String> + 'a;

pub(crate) fn fault(name: &str, message: impl Into<String>) -> SettingsFault {
    SettingsFault { name: name.to_owned(), message: message.into() }
}

fn word<T: Copy>(
    get: &Get<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, SettingsFault> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    match found {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let known = known.join(", ");
            Err(fault(name, format!("expected one of {known}, got {text:?}")))
        }
    }
}

fn flag(get: &Get<'_>, name: &str) -> Result<bool, SettingsFault> {
    Ok(word(get, name, &[("true", true), ("false", false)])?.unwrap_or(false))
}

fn rules(get: &Get<'_>) -> Result<Rules, SettingsFault> {
    let allowed = get("ALLOWED_MODELS").map(|text| ModelPatterns::read(&text)).transpose();
    Ok(Rules {
        strict_variables: flag(get, "STRICT_VARIABLES")?,
        providers: match get(COMPATIBLE_SETTING) {
            Some(text) => compatible::read(&text).map_err(|why| fault(COMPATIBLE_SETTING, why))?,
            None => Providers::default(),
        },
        allowed_models: allowed.map_err(|error| fault("ALLOWED_MODELS", error.message()))?,
        max_tokens_ceiling: ceiling(get)?,
        hosted: hosted::rules(get)?,
    })
}

fn ceiling(get: &Get<'_>) -> Result<Option<u64>, SettingsFault> {
    const NAME: &str = "MAX_TOKENS_CEILING";
    let Some(text) = get(NAME) else {
        return Ok(None);
    };
    match text.trim().parse::<u64>() {
        Ok(most) if most > 0 => Ok(Some(most)),
        _ => Err(fault(NAME, format!("expected a whole number from 1, got {text:?}"))),
    }
}

fn http_deadline(get: &Get<'_>) -> Result<Duration, SettingsFault> {
    const NAME: &str = "HTTP_DEADLINE_SECONDS";
    let Some(text) = get(NAME) else {
        return Ok(Duration::from_secs(29));
    };
    match text.trim().parse::<u64>() {
        Ok(seconds) if (1..=900).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(fault(NAME, format!("expected seconds from 1 to 900, got {text:?}"))),
    }
}
