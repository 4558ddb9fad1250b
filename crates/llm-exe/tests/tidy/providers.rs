//! Checks the places that repeat the rows of `PROVIDERS`: the tables of docs/providers.md,
//! cdk/lib/providers.ts and .env.sample. `scripts/update` rewrites them. Also checks that
//! docs/providers.md and CHANGELOG.md describe every provider.

use std::borrow::Cow;

use llm_exe::providers::{Access, PROVIDERS, ProviderRow};
use serde_json::{Value, json};

use crate::files::root;

pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).expect(file)
}

/// Compares a file with what it should contain, or rewrites it if `UPDATE` is set.
pub(crate) fn check(file: &str, expected: &str) {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        std::fs::write(root().join(file), expected).unwrap();
    } else {
        assert!(read(file) == expected, "{file} is out of date; run scripts/update");
    }
}

/// Replaces the text between the markers `begin` and `end`.
pub(crate) fn replace_between(text: &str, begin: &str, end: &str, replacement: &str) -> String {
    let (before, rest) = text.split_once(begin).expect(begin);
    let (_, after) = rest.split_once(end).expect(end);
    [before, begin, replacement, end, after].concat()
}

/// Returns the name of the provider's key in the secret store and its environment variables.
fn key(row: &ProviderRow) -> Option<(&'static str, &'static [Cow<'static, str>])> {
    match row.access {
        Access::Key { store, environment } => Some((store, environment)),
        Access::Aws | Access::Open => None,
    }
}

const TABLE: [&str; 2] = ["<!-- providers: written by scripts/update -->\n", "<!-- end -->"];

#[test]
fn table_of_providers_is_up_to_date() {
    let mut table =
        "\n| provider | base URL setting | default | key in the environment | dialect |\n\
                     |---|---|---|---|---|\n"
            .to_owned();
    for row in PROVIDERS {
        let key = match row.access {
            Access::Key { environment, .. } => format!("`{}`", environment.join("` or `")),
            Access::Aws => "AWS credentials".to_owned(),
            Access::Open => "none".to_owned(),
        };
        let (name, dialect) = (row.name, row.dialect.name());
        let (setting, base_url) = (row.base_url_setting, row.base_url);
        table += &format!("| `{name}` | `{setting}` | {base_url} | {key} | {dialect} |\n");
    }
    table += "| your own servers | `OPENAI_COMPATIBLE_PROVIDERS` | as configured | as configured | \
              openai |\n\n";
    let page = read("docs/providers.md");
    check("docs/providers.md", &replace_between(&page, TABLE[0], TABLE[1], &table));
}

const EVIDENCE: [&str; 2] = ["<!-- evidence: written by scripts/update -->\n", "<!-- end -->"];

/// The providers whose dialect `scripts/test-live` tests against a real server. `local` is a
/// server of the user.
const LIVE: &[&str] = &["openai", "anthropic", "local"];

/// The folders of `tests/cases/recorded`, in which the table counts responses, with their APIs.
const RECORDED: &[(&str, &str)] = &[
    ("anthropic", "messages"),
    ("bedrock_converse", "Converse"),
    ("bedrock_invoke", "InvokeModel"),
    ("gemini", "generateContent"),
    ("ollama", "chat"),
    ("openai_chat", "chat completions"),
    ("openai_responses", "Responses"),
];

/// Returns how many recorded responses a provider has for each API.
fn recorded_responses(provider: &str) -> String {
    let count = |folder: &str| {
        let count_in = |file: &str| {
            let cases: Value = serde_json::from_str(&read(&format!(
                "crates/llm-exe/tests/cases/recorded/{folder}/{file}.json"
            )))
            .expect(folder);
            cases.as_array().unwrap().iter().filter(|case| case["provider"] == provider).count()
        };
        count_in("replies") + count_in("streams")
    };
    let counts = RECORDED.iter().map(|(folder, api)| (count(folder), api));
    let counts =
        counts.filter(|(count, _)| *count > 0).map(|(count, api)| format!("{api} ({count})"));
    match counts.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        counts => counts,
    }
}

/// Returns the package whose types the request bodies of a dialect are compiled against.
fn package(dialect: &str) -> &'static str {
    match dialect {
        "openai" => "openai",
        "anthropic" | "bedrock-anthropic" => "@anthropic-ai/sdk",
        "gemini" => "@google/genai",
        "ollama" => "ollama",
        "converse" => "@aws-sdk/client-bedrock-runtime",
        other => panic!("add the package of the dialect {other}"),
    }
}

#[test]
fn table_of_evidence_is_up_to_date() {
    let row = |name: &str, shown: &str, dialect: &str| {
        let live = if LIVE.contains(&name) { "llama.cpp's server" } else { "none" };
        let itself = if name == "local" { "depends on the server" } else { "never called" };
        let (package, recorded) = (package(dialect), recorded_responses(name));
        format!("| {shown} | npm `{package}` | {recorded} | {live} | {itself} |\n")
    };
    let mut table =
        "\n| provider | types of the request bodies | recorded responses | a real server | \
                     the provider itself |\n|---|---|---|---|---|\n"
            .to_owned();
    for provider in PROVIDERS {
        table += &row(provider.name, &format!("`{}`", provider.name), provider.dialect.name());
    }
    table += &row("local", "your own servers", "openai");
    table += "\n";
    let page = read("docs/providers.md");
    check("docs/providers.md", &replace_between(&page, EVIDENCE[0], EVIDENCE[1], &table));
}

/// The CDK app reads this file.
#[test]
fn providers_of_the_cdk_app_are_up_to_date() {
    let row = |row: &ProviderRow| match key(row) {
        Some((secret, environment)) => json!({
            "name": row.name,
            "baseUrlSetting": row.base_url_setting,
            "key": {"secret": secret, "environment": environment},
        }),
        None => json!({"name": row.name, "baseUrlSetting": row.base_url_setting}),
    };
    let rows = Value::Array(PROVIDERS.iter().map(row).collect());
    let text = format!(
        "// The built-in providers. Written by scripts/update.\n\n\
         /** A built-in provider. */\n\
         export interface Provider {{\n  \
           readonly name: string;\n  \
           /** The setting of the function for the base URL. */\n  \
           readonly baseUrlSetting: string;\n  \
           /** The parameter and the environment variables of the key. */\n  \
           readonly key?: {{ readonly secret: string; readonly environment: readonly string[] }};\n\
         }}\n\n\
         export const PROVIDERS: readonly Provider[] = {rows:#};\n"
    );
    check("cdk/lib/providers.ts", &text);
}

#[test]
fn sample_of_the_env_file_is_up_to_date() {
    const BEGIN: &str = "# These lines are written by scripts/update.\n";
    let names = PROVIDERS.iter().filter_map(key).filter_map(|(_, names)| names.first());
    let lines: String = names.map(|name| format!("{name}=\n")).collect();
    let sample = read(".env.sample");
    check(".env.sample", &replace_between(&sample, BEGIN, "\n# ", &lines));
}

/// Returns the letters and digits of a name in lower case, so that `xAI` matches `xai`.
fn normalized(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[test]
fn every_provider_is_described() {
    let page = read("docs/providers.md");
    let page = replace_between(&page, TABLE[0], TABLE[1], "");
    let changes = normalized(&read("CHANGELOG.md"));
    for row in PROVIDERS {
        let name = normalized(row.name);
        // A provider with a dialect of another one has a paragraph, whose first word is bold.
        let is_heading = |line: &&str| line.starts_with("**") || line.starts_with("## ");
        let found = match row.dialect.name() {
            "openai" => {
                page.lines().filter(is_heading).any(|line| normalized(line).contains(&name))
            }
            _ => normalized(&page).contains(&name),
        };
        assert!(
            found,
            "docs/providers.md: add a paragraph that begins with the name of {} in bold",
            row.name
        );
        let vendor = normalized(row.name.split(':').next().unwrap());
        assert!(changes.contains(&vendor), "CHANGELOG.md: add a line about {}", row.name);
    }
}
