//! Finds request and prompt files in a folder.

use std::path::{Path, PathBuf};

use crate::input_error::InputError;

const MAX_DEPTH: usize = 32;

/// The extensions of requests and prompts. Files with other extensions, such as `.txt`, are often
/// something else.
const EXTENSIONS: &[&str] = &["json", "jsonl", "yaml", "yml", "md", "markdown", "prompt"];

/// Returns the files in a folder and its subfolders whose extension is in [`EXTENSIONS`], sorted by
/// path. Skips hidden files, `README.md` and symbolic links to folders. If `path` is not a folder,
/// returns only `path`.
pub(crate) fn expand(path: &Path) -> Result<Vec<PathBuf>, InputError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect(path, MAX_DEPTH, &mut files)?;
    files.sort();
    if files.is_empty() {
        let names: Vec<String> = EXTENSIONS.iter().map(|name| format!("*.{name}")).collect();
        let message = format!("the folder contains no files of the form {}", names.join(", "));
        return Err(InputError::in_file(path, message));
    }
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), InputError> {
    let unreadable =
        |error: std::io::Error| InputError::in_file(folder, format!("can't be read: {error}"));
    for entry in folder.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.eq_ignore_ascii_case("README.md") {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else if is_request(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_request(path: &Path) -> bool {
    let extension = path.extension().map(|kind| kind.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|kind| EXTENSIONS.contains(&kind.as_str()))
}
