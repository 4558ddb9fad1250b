//! Compares the speed of templates with that of npm handlebars, and measures how much memory
//! rendering needs.
//!
//! The folder `prompts/` contains the data, the Node script and a 2 KB prompt with loops,
//! conditions and a partial. The script `./benches/run-prompts` installs and builds everything.
//! llm-exe and Node run alternately and are compared within each round, so that other load on the
//! machine affects both. The exit code is 1 if a target is missed, and 2 if the benchmark fails or
//! the two texts differ.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program prints tables")]

mod node;
mod table;

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use llm_exe::prompt::{Limits, Partials, Scope, Template};
use serde_json::{Map, Value};

use node::Node;
use table::{Memory, Row, median};

/// Any error that ends the benchmark.
type Error = Box<dyn std::error::Error>;

/// Benchmarks templates against npm handlebars.
#[derive(Parser)]
#[command(name = "./benches/run-prompts")]
struct Args {
    /// Run only a few rounds, to check that the benchmark works.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Number of rounds. In each round, both sides run every task.
    #[arg(long, default_value_t = 41, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// How long llm-exe and Node each run a task in a round.
const SAMPLE: Duration = Duration::from_millis(50);
/// How long llm-exe and Node each run a task before the first round, which warms up compilers and
/// caches.
const WARM_UP: Duration = Duration::from_secs(3);

/// A task that both llm-exe and Node run.
struct Task {
    name: &'static str,
    /// The name of the task in `handlebars.mjs`.
    node: &'static str,
    /// Whether each run of the task also compiles the template.
    compiles: bool,
    /// The target, which is the minimum ratio of Node's time to llm-exe's time.
    min_ratio: f64,
}

const TASKS: [Task; 3] = [
    Task {
        name: "compile and render",
        node: "compile-and-render",
        compiles: true,
        min_ratio: 20.0,
    },
    Task {
        name: "render, compiled by both",
        node: "render-compiled",
        compiles: false,
        min_ratio: 5.0,
    },
    Task {
        name: "render, Node's precompiled",
        node: "render-precompiled",
        compiles: false,
        min_ratio: 5.0,
    },
];

const SOURCE: &str = include_str!("../../prompts/template.hbs");
const ITEM: &str = include_str!("../../prompts/item.hbs");
const DATA: &str = include_str!("../../prompts/data.json");

fn main() -> ExitCode {
    let args = Args::parse();
    match run(if args.quick { 5 } else { args.rounds }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark failed: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the benchmark and prints the tables. Returns whether all targets are reached.
fn run(rounds: u32) -> Result<bool, Error> {
    let data: Map<String, Value> = serde_json::from_str(DATA)?;
    let scope = Scope { data: &data, more: &[], extra: &[] };
    let template = compile()?;
    let mut node = Node::start(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts"))?;
    let text = render(&template, &scope)?;
    for task in &TASKS {
        if node.text(task.node)? != text {
            return Err(format!(
                "{}: llm-exe and npm handlebars rendered different texts",
                task.name
            )
            .into());
        }
    }
    let run_task = |task: &Task, time: Duration| -> Result<f64, Error> {
        if task.compiles {
            measure(time, || render(&compile()?, &scope))
        } else {
            measure(time, || render(&template, &scope))
        }
    };
    for task in &TASKS {
        node.measure(task.node, WARM_UP)?;
        run_task(task, WARM_UP)?;
    }
    let mut rows: Vec<Row> = TASKS.iter().map(|task| Row::new(task.name, task.min_ratio)).collect();
    for _ in 0..rounds {
        for (task, row) in TASKS.iter().zip(&mut rows) {
            row.llm_exe.push(run_task(task, SAMPLE)?);
            row.node.push(node.measure(task.node, SAMPLE)?);
        }
    }
    let memory = memory()?;
    println!("{}", table::speed(&rows));
    println!("{}", table::memory(&memory));
    println!("{}", table::footnote(rounds, SOURCE.len() + ITEM.len(), text.len()));
    let fast_enough = rows.iter().all(|row| median(row.ratios()) >= row.min_ratio);
    Ok(fast_enough && Memory::max_ratio(&memory) <= Memory::MAX_RATIO)
}

fn compile() -> Result<Template, Error> {
    let to_text = |problems| format!("{problems:?}");
    let mut partials = Partials::builtin();
    partials.add("item", ITEM).map_err(to_text)?;
    Ok(Template::compile_with(SOURCE, &partials).map_err(to_text)?)
}

fn render(template: &Template, scope: &Scope<'_>) -> Result<String, Error> {
    Ok(template.render(scope, &Limits::default())?.text)
}

/// Runs a function repeatedly for the duration `time` and returns the average time of a run in
/// microseconds.
fn measure(time: Duration, run: impl Fn() -> Result<String, Error>) -> Result<f64, Error> {
    let started = Instant::now();
    let mut runs = 0;
    loop {
        for _ in 0..10 {
            black_box(run()?);
        }
        runs += 10;
        let elapsed = started.elapsed();
        if elapsed >= time {
            return Ok(elapsed.as_secs_f64() * 1e6 / f64::from(runs));
        }
    }
}

/// Runs `bench-prompts-memory`, which counts allocations, and returns its measurements.
fn memory() -> Result<Vec<Memory>, Error> {
    let driver = std::env::current_exe()?;
    let output = Command::new(driver.with_file_name("bench-prompts-memory")).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(str::parse).collect()
}
