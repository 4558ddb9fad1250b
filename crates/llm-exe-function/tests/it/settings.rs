//! Tests for the values that each setting accepts and rejects, and for the error messages.

use std::collections::BTreeMap;
use std::time::Duration;

use llm_exe::providers::{ApiMode, PROVIDERS, provider};
use llm_exe::{ConfigHosts, ResultDestination, ToolRules};
use llm_exe_events::EndpointAuth;
use llm_exe_function::destination::{Destination, ResultPrefix};
use llm_exe_function::{
    AwsSettings, LogLevel, ResultSettings, Sampler, Settings, SettingsError, setting_rows,
};
use proptest::prelude::*;

fn parse(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Settings::parse(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

/// The name of a setting, an invalid value, and a part of the expected error message.
const INVALID: &[(&str, &str, &str)] = &[
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:pass@a.example", "OTEL_EXPORTER_OTLP_HEADERS"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://", "URL"),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "http://xray.eu-west-1.amazonaws.com/v1/traces",
        "https",
    ),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.example/?key=1", "query"),
    ("LOG_PROMPTS", "yes", "true, false"),
    ("ENDPOINT_AUTH", "IAM", "AWS_IAM, API_KEY, NONE"),
    ("ENDPOINT_AUTH", "NONE,API_KEY", "AWS_IAM, API_KEY, NONE"),
    ("HTTP_DEADLINE_SECONDS", "0", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "901", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "-5", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "2.5", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "30s", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "99999999999999999999", "1 to 900"),
    ("SECRET_CACHE_SECONDS", "86401", "0 to 86400"),
    ("SECRET_CACHE_SECONDS", "5m", "0 to 86400"),
    ("STACK_NAME", "a/b", "expected a letter, followed by"),
    ("STACK_NAME", "1a", "expected a letter, followed by"),
    ("AWS_ENDPOINT_URL_S3", "http://s3.example", "loopback"),
    ("AWS_ENDPOINT_URL_S3", "https://s3.example?a=b", "query"),
    ("AWS_ENDPOINT_URL_SSM", "ssm.example", "https://"),
    ("STRICT_VARIABLES", "1", "true, false"),
    ("STRICT_VARIABLES", "yes", "true, false"),
    ("LOG_LEVEL", "trace", "error, warn, info, debug"),
    ("LOG_LEVEL", "3", "error, warn, info, debug"),
    ("OPENAI_BASE_URL", "api.openai.com/v1", "URL"),
    ("OPENAI_BASE_URL", "/v1", "https://"),
    ("OPENAI_BASE_URL", "https://", "URL"),
    ("OPENAI_BASE_URL", "https:// x", "URL"),
    ("OPENAI_BASE_URL", "https://a.example:99999", "URL"),
    ("OPENAI_BASE_URL", "https://a.example:", "URL"),
    ("OPENAI_BASE_URL", "http://[::1]:x", "URL"),
    ("OPENAI_BASE_URL", "file:///etc/passwd", "URL"),
    ("OPENAI_BASE_URL", "http://example.com", "loopback"),
    ("OPENAI_BASE_URL", "http://1.1.1.1", "loopback"),
    ("OPENAI_BASE_URL", "http://169.254.169.254", "loopback"),
    ("OPENAI_BASE_URL", "http://localhost.evil.example", "loopback"),
    ("OPENAI_BASE_URL", "http://[::ffff:1.1.1.1]", "loopback"),
    ("OPENAI_BASE_URL", "http://127.0.0.1@evil.example", "user name"),
    ("ANTHROPIC_BASE_URL", "https://a.example?key=1", "query"),
    ("ANTHROPIC_BASE_URL", "https://user@a.example", "user name"),
    ("ANTHROPIC_BASE_URL", "https://a.example#part", ""),
    ("ALLOWED_MODELS", "gpt-4o", "such as openai:gpt-4o*, got"),
    ("ALLOWED_MODELS", ",", "at least one pattern"),
    (
        "ALLOWED_MODELS",
        "opnai:gpt-4o",
        "unknown provider in \"opnai:gpt-4o\" (did you mean openai?)",
    ),
    ("PRICES", "prices.json", "or an S3 key: the key needs a bucket"),
    ("PRICES", "s3://other/prices.json", "an S3 key: reading configs from the bucket \"other\""),
    ("PRICES", "s3://B/prices.json", "or an S3 key: "),
    ("PRICES", "a/../prices.json", "or an S3 key: the key must not contain the path segments"),
    ("PRICES", "https://a.example/prices.json", "or an S3 key: "),
    ("PRICES", "azure:*={}", "expected a JSON object of prices, got"),
    ("PRICES", "[]", "expected a JSON object of prices, got"),
    ("PRICES", "{\"gpt-4o\": {\"input\": 1, \"output\": 1}}", "such as azure:*, got"),
    (
        "PRICES",
        "{\"azur:*\": {\"input\": 1, \"output\": 1}}",
        "unknown provider in \"azur:*\" (did you mean azure?)",
    ),
    ("PRICES", "{\"azure:*\": {\"input\": 1}}", "azure:*: output: missing"),
    (
        "PRICES",
        "{\"azure:*\": {\"input\": -1, \"output\": 1}}",
        "azure:*: input: expected US dollars",
    ),
    (
        "PRICES",
        "{\"azure:*\": {\"input\": 1, \"outputs\": 1}}",
        "azure:*: unknown field \"outputs\" (did you mean output?)",
    ),
    ("MAX_TOKENS_CEILING", "0", "from 1"),
    ("MAX_TOKENS_CEILING", "4k", "from 1"),
    ("OPENAI_COMPATIBLE_PROVIDERS", "[]", "expected JSON like"),
    ("OPENAI_COMPATIBLE_PROVIDERS", "{\"a\": {}}", "baseUrl"),
    ("OPENAI_COMPATIBLE_PROVIDERS", "{\"a\": {\"baseURL\": \"https://b\"}}", "baseURL"),
    (
        "OPENAI_COMPATIBLE_PROVIDERS",
        "{\"a\": {\"baseUrl\": \"http://b.c\"}}",
        "a: baseUrl: http is",
    ),
    ("OPENAI_COMPATIBLE_PROVIDERS", "{\"openai\": {\"baseUrl\": \"https://b.c\"}}", "already"),
    ("CONFIG_URL_HOSTS", ",", "at least one host"),
    ("CONFIG_URL_HOSTS", "*", "example.com:8443, got"),
    ("CONFIG_URL_HOSTS", "*.com", "\"*.com\": the host name has no dot"),
    ("CONFIG_URL_HOSTS", "localhost", "\"localhost\": the host name is reserved"),
    ("CONFIG_URL_HOSTS", "169.254.169.254", "the address in the URL is not public (link-local)"),
    ("CONFIG_URL_HOSTS", "a.example:99999", "invalid port"),
    ("CONFIG_URL_HOSTS", "me@a.example", "without a scheme, user name"),
    ("AWS_REGION", "eu-central-1.evil.example/", "an AWS region such as"),
    ("AWS_S3_FILES_BUCKET_NAME", "My_Bucket", "a bucket name"),
    ("AWS_S3_FILES_BUCKET_NAME", "a-bucket,other", "a bucket name"),
    ("CONFIG_BUCKETS", "s3://b", "a bucket name"),
    ("CONFIG_BUCKETS", " , ", "separated by commas"),
    ("CONFIG_CACHE_SECONDS", "-1", "from 0 to 86400"),
    ("CONFIG_CACHE_SECONDS", "86401", "from 0 to 86400"),
    ("CONFIG_CACHE_SECONDS", "5m", "from 0 to 86400"),
    ("AWS_REGION", "EU", "an AWS region such as"),
    ("AWS_DEFAULT_REGION", "a@b", "an AWS region such as"),
    ("RECORD_CONCURRENCY", "0", "from 1 to 1000"),
    ("RECORD_CONCURRENCY", "1001", "from 1 to 1000"),
    ("RECORD_CONCURRENCY", "all", "from 1 to 1000"),
    ("RESULT_PREFIX", "bucket/prefix", "expected s3://bucket/prefix"),
    ("RESULT_PREFIX", "s3://", "a bucket name"),
    ("RESULT_PREFIX", "s3://Bucket/a", "a bucket name"),
    ("RESULT_PREFIX", "s3://bucket/a/../b", "expected s3://bucket/prefix"),
    ("RESULT_PREFIX", "s3://bucket/a//b", "expected s3://bucket/prefix"),
    ("RESULT_PREFIX", "s3://bucket/a//", "expected s3://bucket/prefix"),
    ("RESULT_PREFIX", "https://bucket.s3.amazonaws.com/a", "expected s3://bucket/prefix"),
    ("RESULT_DESTINATION", "arn:aws:sqs:us-east-1:123456789012:q", "a queue URL like"),
    ("RESULT_DESTINATION", "arn:aws:events:us-east-1:1234:event-bus/a", "a queue URL like"),
    ("RESULT_DESTINATION", "arn:aws:events:us-east-1:123456789012:rule/a", "a queue URL like"),
    ("RESULT_DESTINATION", "https://sqs.us-east-1.amazonaws.com/q", "a queue URL like"),
    ("RESULT_DESTINATION", "https://sqs.us-east-1.amazonaws.com/123456789012/", "a queue URL"),
    ("RESULT_DESTINATION", "https://sqs.us-east-1.amazonaws.com/123456789012/a/b", "a queue URL"),
    ("RESULT_DESTINATION", "s3://bucket/prefix", "set RESULT_PREFIX"),
    ("RESULT_DESTINATION_OVERRIDE", "*", "expected prefixes like"),
    ("RESULT_DESTINATION_OVERRIDE", "s3://", "expected prefixes like"),
    ("RESULT_DESTINATION_OVERRIDE", "https://sqs.eu-west-1.amazonaws.com/", "prefixes like"),
    ("RESULT_DESTINATION_OVERRIDE", "https://sqs.eu-west-1.amazonaws.com/1234", "prefixes like"),
    ("RESULT_DESTINATION_OVERRIDE", "arn:aws:events:", "expected prefixes like"),
    ("RESULT_DESTINATION_OVERRIDE", "arn:aws:sqs:us-east-1:123456789012:", "prefixes like"),
    ("OFFLOAD_RESULTS_OVER", "262144", "requires RESULT_PREFIX"),
    ("OFFLOAD_RESULTS_OVER", "256KB", "from 4096 to 6291456"),
    ("OFFLOAD_RESULTS_OVER", "100", "from 4096"),
    ("AWS_ENDPOINT_URL_SQS", "sqs.example", "https://"),
    ("AWS_ENDPOINT_URL_EVENTS", "http://events.example", "loopback"),
];

#[test]
fn invalid_value_error_names_the_setting_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (name, value, expected) in INVALID {
        match parse(&[(name, value)]) {
            Ok(_) => wrong.push(format!("{name}={value} was accepted")),
            Err(error) => {
                let text = error.to_string();
                if !text.contains(name) || !text.contains(expected) {
                    wrong.push(format!("{name}={value}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn invalid_value_is_quoted_unless_it_may_contain_a_secret() {
    let plain = |value: &str| !value.contains(['@', '?', '{', '[']);
    let quoted =
        INVALID.iter().filter(|(_, value, expected)| plain(value) && !expected.contains("RESULT_"));
    for (name, value, _) in quoted {
        if let Err(error) = parse(&[(name, value)]) {
            assert!(error.to_string().contains(value), "{name}={value}: {error}");
        }
    }
    let error = parse(&[("OPENAI_BASE_URL", "https://me:secret-word@a.example")]).unwrap_err();
    assert!(!error.to_string().contains("secret-word"), "{error}");
}

#[test]
fn defaults_match_the_table() {
    for settings in [parse(&[]).unwrap(), all_set_to("").unwrap(), all_set_to(" \t").unwrap()] {
        assert_eq!(settings.endpoint_auth, EndpointAuth::AwsIam);
        assert_eq!(settings.http_deadline, Duration::from_secs(29));
        assert!(!settings.rules.strict_variables && !settings.rules.strict_options);
        assert!(settings.rules.hosted.bucket.is_none() && settings.rules.hosted.buckets.is_none());
        assert_eq!(settings.config_cache, Duration::ZERO);
        assert_eq!(settings.endpoints.api_mode(), ApiMode::Auto);
        assert_eq!(settings.log_level, LogLevel::Info);
        assert_eq!(settings.config_hosts, ConfigHosts::default());
        assert_eq!(settings.results, ResultSettings::default());
        assert!(settings.rules.destinations.is_empty());
        assert_eq!(settings.record_concurrency, 10);
        let AwsSettings { region, s3, ssm, sqs, events, lambda, stack_name, secret_cache } =
            settings.aws;
        assert_eq!((region, s3, ssm, sqs, events, lambda), (None, None, None, None, None, None));
        assert_eq!(settings.rules.tools, ToolRules::default());
        assert_eq!((stack_name.as_str(), secret_cache.as_secs()), ("LlmExeLambda", 300));
        for row in PROVIDERS {
            assert_eq!(settings.endpoints.resolve(&row.into()).base_url, row.base_url);
        }
    }
    // Setting every setting to its documented default has the same effect as setting nothing.
    let defaults: Vec<(&str, &str)> =
        setting_rows().iter().map(|row| (row.name, row.default)).collect();
    let (set, unset) = (parse(&defaults).unwrap(), parse(&[]).unwrap());
    assert_eq!(set.endpoint_auth, unset.endpoint_auth);
    assert_eq!(set.http_deadline, unset.http_deadline);
    assert_eq!(set.log_level, unset.log_level);
    assert_eq!(set.aws, unset.aws);
    for row in PROVIDERS {
        assert_eq!(
            set.endpoints.resolve(&row.into()).base_url,
            unset.endpoints.resolve(&row.into()).base_url
        );
    }
}

fn all_set_to(value: &str) -> Result<Settings, SettingsError> {
    let rows = setting_rows();
    let all = rows.iter().map(|row| row.name);
    parse(&all.map(|name| (name, value)).collect::<Vec<_>>())
}

#[test]
fn valid_values_are_parsed() {
    let settings = parse(&[
        ("ENDPOINT_AUTH", " api_key "),
        ("HTTP_DEADLINE_SECONDS", " 900 "),
        ("STRICT_VARIABLES", "True"),
        ("STRICT_OPTIONS", "True"),
        ("STRICT", "true"),
        ("OPENAI_API_MODE", " Responses "),
        ("LOG_LEVEL", "ERROR"),
        ("OPENAI_BASE_URL", " https://proxy.example/openai/v1/ "),
        ("ANTHROPIC_BASE_URL", "http://[::1]:8080"),
        ("CONFIG_URL_HOSTS", " *.example.com , a.example:8443"),
        ("OLLAMA_ENDPOINT", "http://10.0.0.7:11434/"),
        ("AWS_S3_FILES_BUCKET_NAME", " prompts "),
        ("CONFIG_BUCKETS", "prompts, others,"),
        ("CONFIG_CACHE_SECONDS", " 60 "),
    ])
    .unwrap();
    assert_eq!(settings.endpoint_auth, EndpointAuth::ApiKey);
    assert_eq!(settings.http_deadline, Duration::from_secs(900));
    assert!(settings.rules.strict_variables && settings.rules.strict_options);
    assert!(settings.rules.strict);
    assert_eq!(settings.endpoints.api_mode(), ApiMode::Responses);
    assert_eq!(settings.log_level, LogLevel::Error);
    assert_eq!(
        Ok(settings.config_hosts.clone()),
        ConfigHosts::parse("*.EXAMPLE.com,a.example:8443")
    );
    let hosted = &settings.rules.hosted;
    assert_eq!(hosted.bucket.as_deref(), Some("prompts"));
    assert_eq!(hosted.buckets, Some(vec!["prompts".to_owned(), "others".to_owned()]));
    assert_eq!(settings.config_cache, Duration::from_secs(60));
    assert_eq!(url_of("openai", &settings), "https://proxy.example/openai/v1");
    assert_eq!(url_of("anthropic", &settings), "http://[::1]:8080");
    assert_eq!(url_of("ollama", &settings), "http://10.0.0.7:11434");
}

/// Configs below the result prefix can't be read.
#[test]
fn result_prefix_must_not_be_a_whole_config_bucket() {
    for (name, value) in [("AWS_S3_FILES_BUCKET_NAME", "both"), ("CONFIG_BUCKETS", "a-one,both")] {
        let error = parse(&[(name, value), ("RESULT_PREFIX", "s3://both")]).unwrap_err();
        assert!(error.to_string().contains("RESULT_PREFIX"), "{error}");
        assert!(parse(&[(name, value), ("RESULT_PREFIX", "s3://both/results")]).is_ok());
    }
    let settings = parse(&[("RESULT_PREFIX", "s3://apart")]).unwrap();
    assert_eq!(settings.rules.hosted.forbidden_prefixes, ["s3://apart/"]);
}

#[test]
fn result_settings_are_parsed() {
    let queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
    let settings = parse(&[
        ("RESULT_PREFIX", " s3://bucket/some/prefix/ "),
        ("RESULT_DESTINATION", queue),
        (
            "RESULT_DESTINATION_OVERRIDE",
            "s3://others, https://sqs.eu-west-1.amazonaws.com/123456789012/,\
             arn:aws:events:eu-west-1:123456789012:event-bus/a",
        ),
        ("OFFLOAD_RESULTS_OVER", "200000"),
        ("RECORD_CONCURRENCY", " 20 "),
    ])
    .unwrap();
    let prefix = ResultPrefix { bucket: "bucket".to_owned(), prefix: "some/prefix".to_owned() };
    let destination = Destination::parse(queue).unwrap();
    assert!(destination.matches_arn("arn:aws:sqs:eu-west-1:123456789012:results"));
    assert!(!destination.matches_arn("arn:aws:sqs:eu-west-2:123456789012:results"));
    let expected = ResultSettings {
        prefix: Some(prefix),
        destination: Some(destination),
        offload_over: Some(200_000),
    };
    assert_eq!(settings.results, expected);
    assert_eq!(settings.record_concurrency, 20);
    assert_eq!(settings.rules.hosted.forbidden_prefixes, ["s3://bucket/some/prefix/"]);
    assert_eq!(
        settings.rules.destinations,
        [
            "s3://others/",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/",
            "arn:aws:events:eu-west-1:123456789012:event-bus/a"
        ]
    );
}

fn url_of(name: &str, settings: &Settings) -> String {
    settings.endpoints.resolve(&provider(name).unwrap().into()).base_url
}

#[test]
fn bedrock_url_depends_on_region_and_settings() {
    const ALL: (&str, &str) = ("AWS_ENDPOINT_URL", "http://localhost:4566");
    const ONE: (&str, &str) = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://vpce.example/");
    for (set, expected) in [
        (&[("AWS_REGION", "eu-west-1")][..], "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (&[("AWS_REGION", "cn-north-1")], "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        (&[("AWS_DEFAULT_REGION", "x-1")], "https://bedrock-runtime.x-1.amazonaws.com"),
        (&[ALL], "http://localhost:4566"),
        (&[ONE], "https://vpce.example"),
        (&[ALL, ONE, ("AWS_REGION", "eu-west-1")], "https://vpce.example"),
    ] {
        let settings = parse(set).unwrap();
        for name in ["amazon:anthropic", "amazon:meta", "amazon:nova", "amazon"] {
            assert_eq!(url_of(name, &settings), expected, "{set:?}");
        }
        assert_eq!(url_of("openai", &settings), "https://api.openai.com/v1");
    }
    const CHAT: (&str, &str) = ("AWS_BEDROCK_BASE_URL", "https://bedrock-mantle.x-1.api.aws");
    for (set, expected) in [
        (&[("AWS_REGION", "x-1"), ONE][..], "https://bedrock-runtime.x-1.amazonaws.com/openai/v1"),
        (&[ALL, ONE], "http://localhost:4566"),
        (&[ALL, ONE, CHAT], "https://bedrock-mantle.x-1.api.aws"),
    ] {
        assert_eq!(url_of("amazon:openai", &parse(set).unwrap()), expected, "{set:?}");
    }
    let error = parse(&[("AWS_ENDPOINT_URL", "http://example.com")]).unwrap_err();
    assert!(error.to_string().contains("AWS_ENDPOINT_URL: "), "{error}");
}

#[test]
fn aws_services_have_separate_settings() {
    let settings = parse(&[
        ("AWS_ENDPOINT_URL", "http://localhost:4566"),
        ("AWS_ENDPOINT_URL_S3", " https://s3.example "),
        ("AWS_ENDPOINT_URL_EVENTS", "https://events.example"),
        ("AWS_DEFAULT_REGION", " eu-west-1 "),
        ("STACK_NAME", " Mine-2 "),
        ("SECRET_CACHE_SECONDS", "0"),
    ])
    .unwrap();
    let expected = AwsSettings {
        region: Some("eu-west-1".to_owned()),
        s3: Some("https://s3.example".to_owned()),
        ssm: Some("http://localhost:4566".to_owned()),
        sqs: Some("http://localhost:4566".to_owned()),
        events: Some("https://events.example".to_owned()),
        lambda: Some("http://localhost:4566".to_owned()),
        stack_name: "Mine-2".to_owned(),
        secret_cache: Duration::ZERO,
    };
    assert_eq!(settings.aws, expected);
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_rejected_by_name(
        row in prop::sample::select(setting_rows()),
        text in any::<String>(),
    ) {
        if let Err(error) = parse(&[(row.name, &text)]) {
            prop_assert!(error.to_string().contains(row.name));
        }
    }
}

#[test]
fn settings_of_traces_follow_opentelemetry() {
    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/");
    const XRAY: &str = "https://xray.eu-west-1.amazonaws.com/v1/traces";
    const XRAY_CHINA: &str = "https://xray.cn-north-1.amazonaws.com.cn/v1/traces";
    let traces = |variables: &[(&str, &str)]| parse(variables).unwrap().traces;
    assert!(traces(&[("OTEL_TRACES_SAMPLER", "xray")]).is_none());
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        assert!(traces(&[BASE, off]).is_none());
    }
    let settings = traces(&[BASE]).unwrap();
    assert_eq!(settings.endpoint, "http://localhost:4318/v1/traces");
    assert_eq!((settings.timeout, settings.has_content), (Duration::from_millis(200), false));
    assert_eq!(settings.sampler, Sampler { is_parent_based: true, ratio: 1.0 });
    assert_eq!(settings.resource, [("service.name".to_owned(), "llm-exe".to_owned())]);
    for (url, region) in [
        (XRAY, Some("eu-west-1")),
        (XRAY_CHINA, Some("cn-north-1")),
        ("https://xray.example.com/v1/traces", None),
        ("https://xray.a.b.amazonaws.com/v1/traces", None),
    ] {
        let settings = traces(&[BASE, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)]).unwrap();
        assert_eq!((&*settings.endpoint, settings.xray_region.as_deref()), (url, region));
    }
    let settings = traces(&[
        BASE,
        ("OTEL_EXPORTER_OTLP_HEADERS", "ignored=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", " api-key = a%20secret%3D ,x=y"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "50"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
        ("OTEL_SERVICE_NAME", "triage"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb,service.name=other"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"),
    ]);
    let settings = settings.unwrap();
    let headers = settings.headers.iter().map(|(name, value)| (name.as_str(), value.to_str()));
    let headers: Vec<_> = headers.map(|(name, value)| (name, value.unwrap())).collect();
    assert_eq!(headers, [("api-key", "a secret="), ("x", "y")]);
    assert_eq!((settings.timeout, settings.has_content), (Duration::from_millis(50), true));
    assert_eq!(settings.sampler, Sampler { is_parent_based: true, ratio: 0.1 });
    for (key, value) in [
        ("service.name", "triage"),
        ("team", "a,b"),
        ("faas.name", "f"),
        ("cloud.platform", "aws_lambda"),
    ] {
        let found = settings.resource.iter().filter(|(known, _)| known == key);
        assert_eq!(found.map(|(_, value)| &**value).collect::<Vec<_>>(), [value], "{key}");
    }
    assert!(!format!("{settings:?}").contains("secret"));
}

#[test]
fn invalid_settings_of_traces_are_rejected_without_quoting_secrets() {
    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/");
    for (name, value, expected) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "1 to"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "sk-secret", "api-key=secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=sk-secret", "api-key=secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=sk-secret%0A", "api-key=secret"),
        ("OTEL_TRACES_EXPORTER", "console", "otlp, none"),
        ("OTEL_TRACES_SAMPLER", "xray", "traceidratio"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", "team=billing"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "1", "true, false"),
    ] {
        let error = parse(&[BASE, (name, value)]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
        assert!(!error.contains("sk-secret"), "{error}");
    }
    for argument in ["2", "-0.1", "NaN", "half"] {
        let ratio = ("OTEL_TRACES_SAMPLER", "traceidratio");
        let error = parse(&[BASE, ratio, ("OTEL_TRACES_SAMPLER_ARG", argument)]).unwrap_err();
        assert!(error.to_string().contains("from 0 to 1"), "{error}");
    }
    let plain = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.internal:4318");
    assert!(parse(&[plain]).unwrap().traces.is_some());
    for secret in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true"),
    ] {
        let error = parse(&[plain, secret]).unwrap_err().to_string();
        assert!(error.contains("expected https"), "{error}");
        let private = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.5:4318");
        assert!(parse(&[private, secret]).unwrap().traces.is_some());
    }
}

#[test]
fn log_of_prompts_requires_the_level_debug() {
    for (prompts, level, logs, warns) in [
        ("false", "debug", false, false),
        ("true", "debug", true, true),
        ("true", "info", false, true),
    ] {
        let settings = parse(&[("LOG_PROMPTS", prompts), ("LOG_LEVEL", level)]).unwrap();
        assert_eq!((settings.logs_contents(), settings.start_warning().is_some()), (logs, warns));
    }
}
