//! Parses the settings from environment variables. The binaries pass a function that looks up a
//! variable, so this module never accesses the environment itself.

mod compatible;
mod error;
mod hosted;
mod misspelled;
mod parse;
mod results;
mod rows;
mod traces;

use std::time::Duration;

use llm_exe::hosted::parse_object;
use llm_exe::parsers::Parsers;
use llm_exe::providers::{Access, ApiMode, InvalidBaseUrl, PROVIDERS, Providers, check_base_url};
use llm_exe::{
    ConfigHosts, Endpoints, FunctionName, HostedRules, InvalidModelPatterns, InvalidPrices,
    ModelPatterns, PriceList, Rules, ToolRules, is_tag,
};
use llm_exe_events::{EndpointAuth, StreamingEntryPoint};

use parse::{Get, flag, number, quoted_url, seconds, text, word, words};
use rows::default_of;

use crate::destination::{Destination, ResultPrefix};

pub use error::SettingsError;
pub use misspelled::misspelled_settings;
pub use results::ResultSettings;
pub use rows::{SettingRow, setting_rows};
pub use traces::TraceSettings;
pub(crate) use traces::{EXPECTED_HEADERS, parse_headers};

/// The variables that can set the AWS region, in order of precedence.
pub const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Returns the AWS region, together with the name of the variable that sets it. `look_up` returns
/// the value of a variable.
pub fn aws_region(look_up: &dyn Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    REGION_VARIABLES.into_iter().find_map(|name| {
        let value = look_up(name)?;
        let region = value.trim();
        (!region.is_empty()).then(|| (name, region.to_owned()))
    })
}

/// The level of a log line. The setting `LOG_LEVEL` defines which levels are logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Only errors of the function or its configuration.
    Error,
    /// All errors, and warnings about the configuration.
    Warn,
    /// One line for each invocation.
    #[default]
    Info,
    /// One line for each invocation, including the text of all warnings.
    Debug,
}

/// The settings of the function.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How HTTP callers authenticate.
    pub endpoint_auth: EndpointAuth,
    /// The time limit for callers behind API Gateway or a load balancer, which time out before the
    /// function does.
    pub http_deadline: Duration,
    /// The entry points whose responses are sent in streaming mode.
    pub response_streaming: Vec<StreamingEntryPoint>,
    /// The operator's rules, which apply to every request.
    pub rules: Rules,
    /// How long a hosted config is cached before it is checked for changes.
    pub config_cache: Duration,
    /// Where results are stored and sent.
    pub results: ResultSettings,
    /// The maximum number of records of an event that run concurrently.
    pub record_concurrency: usize,
    /// The base URLs of the providers.
    pub endpoints: Endpoints,
    /// The hosts that configs may be fetched from.
    pub config_hosts: ConfigHosts,
    /// The settings for AWS services other than Bedrock.
    pub aws: AwsSettings,
    /// The most detailed level that is logged.
    pub log_level: LogLevel,
    /// The names of the tags that are dimensions of metrics.
    pub metric_tags: Vec<String>,
    /// Where spans are exported, if they are. Boxed, because most functions export none.
    pub traces: Option<Box<TraceSettings>>,
    /// Whether `LOG_PROMPTS` is set.
    pub log_prompts: bool,
}

/// The region and the base URLs of AWS services, and the settings for secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    /// The AWS region, if a variable sets it.
    pub region: Option<String>,
    /// The base URL of S3, if it is not the region's default.
    pub s3: Option<String>,
    /// The base URL of Parameter Store, if it is not the region's default.
    pub ssm: Option<String>,
    /// The base URL of SQS, if it is not the region's default.
    pub sqs: Option<String>,
    /// The base URL of EventBridge, if it is not the region's default.
    pub events: Option<String>,
    /// The base URL of Lambda, if it is not the region's default.
    pub lambda: Option<String>,
    /// The stack name, which is part of the names of the stack's secrets.
    pub stack_name: String,
    /// How long a secret is cached.
    pub secret_cache: Duration,
}

impl Settings {
    /// Parses the settings. `look_up` returns the value of a variable. An empty variable is treated
    /// as not set.
    ///
    /// # Errors
    /// Returns an error for the first setting that is invalid.
    pub fn parse(look_up: &dyn Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let get = |name: &str| look_up(name).filter(|text| !text.trim().is_empty());
        let mut endpoints = Endpoints::new();
        for provider in PROVIDERS {
            let own = [provider.base_url_setting];
            // As in the AWS SDKs, the endpoint URL of a service takes precedence over
            // AWS_ENDPOINT_URL.
            let aws = [provider.base_url_setting, "AWS_ENDPOINT_URL"];
            let names: &[&str] = if provider.access == Access::Aws { &aws } else { &own };
            if let Some((name, url)) = names.iter().find_map(|name| Some((name, get(name)?))) {
                let url = url.trim();
                let set = endpoints.set(provider, url);
                set.map_err(|reason| invalid_url(name, &reason, url))?;
            }
        }
        let api_mode = word(&get, "OPENAI_API_MODE", ApiMode::WORDS)?;
        endpoints.set_api_mode(api_mode.unwrap_or_default());
        if let Some((name, region)) = aws_region(&get) {
            endpoints
                .set_region(&region)
                .map_err(|reason| SettingsError::new(name, format!("{reason}; got {region:?}")))?;
        }
        let aws = aws(&get)?;
        let results = results::parse(&get)?;
        Ok(Settings {
            endpoint_auth: word(&get, "ENDPOINT_AUTH", EndpointAuth::WORDS)?.unwrap_or_default(),
            http_deadline: seconds(&get, "HTTP_DEADLINE_SECONDS", 1..=900)?,
            response_streaming: words(&get, "RESPONSE_STREAMING", StreamingEntryPoint::WORDS)?,
            rules: rules(&get, &results)?,
            results,
            record_concurrency: results::record_concurrency(&get)?,
            config_cache: hosted::cache(&get)?,
            endpoints,
            config_hosts: config_hosts(&get)?,
            aws,
            log_level: word(&get, "LOG_LEVEL", LEVELS)?.unwrap_or_default(),
            metric_tags: metric_tags(&get)?,
            traces: traces::parse(&get)?.map(Box::new),
            log_prompts: flag(&get, "LOG_PROMPTS")?,
        })
    }

    /// Returns whether prompts, replies, and the arguments and results of tools are logged.
    pub fn logs_contents(&self) -> bool {
        self.log_prompts && self.log_level >= LogLevel::Debug
    }

    /// Returns what the program logs once when it starts.
    pub fn start_warning(&self) -> Option<&'static str> {
        match (self.log_prompts, self.log_level) {
            (false, _) => None,
            (true, LogLevel::Debug) => Some(
                "LOG_PROMPTS is set: the log contains prompts, replies, and the arguments and \
                 results of tools",
            ),
            (true, _) => Some("LOG_PROMPTS has no effect, because LOG_LEVEL is not debug"),
        }
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
    let hosted = hosted::rules(get)?;
    results::check_config_buckets(results, &hosted)?;
    let providers = match get(compatible::SETTING) {
        Some(text) => compatible::parse(&text)
            .map_err(|reason| SettingsError::new(compatible::SETTING, reason))?,
        None => Providers::default(),
    };
    let allowed_models = allowed_models(get, &providers)
        .map_err(|error| SettingsError::new("ALLOWED_MODELS", error.to_string()))?;
    let forbidden_prefixes = results.prefix.iter().map(ResultPrefix::folder).collect();
    let hosted = HostedRules { forbidden_prefixes, ..hosted };
    let prices = prices(get, &providers, &hosted)?;
    Ok(Rules {
        strict_variables: flag(get, "STRICT_VARIABLES")?,
        strict_options: flag(get, "STRICT_OPTIONS")?,
        strict: flag(get, "STRICT")?,
        providers,
        parsers: Parsers::default(),
        allowed_models,
        prices,
        max_tokens_ceiling: number(get, CEILING, "a whole number", 1..=u64::MAX)?,
        hosted,
        tools: tools(get)?,
        destinations: results::allowed(get)?,
        destination_parser: Some(Destination::parse_field),
    })
}

/// Maximum number of tags that are dimensions of metrics.
const MAX_METRIC_TAGS: usize = 10;

/// The setting with the prices of models.
const PRICES: &str = "PRICES";

/// Parses the prices that take precedence over the list prices, or the place of the S3 object that
/// contains them.
fn prices(
    get: &Get<'_>,
    providers: &Providers,
    hosted: &HostedRules,
) -> Result<PriceList, SettingsError> {
    let Some(text) = get(PRICES) else { return Ok(PriceList::default()) };
    let text = text.trim();
    let invalid = |reason: String| SettingsError::new(PRICES, reason);
    // Keys with these characters are not supported, so that malformed JSON is not read as a key.
    if !text.contains(['{', '}', '[', ']', '"']) {
        let location = parse_object(text, hosted);
        let location = location.map_err(|error| {
            invalid(format!(
                "expected a JSON object of prices, or an S3 key: {error}; got {text:?}"
            ))
        })?;
        return Ok(PriceList::stored_at(location));
    }
    let parse = || -> Result<PriceList, InvalidPrices> {
        let prices: PriceList = text.parse()?;
        prices.check_providers(providers)?;
        Ok(prices)
    };
    parse().map_err(|error| invalid(error.to_string()))
}

/// Parses which Lambda functions tools may call.
fn tools(get: &Get<'_>) -> Result<ToolRules, SettingsError> {
    const FUNCTIONS: &str = "TOOL_FUNCTIONS";
    let text = get(FUNCTIONS).unwrap_or_default();
    let patterns = text.split([',', ' ']).filter(|pattern| !pattern.is_empty());
    let functions = patterns.map(|pattern| {
        FunctionName::parse_pattern(pattern).map_err(|reason| SettingsError::new(FUNCTIONS, reason))
    });
    let from_http = flag(get, "TOOLS_FROM_HTTP")?;
    Ok(ToolRules { functions: functions.collect::<Result<_, _>>()?, from_http })
}

/// Parses which tags of requests are dimensions of metrics.
fn metric_tags(get: &Get<'_>) -> Result<Vec<String>, SettingsError> {
    const NAME: &str = "METRIC_TAGS";
    let text = get(NAME).unwrap_or_default();
    let mut names: Vec<&str> = text.split([',', ' ']).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if let Some(name) = names.iter().find(|name| !is_tag(name)) {
        let text = format!("expected names of tags such as team, got {name:?}");
        return Err(SettingsError::new(NAME, text));
    }
    if names.len() > MAX_METRIC_TAGS {
        let text = format!("expected at most {MAX_METRIC_TAGS} names, got {}", names.len());
        return Err(SettingsError::new(NAME, text));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn allowed_models(
    get: &Get<'_>,
    providers: &Providers,
) -> Result<Option<ModelPatterns>, InvalidModelPatterns> {
    let Some(text) = get("ALLOWED_MODELS") else { return Ok(None) };
    let patterns: ModelPatterns = text.parse()?;
    patterns.check_providers(providers)?;
    Ok(Some(patterns))
}

fn config_hosts(get: &Get<'_>) -> Result<ConfigHosts, SettingsError> {
    const NAME: &str = "CONFIG_URL_HOSTS";
    let hosts = get(NAME).map(|text| ConfigHosts::parse(&text)).transpose();
    Ok(hosts.map_err(|error| SettingsError::new(NAME, error.to_string()))?.unwrap_or_default())
}

fn invalid_url(name: &str, reason: &InvalidBaseUrl, url: &str) -> SettingsError {
    SettingsError::new(name, format!("{reason}{}", quoted_url(url)))
}

fn aws(get: &Get<'_>) -> Result<AwsSettings, SettingsError> {
    Ok(AwsSettings {
        region: aws_region(get).map(|(_, region)| region),
        s3: aws_url(get, "AWS_ENDPOINT_URL_S3")?,
        ssm: aws_url(get, "AWS_ENDPOINT_URL_SSM")?,
        sqs: aws_url(get, "AWS_ENDPOINT_URL_SQS")?,
        events: aws_url(get, "AWS_ENDPOINT_URL_EVENTS")?,
        lambda: aws_url(get, "AWS_ENDPOINT_URL_LAMBDA")?,
        stack_name: stack_name(get)?,
        secret_cache: seconds(get, "SECRET_CACHE_SECONDS", 0..=86_400)?,
    })
}

/// Parses the base URL of an AWS service from its own setting, or else from `AWS_ENDPOINT_URL`.
fn aws_url(get: &Get<'_>, setting: &str) -> Result<Option<String>, SettingsError> {
    let set = [setting, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| Some((name, get(name)?)));
    let Some((name, url)) = set else {
        return Ok(None);
    };
    let url = url.trim();
    // The documented default contains the placeholder REGION, so it is treated as not set.
    if default_of(setting) == Some(url) {
        return Ok(None);
    }
    check_base_url(url).map_err(|reason| invalid_url(name, &reason, url))?;
    Ok(Some(url.to_owned()))
}

/// Parses the stack name, which is part of the names of its parameters in Parameter Store.
fn stack_name(get: &Get<'_>) -> Result<String, SettingsError> {
    const NAME: &str = "STACK_NAME";
    let text = text(get, NAME).unwrap_or_default();
    let text = text.trim();
    let is_valid = text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_valid {
        return Ok(text.to_owned());
    }
    let text = format!(
        "expected a letter, followed by letters, digits and hyphens (at most 128), got {text:?}"
    );
    Err(SettingsError::new(NAME, text))
}
