//! Checks the lists of modules in the build script of the function. The linker ignores a name that
//! does not exist.

use std::path::Path;

use regex_lite::Regex;

use crate::files::root;
use crate::providers::read;

/// Returns whether a path such as `llm_exe::scrub::is_plain` is a crate, a module or an item.
fn exists(path: &str) -> bool {
    let mut parts = path.split("::");
    let name = parts.next().unwrap_or_default().replace('_', "-");
    let mut folder = root().join("crates").join(name).join("src");
    let mut file = folder.join("lib.rs");
    while let Some(part) = parts.next() {
        let files = [folder.join(format!("{part}.rs")), folder.join(part).join("mod.rs")];
        match files.into_iter().find(|file| file.is_file()) {
            Some(module) => (file, folder) = (module, folder.join(part)),
            None => return parts.next().is_none() && has_item(&file, part),
        }
    }
    file.is_file()
}

fn has_item(file: &Path, name: &str) -> bool {
    let item = Regex::new(&format!(r"\b(fn|struct|enum|trait|mod) {name}\b")).unwrap();
    std::fs::read_to_string(file).is_ok_and(|text| item.is_match(&text))
}

#[test]
fn modules_of_the_function_order_exist() {
    let script = read("crates/llm-exe-lambda/build.rs");
    let entry = Regex::new(r#"(?m)^    "(llm_exe[a-z_]*(?:::[A-Za-z0-9_]+)*)",$"#).unwrap();
    let paths: Vec<&str> =
        entry.captures_iter(&script).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(paths.len() > 50, "{paths:?}");
    let missing: Vec<&str> = paths.into_iter().filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "build.rs of llm-exe-lambda: does not exist: {missing:?}");
    for path in ["llm_exe::scrub::missing", "llm_exe::missing::is_plain", "llm_exe_missing"] {
        assert!(!exists(path), "{path}");
    }
}
