//! How fast a prompt of 2 KB with loops, conditions and a partial is compiled and rendered, beside
//! npm handlebars; and how much memory rendering takes.
//!
//! In: `prompts/` (the prompt, its data, the Node process), built and installed by
//! `./benches/run-prompts`. Out: two tables; exit code 1 when a target is missed, 2 when something
//! did not run or the two texts differ. Both run in turns, each warm, and are compared turn by
//! turn, so that a machine's drift hits both alike.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what it is for")]

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

/// Any failure: the benchmark then says so and has no table.
type Fault = Box<dyn std::error::Error>;

/// Measures templates beside npm handlebars.
#[derive(Parser)]
#[command(name = "./benches/run-prompts")]
struct Args {
    /// Fewer rounds: to see that it runs, not to quote.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Rounds, each of which has both sides do every task.
    #[arg(long, default_value_t = 41, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// How long each side does a task in a round.
const SAMPLE: Duration = Duration::from_millis(50);
/// How long each side does a task beforehand, for compilers and caches.
const WARM_UP: Duration = Duration::from_secs(3);

/// What is compared, and how many times as fast we are to be.
struct Task {
    name: &'static str,
    /// The name of Node's task.
    node: &'static str,
    compiles: bool,
    least: f64,
}

const TASKS: [Task; 3] = [
    Task { name: "compile and render", node: "compile-and-render", compiles: true, least: 20.0 },
    Task { name: "render, compiled by both", node: "render-compiled", compiles: false, least: 5.0 },
    Task {
        name: "render, Node's precompiled",
        node: "render-precompiled",
        compiles: false,
        least: 5.0,
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
        Err(fault) => {
            eprintln!("the benchmark did not run: {fault}");
            ExitCode::from(2)
        }
    }
}

/// Whether every target was reached.
fn run(rounds: u32) -> Result<bool, Fault> {
    let data: Map<String, Value> = serde_json::from_str(DATA)?;
    let scope = Scope { data: &data, extra: &[] };
    let template = compile()?;
    let mut node = Node::start(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts"))?;
    let text = render(&template, &scope)?;
    for task in &TASKS {
        if node.text(task.node)? != text {
            return Err(format!("{}: the two texts differ", task.name).into());
        }
    }
    let ours = |task: &Task, time: Duration| -> Result<f64, Fault> {
        if task.compiles {
            measure(time, || render(&compile()?, &scope))
        } else {
            measure(time, || render(&template, &scope))
        }
    };
    for task in &TASKS {
        node.measure(task.node, WARM_UP)?;
        ours(task, WARM_UP)?;
    }
    let mut rows: Vec<Row> = TASKS.iter().map(|task| Row::new(task.name, task.least)).collect();
    for _ in 0..rounds {
        for (task, row) in TASKS.iter().zip(&mut rows) {
            row.ours.push(ours(task, SAMPLE)?);
            row.node.push(node.measure(task.node, SAMPLE)?);
        }
    }
    let memory = memory()?;
    println!("{}", table::speed(&rows));
    println!("{}", table::memory(&memory));
    println!("{}", table::footnote(rounds, SOURCE.len() + ITEM.len(), text.len()));
    let fast = rows.iter().all(|row| median(row.ratios()) >= row.least);
    Ok(fast && Memory::worst(&memory) <= Memory::MOST)
}

fn compile() -> Result<Template, Fault> {
    let told = |problems| format!("{problems:?}");
    let mut partials = Partials::builtin();
    partials.add("item", ITEM).map_err(told)?;
    Ok(Template::compile_with(SOURCE, &partials).map_err(told)?)
}

fn render(template: &Template, scope: &Scope<'_>) -> Result<String, Fault> {
    Ok(template.render(scope, &Limits::default())?.text)
}

/// The microseconds of a run, on average of as many as fit into the time.
fn measure(time: Duration, run: impl Fn() -> Result<String, Fault>) -> Result<f64, Fault> {
    let started = Instant::now();
    let mut runs = 0;
    loop {
        for _ in 0..10 {
            black_box(run()?);
        }
        runs += 10;
        let took = started.elapsed();
        if took >= time {
            return Ok(took.as_secs_f64() * 1e6 / f64::from(runs));
        }
    }
}

/// Runs the binary that counts allocations.
fn memory() -> Result<Vec<Memory>, Fault> {
    let driver = std::env::current_exe()?;
    let output = Command::new(driver.with_file_name("bench-prompts-memory")).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(Memory::read).collect()
}
