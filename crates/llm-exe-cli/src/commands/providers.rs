//! The command `llm-exe providers`, which lists the providers, their base URLs and whether their
//! keys are set. It never prints a key.

use std::process::ExitCode;

use llm_exe::providers::{Access, Provider};
use serde_json::{Value, json};

use crate::args::Providers;
use crate::environment::{Environment, KeySource};
use crate::output;

/// A row of the printed table, which describes one provider.
struct Row {
    provider: String,
    dialect: String,
    base_url: String,
    key: String,
    status: KeyStatus,
}

enum KeyStatus {
    NotNeeded,
    Found,
    /// The key is not set or can't be used. If it is set, the field contains the reason.
    NotFound(Option<String>),
}

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: &Providers) -> ExitCode {
    let environment = match Environment::read(KeySource::User, &[]).await {
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
    let (key, result) = match (provider.built_in().map(|row| row.access), provider.key()) {
        (Some(Access::Aws), _) => {
            ("AWS credentials".to_owned(), Some(environment.check_credentials().await))
        }
        (_, Some(name)) => {
            let result = environment.keys.get(&name).await.map(|_| ());
            (name.variables(), Some(result))
        }
        (_, None) => ("none needed".to_owned(), None),
    };
    let status = match result {
        None => KeyStatus::NotNeeded,
        Some(Ok(())) => KeyStatus::Found,
        Some(Err(error)) if error.not_set().is_some() => KeyStatus::NotFound(None),
        Some(Err(error)) => KeyStatus::NotFound(Some(error.message().to_owned())),
    };
    let base_url = environment.settings.endpoints.resolve(provider).base_url;
    let (provider, dialect) = (provider.name().to_owned(), provider.dialect().name().to_owned());
    Row { provider, dialect, base_url, key, status }
}

fn to_json(row: &Row) -> Value {
    json!({
        "provider": row.provider,
        "dialect": row.dialect,
        "baseUrl": row.base_url,
        "key": row.key,
        "keyFound": match row.status {
            KeyStatus::NotNeeded => Value::Null,
            KeyStatus::Found => Value::Bool(true),
            KeyStatus::NotFound(_) => Value::Bool(false),
        },
    })
}

/// Formats the rows as a table with aligned columns.
fn table(rows: &[Row]) -> String {
    let header = ["provider", "dialect", "key", "found", "base URL"].map(str::to_owned);
    let rows = rows.iter().map(|row| {
        let status = match &row.status {
            KeyStatus::NotNeeded => "-".to_owned(),
            KeyStatus::Found => "yes".to_owned(),
            KeyStatus::NotFound(None) => "no".to_owned(),
            KeyStatus::NotFound(Some(reason)) => format!("no: {reason}"),
        };
        let (provider, dialect) = (row.provider.clone(), row.dialect.clone());
        [provider, dialect, row.key.clone(), status, row.base_url.clone()]
    });
    let rows: Vec<[String; 5]> = std::iter::once(header).chain(rows).collect();
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
    let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
