//! Settings, by a table: what each takes and refuses, and what its message says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use llm_exe::providers::{PROVIDERS, provider};
use llm_exe_events::EndpointAuth;
use llm_exe_function::{LogLevel, SETTINGS, Settings, SettingsFault};
use proptest::prelude::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsFault> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    Settings::read(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

/// A setting, a value that it does not take, and what the message says beside both.
const REFUSED: &[(&str, &str, &str)] = &[
    ("ENDPOINT_AUTH", "IAM", "AWS_IAM, API_KEY, NONE"),
    ("ENDPOINT_AUTH", "NONE,API_KEY", "AWS_IAM, API_KEY, NONE"),
    ("HTTP_DEADLINE_SECONDS", "0", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "901", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "-5", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "2.5", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "30s", "1 to 900"),
    ("HTTP_DEADLINE_SECONDS", "99999999999999999999", "1 to 900"),
    ("STRICT_VARIABLES", "1", "true, false"),
    ("STRICT_VARIABLES", "yes", "true, false"),
    ("LOG_LEVEL", "trace", "error, warn, info, debug"),
    ("LOG_LEVEL", "3", "error, warn, info, debug"),
    ("OPENAI_BASE_URL", "api.openai.com/v1", "URL"),
    ("OPENAI_BASE_URL", "/v1", "https://"),
    ("OPENAI_BASE_URL", "https://", "URL"),
    ("OPENAI_BASE_URL", "https:// x", "URL"),
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
    ("ALLOWED_MODELS", "gpt-4o", "like openai:gpt-4o*"),
    ("ALLOWED_MODELS", ",", "no pattern"),
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
    ("AWS_REGION", "eu-central-1.evil.example/", "a region like"),
    ("AWS_S3_FILES_BUCKET_NAME", "My_Bucket", "a bucket's name"),
    ("AWS_S3_FILES_BUCKET_NAME", "a-bucket,other", "a bucket's name"),
    ("CONFIG_BUCKETS", "s3://b", "a bucket's name"),
    ("CONFIG_BUCKETS", " , ", "names no bucket"),
    ("CONFIG_CACHE_SECONDS", "-1", "from 0 to 86400"),
    ("CONFIG_CACHE_SECONDS", "86401", "from 0 to 86400"),
    ("CONFIG_CACHE_SECONDS", "5m", "from 0 to 86400"),
    ("AWS_REGION", "EU", "a region like"),
    ("AWS_DEFAULT_REGION", "a@b", "a region like"),
];

/// Settings of spec/operations.md that this version has no use for, each with a value that would
/// hold something down if it were used.
const LATER: &[(&str, &str)] = &[
    ("RESULT_PREFIX", "s3://bucket/prefix"),
    ("RESULT_DESTINATION", "arn:aws:events:us-east-1:123456789012:event-bus/a"),
    ("RESULT_DESTINATION_OVERRIDE", "arn:aws:sqs:us-east-1"),
    ("OFFLOAD_RESULTS_OVER", "262144"),
    ("TOOL_FUNCTIONS", "a,b"),
    ("TOOLS_FROM_HTTP", "true"),
    ("CONFIG_URL_HOSTS", "*.example.com"),
    ("RECORD_CONCURRENCY", "5"),
    ("LOG_PROMPTS", "true"),
];

#[test]
fn a_bad_value_is_told_with_its_setting_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (name, value, told) in REFUSED {
        match read(&[(name, value)]) {
            Ok(_) => wrong.push(format!("{name}={value} was taken")),
            Err(fault) => {
                let text = fault.to_string();
                if !text.contains(name) || !text.contains(told) {
                    wrong.push(format!("{name}={value}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_came_is_told_unless_it_may_hold_a_secret() {
    let plain = |value: &str| !value.contains(['@', '?', '{', '[']);
    for (name, value, _) in REFUSED.iter().filter(|(_, value, _)| plain(value)) {
        if let Err(fault) = read(&[(name, value)]) {
            assert!(fault.to_string().contains(value), "{name}={value}: {fault}");
        }
    }
    let fault = read(&[("OPENAI_BASE_URL", "https://me:secret-word@a.example")]).unwrap_err();
    assert!(!fault.to_string().contains("secret-word"), "{fault}");
}

#[test]
fn a_setting_of_a_later_version_stops_the_start_by_name() {
    for (name, value) in LATER {
        let fault = read(&[(name, value)]).unwrap_err().to_string();
        assert!(fault.contains(name) && fault.contains("not built yet"), "{name}: {fault}");
        read(&[(name, "")]).unwrap();
    }
}

#[test]
fn nothing_set_is_what_the_table_says() {
    for settings in [read(&[]).unwrap(), all_set_to("").unwrap(), all_set_to(" \t").unwrap()] {
        assert_eq!(settings.endpoint_auth, EndpointAuth::AwsIam);
        assert_eq!(settings.http_deadline, Duration::from_secs(29));
        assert!(!settings.rules.strict_variables);
        assert!(settings.rules.hosted.bucket.is_none() && settings.rules.hosted.buckets.is_none());
        assert_eq!(settings.config_cache, Duration::ZERO);
        assert_eq!(settings.log_level, LogLevel::Info);
        for row in PROVIDERS {
            assert_eq!(settings.endpoints.of(row).base_url, row.base_url);
        }
    }
    // The defaults as written are values that are taken, and give the same.
    let defaults: Vec<(&str, &str)> = SETTINGS.iter().map(|row| (row.name, row.default)).collect();
    let (set, unset) = (read(&defaults).unwrap(), read(&[]).unwrap());
    assert_eq!(set.endpoint_auth, unset.endpoint_auth);
    assert_eq!(set.http_deadline, unset.http_deadline);
    assert_eq!(set.log_level, unset.log_level);
    for row in PROVIDERS {
        assert_eq!(set.endpoints.of(row).base_url, unset.endpoints.of(row).base_url);
    }
}

fn all_set_to(value: &str) -> Result<Settings, SettingsFault> {
    let all = SETTINGS.iter().map(|row| row.name).chain(LATER.iter().map(|(name, _)| *name));
    read(&all.map(|name| (name, value)).collect::<Vec<_>>())
}

#[test]
fn good_values_are_read() {
    let settings = read(&[
        ("ENDPOINT_AUTH", " api_key "),
        ("HTTP_DEADLINE_SECONDS", " 900 "),
        ("STRICT_VARIABLES", "True"),
        ("LOG_LEVEL", "ERROR"),
        ("OPENAI_BASE_URL", " https://proxy.example/openai/v1/ "),
        ("ANTHROPIC_BASE_URL", "http://[::1]:8080"),
        ("OLLAMA_ENDPOINT", "http://10.0.0.7:11434/"),
        ("AWS_S3_FILES_BUCKET_NAME", " prompts "),
        ("CONFIG_BUCKETS", "prompts, others,"),
        ("CONFIG_CACHE_SECONDS", " 60 "),
    ])
    .unwrap();
    assert_eq!(settings.endpoint_auth, EndpointAuth::ApiKey);
    assert_eq!(settings.http_deadline, Duration::from_secs(900));
    assert!(settings.rules.strict_variables);
    assert_eq!(settings.log_level, LogLevel::Error);
    let hosted = &settings.rules.hosted;
    assert_eq!(hosted.bucket.as_deref(), Some("prompts"));
    assert_eq!(hosted.buckets, Some(vec!["prompts".to_owned(), "others".to_owned()]));
    assert_eq!(settings.config_cache, Duration::from_secs(60));
    assert_eq!(url_of("openai", &settings), "https://proxy.example/openai/v1");
    assert_eq!(url_of("anthropic", &settings), "http://[::1]:8080");
    assert_eq!(url_of("ollama", &settings), "http://10.0.0.7:11434");
}

fn url_of(name: &str, settings: &Settings) -> String {
    settings.endpoints.of(provider(name).unwrap()).base_url
}

proptest! {
    /// Whatever a variable holds, reading ends, and a fault names it.
    #[test]
    fn any_text_is_read_or_told(row in prop::sample::select(SETTINGS), text in any::<String>()) {
        if let Err(fault) = read(&[(row.name, &text)]) {
            prop_assert!(fault.to_string().contains(row.name));
        }
    }
}
