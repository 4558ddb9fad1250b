//! Tests that the table of settings in docs/lambda.md matches the code.

use llm_exe_function::SETTINGS;

#[test]
fn every_setting_is_documented() {
    let text = include_str!("../../../../docs/lambda.md");
    let table = text.split("## Settings").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_start_matches("| `").split('`').next().unwrap())
        .collect();
    let known: Vec<&str> = SETTINGS.iter().map(|row| row.name).collect();
    assert_eq!(documented, known);
    for row in SETTINGS {
        let default = match row.default {
            "" => String::new(),
            default => format!("`{default}` "),
        };
        let expected = format!("| `{}` | {default}| {} |", row.name, row.description);
        assert!(table.contains(&expected), "{expected}");
    }
}
