//! `llm-exe providers`: who can be asked, where, and whether the key is there. Never the key.

use std::process::ExitCode;

use llm_exe::ErrorKind;
use llm_exe::providers::{Access, ProviderRow};
use serde_json::{Value, json};

use crate::args::Providers;
use crate::environment::{Environment, KeySource};
use crate::output;

/// A provider as it is listed.
struct Listed {
    name: &'static str,
    dialect: &'static str,
    base_url: String,
    key: String,
    /// Whether the key is there; `None` where none is needed.
    found: Option<Result<(), String>>,
}

/// Runs the command.
pub(crate) async fn run(args: &Providers) -> ExitCode {
    let environment = match Environment::read(KeySource::Environment, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::unusable(&message),
    };
    let mut all = Vec::new();
    for row in environment.settings.rules.providers.all() {
        all.push(listed(&environment, row).await);
    }
    if args.json {
        let all: Vec<Value> = all.iter().map(as_json).collect();
        return output::print(&Value::Array(all).to_string());
    }
    output::print(&table(&all))
}

async fn listed(environment: &Environment, row: &'static ProviderRow) -> Listed {
    let endpoint = environment.settings.endpoints.resolve(row);
    let (key, found) = match (row.access, row.key()) {
        (Access::Aws, _) => ("AWS credentials".to_owned(), Some(environment.credentials().await)),
        (_, Some(name)) => {
            let found = environment.keys.get(&name).await;
            (name.variables(), Some(found.map(|_| ())))
        }
        (_, None) => ("none needed".to_owned(), None),
    };
    let found = found.map(|found| {
        found.map_err(|error| match error.kind() {
            ErrorKind::SecretNotFound if error.message().starts_with("no ") => "no".to_owned(),
            _ => format!("no: {}", error.message()),
        })
    });
    let base_url = endpoint.base_url;
    Listed { name: row.name, dialect: row.dialect.name(), base_url, key, found }
}

fn as_json(one: &Listed) -> Value {
    json!({
        "provider": one.name,
        "dialect": one.dialect,
        "baseUrl": one.base_url,
        "key": one.key,
        "keyFound": one.found.as_ref().map(Result::is_ok),
    })
}

fn table(all: &[Listed]) -> String {
    let head = ["provider", "dialect", "key", "found", "at"].map(str::to_owned);
    let rows = all.iter().map(|one| {
        let found = match &one.found {
            None => "-".to_owned(),
            Some(Ok(())) => "yes".to_owned(),
            Some(Err(why)) => why.clone(),
        };
        [one.name.to_owned(), one.dialect.to_owned(), one.key.clone(), found, one.base_url.clone()]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let widths: Vec<usize> = (0..5)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0))
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
