//! Runs `scripts/models` on changed copies of the data: new models, and data that is not valid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::root;

const DATA: &str = "crates/llm-exe/data/models.toml";
const CATALOG: &str = "crates/llm-exe/data/catalog.json";
const CAPABILITIES: &str = "crates/llm-exe/src/providers/capabilities";
const PRICES: &str = "crates/llm-exe/src/providers/prices";

/// A copy of the files that `scripts/models` reads and writes.
struct Copied(PathBuf);

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Copied {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("models-{}-{number}", std::process::id());
        let copied = Copied(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        for file in [DATA, CATALOG] {
            fs::create_dir_all(copied.path(file).parent().unwrap()).unwrap();
            fs::copy(root().join(file), copied.path(file)).unwrap();
        }
        for folder in [CAPABILITIES, PRICES] {
            fs::create_dir_all(copied.path(folder)).unwrap();
        }
        copied
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn edit(&self, file: &str, edit: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        fs::write(self.path(file), edit(text)).unwrap();
    }

    fn run(&self, options: &[&str]) -> Output {
        let script = root().join("scripts/models");
        let mut command = Command::new(script);
        command.arg("--root").arg(&self.0).args(options);
        command.output().unwrap()
    }

    fn write_tables(&self) {
        let output = self.run(&[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Compiles the written tables with the types of this crate, and returns the maximum output of
/// models of OpenAI and whether they accept `stop`.
fn look_up(copied: &Copied, models: &[&str]) -> Vec<String> {
    let source = root().join("crates/llm-exe/src");
    let main = copied.path("main.rs");
    let code = r#"
        mod efforts;
        mod glob;
        mod model_rows;
        mod models;
        mod rows;
        fn main() {
            for name in std::env::args().skip(1) {
                let index = models::OPENAI.index(&name).expect("a row");
                let row = models::OPENAI.rows[index];
                println!("{} {} {}", name, row.max_output, row.stop);
            }
        }
    "#;
    for file in ["efforts.rs", "model_rows.rs", "rows.rs"] {
        let file_of_crate = source.join("providers/capabilities").join(file);
        fs::copy(file_of_crate, copied.path(file)).unwrap();
    }
    fs::copy(source.join("glob.rs"), copied.path("glob.rs")).unwrap();
    let tables = copied.path(CAPABILITIES).join("models.rs");
    fs::copy(tables, copied.path("models.rs")).unwrap();
    fs::write(&main, code).unwrap();
    let program = copied.path("look-up");
    let mut compiler = Command::new("rustc");
    compiler.args(["--edition", "2024", "-A", "warnings", "-o"]).arg(&program).arg(&main);
    let output = compiler.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new(program).args(models).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_new_model_needs_at_most_one_row() {
    let copied = Copied::new();
    copied.write_tables();
    let models = ["gpt-7-sol", "gpt-7-sol-2027-01-20", "gpt-7-luna", "acme-1"];
    // A model like its family needs no row.
    let newest = look_up(&copied, &models);
    assert_eq!(
        newest,
        [
            "gpt-7-sol 0 false",
            "gpt-7-sol-2027-01-20 0 false",
            "gpt-7-luna 0 false",
            "acme-1 0 true"
        ]
    );
    let row = r#"[[openai]]
models = ["gpt-7-sol*"]
reasons = true
efforts = ["low", "high"]
sampling = "never"
max_output = 256_000
source = "a test"
date = 2027-02-01

"#;
    let last = "[[openai]]\nmodels = [\"gpt-*\"";
    copied.edit(DATA, |text| text.replace(last, &format!("{row}{last}")));
    assert!(!copied.run(&["--check"]).status.success());
    copied.write_tables();
    assert!(copied.run(&["--check"]).status.success());
    let expected = [
        "gpt-7-sol 256000 true",
        "gpt-7-sol-2027-01-20 256000 true",
        newest[2].as_str(),
        newest[3].as_str(),
    ];
    assert_eq!(look_up(&copied, &models), expected);
}

#[test]
fn a_price_can_be_added_without_the_packages() {
    let copied = Copied::new();
    copied.write_tables();
    let table = r#"
[[model]]
provider = "openai"
models = ["gpt-7-sol"]
context = 2_000_000
source = "a test"
date = 2027-02-01

[[model.prices]]
from = 2027-01-20
input = "2.5"
output = "10.000001"
factors = { batch = "0.5" }
above = [{ tokens = 200_000, input = "5", cached_input = "0.5", cache_write_long = "9" }]
"#;
    copied.edit(DATA, |text| text + table);
    copied.write_tables();
    let code = fs::read_to_string(copied.path(PRICES).join("table.rs")).unwrap();
    assert!(code.contains(" gpt-7-sol "));
    for price in [
        "20270120, 20270201, 0, [2500000, u32::MAX, u32::MAX, u32::MAX, 10000001]",
        "20270120, 20270201, 200000, [5000000, 500000, u32::MAX, 9000000, 10000001]",
    ] {
        assert!(code.contains(price), "{price}");
    }
    let catalog = fs::read_to_string(copied.path(CATALOG)).unwrap();
    let line = catalog.lines().find(|line| line.contains("gpt-7-sol")).unwrap();
    assert!(line.contains("a test") && line.contains("2027-02-01"), "{line}");
    // A removed table can't be undone without the packages.
    copied.edit(DATA, |text| text.replace(table, ""));
    let output = copied.run(&[]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("--fetch"), "{message}");
}

#[test]
fn invalid_data_is_rejected_with_its_place() {
    let price = |price: &str| {
        format!(
            "\n[[model]]\nprovider = \"openai\"\nmodels = [\"gpt-7\"]\nsource = \"a test\"\n\
             date = 2027-02-01\nprices = [{price}]\n"
        )
    };
    let add = |added: &str, message: &'static str| (DATA, added.to_owned(), message);
    let cases = [
        add("\n[[model]]\n", "provider: expected one of openai"),
        add(
            "\n[[model]]\nprovider = \"openai\"\nmodels = [\"gpt-*\"]\n",
            "expected a list of names",
        ),
        add("\n[[model]]\nprovider = \"openai\"\nmodels = [\"gpt-7\"]\n", "source: expected"),
        add(&price("{ input = 2.5, output = \"1\" }"), "input: expected a string with USD"),
        add(&price("{ input = \"2.0000001\", output = \"1\" }"), "at most six decimal places"),
        add(&price("{ input = \"-1\", output = \"1\" }"), "input: expected a string with USD"),
        add(&price("{ input = \"1\" }"), "output is missing"),
        add(&price("{ input = \"1\", output = \"1\", cached = \"1\" }"), "unknown fields: cached"),
        add(
            &price("{ input = \"1\", output = \"1\", factors = { batch = \"0.505\" } }"),
            "batch: expected whole percents",
        ),
        add(
            &price("{ input = \"1\", output = \"1\", factors = { bach = \"0.5\" } }"),
            "factors: unknown fields: bach",
        ),
        add(
            &price(
                "{ input = \"1\", output = \"1\", above = [{ tokens = 9, cachedInput = \"1\" }] }",
            ),
            "above: unknown fields: cachedInput",
        ),
        add(&price("{ from = \"soon\", input = \"1\", output = \"1\" }"), "from: expected a date"),
        add("\n[[openai]]\nmodels = [\"x\"]\n", "[[openai]]: expected models = [\"*\"]"),
        add("\n[[gemini]]\nmodels = [\"x\"]\n", "expected the tables openai"),
        add("\nmodels = [", "models.toml: "),
        (CATALOG, "x".to_owned(), "catalog.json: "),
    ];
    for (file, added, message) in cases {
        let copied = Copied::new();
        copied.edit(file, |text| text + &added);
        let output = copied.run(&[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{added}");
        assert!(stderr.contains(message) && !stderr.contains("Traceback"), "{added}: {stderr}");
    }
    let copied = Copied::new();
    for catalog in ["{}", "[]", r#"{"packages": {}, "models": [{"model": "x"}]}"#] {
        fs::write(copied.path(CATALOG), catalog).unwrap();
        let output = copied.run(&[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("catalog.json: expected"), "{catalog}: {stderr}");
        assert!(!stderr.contains("Traceback"), "{stderr}");
    }
}
