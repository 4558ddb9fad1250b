//! The benchmark's driver: runs every function under an imitated Runtime API against an imitated
//! provider, round after round, and prints one Markdown table.
//!
//! In: built functions (`./benches/run` builds them). Out: the table; exit code 1 when a target is
//! missed. Figures are only compared within one run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]

mod aws;
mod batches;
mod figures;
mod function;
mod measure;
mod memory;
mod process;
mod running;
mod table;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use llm_exe_simulator::Simulator;

use aws::Aws;
use batches::Batches;
use figures::Figures;
use measure::{Measure, Task};
use memory::{Growth, MEMORY_ROUNDS};

/// Any failure: the benchmark then says so and has no table.
type Fault = Box<dyn std::error::Error>;

/// Measures the function beside an empty one and beside Node.
#[derive(Parser)]
#[command(name = "./benches/run")]
struct Args {
    /// Fewer rounds: to see that it runs, not to quote.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Rounds, each of which has every function do every task.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Another build of the function that knows as much, in the same rounds (repeatable).
    #[arg(long, value_name = "NAME=PATH")]
    beside: Vec<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // One thread: the imitations then share one core, and the function has the other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(Fault::from).and_then(|runtime| runtime.block_on(run(&args)));
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("the benchmark did not run: {fault}");
            ExitCode::from(2)
        }
    }
}

/// Whether every target was reached, except those that only warn.
async fn run(args: &Args) -> Result<bool, Fault> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let functions = function::all(&here, &args.beside)?;
    let tasks = Task::all(&here)?;
    let simulator = Simulator::start().await?;
    let aws = Aws::start().await?;
    let measure = Measure::new(&simulator, &aws);
    let batches = Batches { simulator: &simulator };
    let growth = Growth { simulator: &simulator };
    let rounds = if args.quick { 5 } else { args.rounds };
    let mut figures = Figures::new(functions.len());
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (index, function) in functions.iter().enumerate() {
            for task in tasks.iter().filter(|task| task.is_for(function)) {
                measure.once(function, task, figures.of(index)).await?;
            }
        }
        for (index, function) in functions.iter().enumerate() {
            if function.fetches {
                batches.once(function, figures.of(index)).await?;
            }
        }
    }
    for round in 1..=rounds.min(MEMORY_ROUNDS) {
        eprintln!("memory, round {round} of {}", rounds.min(MEMORY_ROUNDS));
        for (index, function) in functions.iter().enumerate() {
            if function.fetches {
                growth.once(function, figures.of(index)).await?;
            }
        }
    }
    for (index, function) in functions.iter().enumerate() {
        function.weigh(&here, figures.of(index))?;
    }
    let verdicts = targets::verdicts(&figures);
    println!("{}", table::table(&functions, &figures, &verdicts));
    println!("{}", table::footnote(rounds));
    Ok(!verdicts.iter().any(targets::Verdict::is_failure))
}
