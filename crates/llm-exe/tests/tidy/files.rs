//! Finds the source, documentation and script files of the repository.

use std::path::{Path, PathBuf};

const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "cdk.out", ".tools", ".git"];

/// Returns the root folder of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Returns all files below a folder that have one of these extensions, sorted by path.
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

/// Formats a path relative to the root of the repository.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
