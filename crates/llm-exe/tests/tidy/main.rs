//! Checks the rules of this repository that neither Cargo nor clippy checks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod files;
mod function_order;
mod imports;
mod layers;
mod phrases;
mod providers;
mod tables;

use files::{root, rust_files, shown};

const MAX_COLUMNS: usize = 100;

#[test]
fn files_begin_with_a_module_doc_and_have_short_lines() {
    let mut wrong = Vec::new();
    for path in rust_files(&root()) {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: no module doc", shown(&path)));
        }
        for (index, line) in text.lines().enumerate() {
            if line.chars().count() > MAX_COLUMNS && !line.contains("http") {
                wrong.push(format!("{}:{}: over 100 columns", shown(&path), index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
