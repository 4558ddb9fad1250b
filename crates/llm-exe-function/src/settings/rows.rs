//! The table of settings with their defaults.

use std::borrow::Cow;

use llm_exe::providers::PROVIDERS;

/// A setting, as it is listed in the documentation.
#[derive(Debug, Clone)]
pub struct SettingRow {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The value that is used if the variable is not set. It is empty if the setting has no
    /// default.
    pub default: &'static str,
    /// What the setting does.
    pub description: Cow<'static, str>,
}

/// Returns all settings of the function. Those for the base URLs of providers come last.
pub fn setting_rows() -> Vec<SettingRow> {
    let mut rows = ROWS.to_vec();
    for provider in PROVIDERS {
        let name = provider.base_url_setting;
        // Several providers share the setting of Amazon Bedrock.
        if rows.iter().all(|row| row.name != name) {
            let same = PROVIDERS.iter().filter(|other| other.base_url_setting == name);
            let providers: Vec<&str> = same.map(|other| other.name).collect();
            let description = format!("base URL of {}", providers.join(", ")).into();
            rows.push(SettingRow { name, default: provider.base_url, description });
        }
    }
    rows
}

const fn row(name: &'static str, default: &'static str, description: &'static str) -> SettingRow {
    SettingRow { name, default, description: Cow::Borrowed(description) }
}

/// All settings except the base URLs of providers.
pub(super) static ROWS: &[SettingRow] = &[
    row("STACK_NAME", "LlmExeLambda", "the stack name, which is part of the names of its secrets"),
    row("SECRET_CACHE_SECONDS", "300", "how long a key from Parameter Store is cached"),
    row("ENDPOINT_AUTH", "AWS_IAM", "authentication of HTTP callers: AWS_IAM, API_KEY or NONE"),
    row("HTTP_DEADLINE_SECONDS", "29", "time limit for callers behind API Gateway"),
    row(
        "RESPONSE_STREAMING",
        "",
        "entry points that stream responses: url, rest, invoke; default: none",
    ),
    row("STRICT_VARIABLES", "false", "whether a template variable without data is an error"),
    row("STRICT_OPTIONS", "false", "whether an option that a provider rejects is an error"),
    row(
        "STRICT",
        "false",
        "whether every warning about a request is an error before the call that it concerns",
    ),
    row(
        "OPENAI_API_MODE",
        "auto",
        "API of openai, azure and amazon:openai: auto, chat (chat completions) or responses",
    ),
    row("ALLOWED_MODELS", "", "patterns like openai:gpt-4o*, anthropic:*; default: all models"),
    row("MAX_TOKENS_CEILING", "", "maximum of maxTokens, and its value if a request has none"),
    row(
        "PRICES",
        "",
        "prices in US dollars per million tokens, like \
         {\"azure:*\": {\"input\": 2.5, \"output\": 10}}, or the S3 key of an object with them; \
         they replace list prices",
    ),
    row("AWS_S3_FILES_BUCKET_NAME", "", "the prompt bucket, used for a key without a bucket"),
    row(
        "CONFIG_BUCKETS",
        "",
        "buckets that configs may be read from; default: the prompt bucket only",
    ),
    row(
        "CONFIG_CACHE_SECONDS",
        "0",
        "how long a config is cached before it is checked for changes",
    ),
    row("RECORD_CONCURRENCY", "10", "how many records of an event run concurrently"),
    row("RESULT_PREFIX", "", "s3://bucket/prefix below which results are stored"),
    row(
        "RESULT_DESTINATION",
        "",
        "queue URL or event bus ARN to which the result of each record is sent",
    ),
    row(
        "RESULT_DESTINATION_OVERRIDE",
        "",
        "allowed prefixes of a request's destination, separated by commas",
    ),
    row(
        "OFFLOAD_RESULTS_OVER",
        "",
        "maximum bytes of a response; larger results are stored below RESULT_PREFIX",
    ),
    row(
        "TOOL_FUNCTIONS",
        "",
        "Lambda functions that tools may call: names or ARNs, which may end in *",
    ),
    row("TOOLS_FROM_HTTP", "false", "whether HTTP callers may name Lambda functions in tools"),
    row("OPENAI_COMPATIBLE_PROVIDERS", "", "additional OpenAI-compatible servers, as JSON"),
    row(
        "AWS_ENDPOINT_URL_S3",
        "https://s3.REGION.amazonaws.com",
        "base URL of S3, used with path-style addressing; the default uses virtual hosts",
    ),
    row("AWS_ENDPOINT_URL_SSM", "https://ssm.REGION.amazonaws.com", "base URL of Parameter Store"),
    row("AWS_ENDPOINT_URL_SQS", "https://sqs.REGION.amazonaws.com", "base URL of SQS"),
    row(
        "AWS_ENDPOINT_URL_EVENTS",
        "https://events.REGION.amazonaws.com",
        "base URL of EventBridge",
    ),
    row("AWS_ENDPOINT_URL_LAMBDA", "https://lambda.REGION.amazonaws.com", "base URL of Lambda"),
    row("AWS_ENDPOINT_URL", "", "base URL of all AWS services without their own setting"),
    row("AWS_REGION", "", "the AWS region, or else AWS_DEFAULT_REGION; Lambda sets it"),
    row(
        "CONFIG_URL_HOSTS",
        "",
        "hosts that configs may be fetched from, like *.example.com, a.example:8443",
    ),
    row("LOG_LEVEL", "info", "error, warn, info or debug"),
    row(
        "LOG_PROMPTS",
        "false",
        "whether the log contains prompts and replies; requires LOG_LEVEL=debug",
    ),
    row(
        "METRIC_TAGS",
        "",
        "names of the tags of requests that are dimensions of metrics, like team",
    ),
    row(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "base URL to which spans are exported, like http://localhost:4318; default: no export",
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "",
        "the URL for spans itself, like https://xray.eu-west-1.amazonaws.com/v1/traces",
    ),
    row(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "",
        "headers of exports, like api-key=secret, with percent-encoded values",
    ),
    row("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "the protocol of exports: http/json"),
    row(
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "200",
        "maximum milliseconds of an export; more than 200 count as 200",
    ),
    row("OTEL_SERVICE_NAME", "", "name of the service in traces; default: that of the function"),
    row(
        "OTEL_RESOURCE_ATTRIBUTES",
        "",
        "further attributes of the service, like deployment.environment.name=test",
    ),
    row(
        "OTEL_TRACES_SAMPLER",
        "parentbased_always_on",
        "which traces are exported: always_on, always_off, traceidratio, or one of them after \
         parentbased_",
    ),
    row("OTEL_TRACES_SAMPLER_ARG", "1", "the share of traces that traceidratio exports"),
    row("OTEL_TRACES_EXPORTER", "otlp", "otlp, or none to export nothing"),
    row("OTEL_SDK_DISABLED", "false", "whether nothing is exported"),
    row(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "false",
        "whether spans contain prompts, replies, and the arguments and results of tools",
    ),
];

/// Returns the default of a setting of this table, or `None` if the setting has no default.
pub(super) fn default_of(name: &str) -> Option<&'static str> {
    let row = ROWS.iter().find(|row| row.name == name)?;
    (!row.default.is_empty()).then_some(row.default)
}
