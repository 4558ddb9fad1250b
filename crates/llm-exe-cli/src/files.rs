//! The files that a path stands for: itself, or the requests and prompts in a folder.

use std::path::{Path, PathBuf};

use llm_exe::Error;

/// The deepest folder that is looked into.
const DEEPEST: usize = 32;

/// The path itself, or, of a folder, every `*.json`, `*.yaml`, `*.yml` and `*.md` below it, in
/// order. Hidden ones and `README.md` are passed over, links to folders not followed.
pub(crate) fn of(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    walk(path, DEEPEST, &mut files)?;
    files.sort();
    if files.is_empty() {
        let text = "holds no *.json, *.yaml, *.yml or *.md";
        return Err(Error::invalid(path.display().to_string(), text));
    }
    Ok(files)
}

fn walk(folder: &Path, levels: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |error: std::io::Error| {
        Error::invalid(folder.display().to_string(), format!("can't be read: {error}"))
    };
    for entry in folder.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.eq_ignore_ascii_case("README.md") {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            if levels > 0 {
                walk(&path, levels - 1, files)?;
            }
        } else if is_request(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_request(path: &Path) -> bool {
    let extension = path.extension().map(|kind| kind.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|kind| matches!(kind.as_str(), "json" | "yaml" | "yml" | "md"))
}
