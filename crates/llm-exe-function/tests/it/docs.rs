//! Checks that the table of settings in docs/lambda.md matches the code.
//!
//! `scripts/update` rewrites the table.

use std::path::Path;

use llm_exe_function::setting_rows;

/// The comments around the table.
const MARKERS: [&str; 2] = ["<!-- settings: written by scripts/update -->\n", "\n<!-- end -->"];

#[test]
fn table_of_settings_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lambda.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKERS[0]).expect(MARKERS[0]);
    let (_, after) = rest.split_once(MARKERS[1]).expect(MARKERS[1]);
    let mut table = "\n| setting | default | |\n|---|---|---|\n".to_owned();
    for row in setting_rows() {
        let default = match row.default {
            "" => String::new(),
            default => format!("`{default}` "),
        };
        table.push_str(&format!("| `{}` | {default}| {} |\n", row.name, row.description));
    }
    let expected = [before, MARKERS[0], &table, MARKERS[1], after].concat();
    if update() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(page == expected, "docs/lambda.md is out of date; run scripts/update");
    }
}

fn update() -> bool {
    #[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
    std::env::var_os("UPDATE").is_some()
}
