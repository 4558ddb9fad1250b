//! The command `llm-exe providers`, which lists the providers, their base URLs and whether their
//! keys are set. It never prints a key.

use std::process::ExitCode;

use llm_exe::providers::{Access, Provider};
use serde_json::{Value, json};

use crate::args::Providers;
use crate::environment::{Environment, KeySource};
use crate::escape::escape_and_indent;
use crate::output;

/// A row of the printed table, which describes one provider.
struct Row {
    provider: String,
    dialect: String,
    base_url: String,
    key: String,
    /// Whether the provider uses AWS credentials.
    is_aws: bool,
    status: KeyStatus,
}

enum KeyStatus {
    NotNeeded,
    Found,
    /// The key is not set. Contains the message that names what to set.
    NotSet(String),
    /// The key is set but can't be used. Contains the reason.
    Unusable(String),
}

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: &Providers) -> ExitCode {
    let environment = match Environment::read(KeySource::User).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, args.json),
    };
    environment.print_warnings(args.json);
    let mut rows = Vec::new();
    for provider in environment.settings.rules.providers.all() {
        rows.push(row(&environment, &provider).await);
    }
    if args.json {
        let rows: Vec<Value> = rows.iter().map(to_json).collect();
        return output::print(&Value::Array(rows).to_string());
    }
    output::print(&table(&rows))
}

async fn row(environment: &Environment, provider: &Provider) -> Row {
    let is_aws = provider.built_in().is_some_and(|row| matches!(row.access, Access::Aws));
    let (key, result) = match provider.key() {
        _ if is_aws => ("AWS credentials".to_owned(), Some(environment.check_credentials().await)),
        Some(name) => {
            let result = environment.keys.get(&name).await.map(|_| ());
            (name.variables(), Some(result))
        }
        None => ("none needed".to_owned(), None),
    };
    let status = match result {
        None => KeyStatus::NotNeeded,
        Some(Ok(())) => KeyStatus::Found,
        Some(Err(error)) if error.not_set().is_some() => {
            KeyStatus::NotSet(error.message().to_owned())
        }
        Some(Err(error)) => KeyStatus::Unusable(error.message().to_owned()),
    };
    let base_url = environment.settings.endpoints.resolve(provider).base_url;
    let (provider, dialect) = (provider.name().to_owned(), provider.dialect().name().to_owned());
    Row { provider, dialect, base_url, key, is_aws, status }
}

fn to_json(row: &Row) -> Value {
    let (key_found, reason) = match &row.status {
        KeyStatus::NotNeeded => (None, None),
        KeyStatus::Found => (Some(true), None),
        KeyStatus::NotSet(reason) | KeyStatus::Unusable(reason) => (Some(false), Some(reason)),
    };
    let mut fields = json!({
        "provider": row.provider,
        "dialect": row.dialect,
        "baseUrl": row.base_url,
        "key": row.key,
        "keyFound": key_found,
    });
    if let (Some(reason), Some(fields)) = (reason, fields.as_object_mut()) {
        fields.insert("reason".to_owned(), json!(reason));
    }
    fields
}

/// Formats the rows as a table with aligned columns. The lines below it say why keys can't be used,
/// and which variables set AWS credentials.
fn table(rows: &[Row]) -> String {
    let header = ["provider", "dialect", "key", "found", "base URL"];
    let cells = rows.iter().map(|row| {
        let status = match &row.status {
            KeyStatus::NotNeeded => "-",
            KeyStatus::Found => "yes",
            KeyStatus::NotSet(_) => "no",
            KeyStatus::Unusable(_) => "unusable",
        };
        [row.provider.as_str(), &row.dialect, &row.key, status, &row.base_url]
    });
    let cells: Vec<[&str; 5]> = std::iter::once(header).chain(cells).collect();
    let mut lines = vec![output::align_columns(&cells)];
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.extend(reasons);
    }
    lines.join("\n")
}

/// Returns a line for each reason, with the providers that it concerns.
fn reasons(rows: &[Row]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in rows {
        let reason = match &row.status {
            KeyStatus::Unusable(reason) => reason,
            KeyStatus::NotSet(reason) if row.is_aws => reason,
            _ => continue,
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason.as_str()) {
            Some((_, providers)) => providers.push(&row.provider),
            None => reasons.push((reason, vec![&row.provider])),
        }
    }
    let line = |(reason, providers): (&str, Vec<&str>)| {
        escape_and_indent(&format!("{}: {reason}", providers.join(", ")))
    };
    reasons.into_iter().map(line).collect()
}
