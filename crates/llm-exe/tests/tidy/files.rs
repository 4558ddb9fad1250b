//! The Rust, TypeScript, Markdown and script files of the repository.

use std::path::{Path, PathBuf};

const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "cdk.out", ".tools", ".git"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The files below a folder that have one of these extensions, in order.
pub(crate) fn files_with(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name) {
                files.extend(files_with(&path, extensions));
            }
        } else if path.extension().is_some_and(|found| extensions.iter().any(|it| found == *it)) {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files_with(folder, &["rs"])
}

/// A path from the root of the repository.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
