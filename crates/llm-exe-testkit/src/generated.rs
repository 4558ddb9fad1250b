//! Compares files that are generated from code with what they should contain. If the environment
//! variable `UPDATE` is set, as in `scripts/update`, writes the files instead.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Prevents tests that run at the same time from overwriting each other's changes to a file.
static FILES: Mutex<()> = Mutex::new(());

/// Returns the root folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares the text between `<!-- NAME: written by scripts/update -->` and the next
/// `<!-- end -->` with `expected`. `file` is relative to the root of the repository.
///
/// # Errors
/// Fails if the file has no such markers, or if the text differs and `UPDATE` is not set.
pub fn check_marked(file: &str, name: &str, expected: &str) -> Result<(), String> {
    let _guard = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join(file);
    let page = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    let begin = format!("<!-- {name}: written by scripts/update -->");
    let parts = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once("<!-- end -->")?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| format!("{file} has no {begin} with an <!-- end -->"))?;
    let expected = [before, &begin, expected, "<!-- end -->", after].concat();
    if page == expected {
        return Ok(());
    }
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    let update = std::env::var_os("UPDATE").is_some();
    if !update {
        return Err(format!("{file} is out of date ({name}); run scripts/update"));
    }
    std::fs::write(&path, expected).map_err(|error| format!("{file}: {error}"))
}

/// Compares a Markdown table between markers with these rows. The first row is the header.
///
/// # Errors
/// Returns the same errors as [`check_marked`].
pub fn check_table(file: &str, name: &str, rows: &[Vec<String>]) -> Result<(), String> {
    let mut table = "\n\n".to_owned();
    for (index, row) in rows.iter().enumerate() {
        table.push_str(&format!("| {} |\n", row.join(" | ")).replace("|  |", "| |"));
        if index == 0 {
            table.push_str(&format!("|{}\n", "---|".repeat(row.len())));
        }
    }
    table.push('\n');
    check_marked(file, name, &table)
}
