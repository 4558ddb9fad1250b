//! Computes the table and the notes of docs/matrix.md.

use std::collections::BTreeSet;

use llm_exe::Endpoints;

use super::cell::{Cell, FEATURES, compute};
use super::rows::{DATE, rows};
use crate::common::provider_names;

/// Models of a provider with the same cells.
struct Group {
    provider: &'static str,
    models: Vec<String>,
    cells: Vec<Cell>,
}

/// The line before the part of the page that is computed.
const BEGIN: &str = "<!-- written by scripts/matrix -->\n";

/// Returns the page with its computed part.
pub(super) async fn page(old: &str) -> String {
    let (before, _) = old.split_once(BEGIN).expect("the page contains the line BEGIN");
    let groups = groups().await;
    let notes = notes(&groups);
    let mut page = format!("{before}{BEGIN}Date of the data: {}\n\n", *DATE);
    page.push_str("| provider | models | API |");
    page.extend(FEATURES.iter().map(|(_, name)| format!(" {name} |")));
    page.push_str(&format!("\n|{}\n", "---|".repeat(FEATURES.len() + 3)));
    for group in &groups {
        let main = main_api(&group.cells);
        let models = group.models.join("`, `");
        page.push_str(&format!("| {} | `{models}` | {} |", group.provider, main.unwrap_or("none")));
        let cells = group.cells.iter().map(|cell| format!(" {} |", shown(cell, main, &notes)));
        page.extend(cells);
        page.push('\n');
    }
    page.push_str("\n## Notes\n\n");
    for (index, note) in notes.iter().enumerate() {
        page.push_str(&format!("{}. {note}\n", index + 1));
    }
    page
}

/// Returns the cells of all providers. Models with the same cells are one group.
async fn groups() -> Vec<Group> {
    let mut endpoints = Endpoints::new();
    endpoints.set_region("us-east-1").unwrap();
    endpoints.allow_missing_region();
    let mut groups: Vec<Group> = Vec::new();
    for row in rows(&provider_names()) {
        let mut cells = Vec::new();
        for (feature, _) in FEATURES {
            cells.push(compute(&endpoints, &row, *feature).await);
        }
        let provider = row.provider.name;
        let mut known = groups.iter_mut();
        let same = known.find(|group| group.provider == provider && group.cells == cells);
        match same {
            Some(group) => group.models.push(row.model),
            None => groups.push(Group { provider, models: vec![row.model], cells }),
        }
    }
    groups
}

/// Returns the warnings and errors of all cells, in the order of the table.
fn notes(groups: &[Group]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let all = groups.iter().flat_map(|group| &group.cells).flat_map(texts);
    all.filter(|text| known.insert((*text).clone())).cloned().collect()
}

fn texts(cell: &Cell) -> &[String] {
    match cell {
        Cell::Sent { warnings, .. } => warnings,
        Cell::Rejected(error) => std::slice::from_ref(error),
    }
}

/// Returns the API of the first cell that is sent.
fn main_api(cells: &[Cell]) -> Option<&'static str> {
    cells.iter().find_map(|cell| match cell {
        Cell::Sent { api, .. } => Some(*api),
        Cell::Rejected(_) => None,
    })
}

/// Returns the text of a cell.
fn shown(cell: &Cell, main: Option<&str>, notes: &[String]) -> String {
    let mut text = match cell {
        Cell::Sent { api, method, warnings } => {
            let has = |part: &str| warnings.iter().any(|warning| warning.contains(part));
            let method = method.unwrap_or(match warnings.is_empty() {
                true => "✓",
                false if has(" is dropped") => "–",
                false => "~",
            });
            if Some(*api) == main { method.to_owned() } else { format!("{method}, {api}") }
        }
        Cell::Rejected(_) => "✗".to_owned(),
    };
    let numbers = texts(cell).iter().filter_map(|text| notes.iter().position(|note| note == text));
    let numbers: Vec<String> = numbers.map(|index| (index + 1).to_string()).collect();
    if !numbers.is_empty() {
        text.push_str(&format!(" ({})", numbers.join(", ")));
    }
    text
}
