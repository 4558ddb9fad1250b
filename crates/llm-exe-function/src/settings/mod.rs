//! Settings: the one place where the environment's text becomes values. It is a pure function of
//! a look-up, so that only binaries touch the environment itself.

mod compatible;
mod hosted;
mod parse;
mod results;

use std::fmt;
use std::time::Duration;

use llm_exe::providers::{Access, COMPATIBLE_SETTING, PROVIDERS, Providers, check_base_url};
use llm_exe::results::ResultPrefix;
use llm_exe::{ConfigHosts, Endpoints, HostedRules, ModelPatterns, Rules};
use llm_exe_events::EndpointAuth;

use parse::{Get, fault, flag, number, seconds, word};

pub use results::ResultSettings;

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
    row("STACK_NAME", "LlmExeLambda", "the stack, of whose secrets keys are a part"),
    row("SECRET_CACHE_SECONDS", "300", "how long a key of Parameter Store is kept"),
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
    row("RECORD_CONCURRENCY", "10", "how many records of an event run at a time"),
    row("RESULT_PREFIX", "", "s3://bucket/prefix, where results of records and of keys are kept"),
    row("RESULT_DESTINATION", "", "a queue's URL or a bus's ARN, told of each record's result"),
    row(
        "RESULT_DESTINATION_OVERRIDE",
        "",
        "what a request's own destination may begin with, parted by commas",
    ),
    row("OFFLOAD_RESULTS_OVER", "", "bytes of an answer over which it goes under RESULT_PREFIX"),
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
    row(
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "https://bedrock-runtime.REGION.amazonaws.com",
        "where the providers of Amazon Bedrock are reached",
    ),
    row(
        "AWS_ENDPOINT_URL_S3",
        "https://s3.REGION.amazonaws.com",
        "where S3 is reached, buckets in the path; its own address has them in the host",
    ),
    row(
        "AWS_ENDPOINT_URL_SSM",
        "https://ssm.REGION.amazonaws.com",
        "where Parameter Store is reached",
    ),
    row("AWS_ENDPOINT_URL_SQS", "https://sqs.REGION.amazonaws.com", "where SQS is reached"),
    row(
        "AWS_ENDPOINT_URL_EVENTS",
        "https://events.REGION.amazonaws.com",
        "where EventBridge is reached",
    ),
    row("AWS_ENDPOINT_URL", "", "where all services of AWS are reached, unless told apart"),
    row("AWS_REGION", "", "the region of AWS services, else AWS_DEFAULT_REGION; Lambda sets it"),
    row(
        "CONFIG_URL_HOSTS",
        "",
        "hosts that configs are fetched from, like *.example.com, a.example:8443",
    ),
    row("LOG_LEVEL", "info", "error, warn, info or debug"),
];

/// Settings of later versions. Set, they stop the start: a limit that silently does nothing is
/// worse than none.
const NOT_BUILT: &[&str] = &["TOOL_FUNCTIONS", "TOOLS_FROM_HTTP", "LOG_PROMPTS"];

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
    /// What becomes of results.
    pub results: ResultSettings,
    /// How many records of an event run at a time.
    pub record_concurrency: usize,
    /// Where providers are reached.
    pub endpoints: Endpoints,
    /// Where configs at URLs may come from.
    pub page_hosts: ConfigHosts,
    /// What there is of AWS beside providers.
    pub aws: AwsSettings,
    /// How much is logged.
    pub log_level: LogLevel,
}

/// Where the services of AWS are reached, and what of them is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    /// The region.
    pub region: Option<String>,
    /// S3's base URL, if it is not the region's.
    pub s3: Option<String>,
    /// Parameter Store's base URL, if it is not the region's.
    pub ssm: Option<String>,
    /// SQS's base URL, if it is not the region's.
    pub sqs: Option<String>,
    /// EventBridge's base URL, if it is not the region's.
    pub events: Option<String>,
    /// The stack, as the names of its secrets have it.
    pub stack_name: String,
    /// How long a secret is kept.
    pub secret_cache: Duration,
}

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    name: String,
    message: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting {} can't be used: {}", self.name, self.message)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the settings by a look-up of names. A variable that is set but empty is not set.
    ///
    /// # Errors
    /// Names the setting, what came, and what is allowed.
    pub fn read(look_up: &dyn Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let get = |name: &str| look_up(name).filter(|text| !text.trim().is_empty());
        // "false" asks for nothing.
        let asked = |name: &str| get(name).is_some_and(|text| text.trim() != "false");
        if let Some(name) = NOT_BUILT.iter().find(|name| asked(name)) {
            return Err(fault(name, "it is not built yet in this version; unset it"));
        }
        let mut endpoints = Endpoints::new();
        for provider in PROVIDERS {
            let own = [provider.base_url_setting];
            // As in AWS's own tools: the service's setting goes before the one for all.
            let aws = [provider.base_url_setting, "AWS_ENDPOINT_URL"];
            let names: &[&str] = if provider.access == Access::Aws { &aws } else { &own };
            if let Some((name, url)) = names.iter().find_map(|name| Some((name, get(name)?))) {
                let url = url.trim();
                endpoints.set(provider, url).map_err(|why| fault(name, why + &came(url)))?;
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
        let aws = aws(&get)?;
        let results = results::read(&get)?;
        Ok(Settings {
            endpoint_auth: word(&get, "ENDPOINT_AUTH", EndpointAuth::WORDS)?.unwrap_or_default(),
            http_deadline: seconds(&get, "HTTP_DEADLINE_SECONDS", 29, 1..=900)?,
            rules: rules(&get, &results)?,
            results,
            record_concurrency: results::record_concurrency(&get)?,
            config_cache: hosted::cache(&get)?,
            endpoints,
            page_hosts: page_hosts(&get)?,
            aws,
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

fn rules(get: &Get<'_>, results: &ResultSettings) -> Result<Rules, SettingsError> {
    const CEILING: &str = "MAX_TOKENS_CEILING";
    let allowed = get("ALLOWED_MODELS").map(|text| text.parse::<ModelPatterns>()).transpose();
    let hosted = hosted::rules(get)?;
    results::check_apart(results, &hosted)?;
    Ok(Rules {
        strict_variables: flag(get, "STRICT_VARIABLES")?,
        providers: match get(COMPATIBLE_SETTING) {
            Some(text) => compatible::read(&text).map_err(|why| fault(COMPATIBLE_SETTING, why))?,
            None => Providers::default(),
        },
        allowed_models: allowed.map_err(|error| fault("ALLOWED_MODELS", error.to_string()))?,
        max_tokens_ceiling: number(get, CEILING, "a whole number", 1..=u64::MAX)?,
        hosted: HostedRules {
            forbidden_prefixes: results.prefix.iter().map(ResultPrefix::folder).collect(),
            ..hosted
        },
        destinations: results::allowed(get)?,
    })
}

fn page_hosts(get: &Get<'_>) -> Result<ConfigHosts, SettingsError> {
    const NAME: &str = "CONFIG_URL_HOSTS";
    let hosts = get(NAME).map(|text| ConfigHosts::parse(&text)).transpose();
    Ok(hosts.map_err(|why| fault(NAME, why.to_string()))?.unwrap_or_default())
}

/// A URL as a message quotes it: one with a password or a query in it may hold a secret.
fn came(url: &str) -> String {
    if url.contains(['@', '?']) { String::new() } else { format!("; got {url:?}") }
}

fn aws(get: &Get<'_>) -> Result<AwsSettings, SettingsError> {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| get(name));
    Ok(AwsSettings {
        region: region.map(|text| text.trim().to_owned()),
        s3: aws_url(get, "AWS_ENDPOINT_URL_S3")?,
        ssm: aws_url(get, "AWS_ENDPOINT_URL_SSM")?,
        sqs: aws_url(get, "AWS_ENDPOINT_URL_SQS")?,
        events: aws_url(get, "AWS_ENDPOINT_URL_EVENTS")?,
        stack_name: stack_name(get)?,
        secret_cache: seconds(get, "SECRET_CACHE_SECONDS", 300, 0..=86_400)?,
    })
}

fn aws_url(get: &Get<'_>, own: &str) -> Result<Option<String>, SettingsError> {
    let set = [own, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| Some((name, get(name)?)));
    let Some((name, url)) = set else {
        return Ok(None);
    };
    let url = url.trim();
    // What is written as the default, the region is put into.
    let is_default = SETTINGS.iter().any(|row| row.name == own && row.default == url);
    if is_default {
        return Ok(None);
    }
    check_base_url(url).map_err(|why| fault(name, why + &came(url)))?;
    Ok(Some(url.to_owned()))
}

/// It is a part of parameters' names.
fn stack_name(get: &Get<'_>) -> Result<String, SettingsError> {
    const NAME: &str = "STACK_NAME";
    let Some(text) = get(NAME) else {
        return Ok("LlmExeLambda".to_owned());
    };
    let text = text.trim();
    let is_fine = text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_fine {
        return Ok(text.to_owned());
    }
    let text = format!("expected letters, digits and hyphens from a letter on, got {text:?}");
    Err(fault(NAME, text))
}
