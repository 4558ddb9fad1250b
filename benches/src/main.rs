//! The benchmark driver, which runs each function in several rounds and prints the results as a
//! Markdown table. The Lambda Runtime API and the provider are simulated.
//!
//! `./benches/run` builds the functions and runs this program. The exit code is 1 if a target is
//! missed, and 2 if the benchmark fails. Figures depend on the machine's load, so compare only
//! figures of the same run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is this program's output")]

mod aws;
mod batches;
mod callgrind;
mod error;
mod figures;
mod function;
mod instructions;
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
use error::Error;
use figures::{Figures, Part};
use function::{Function, Kind};
use instructions::{COUNTED_ROUNDS, Instructions};
use measure::{Measure, Task};
use memory::{Growth, MEMORY_ROUNDS};

/// Compares the function with the limit program and with Node.
#[derive(Parser)]
#[command(name = "./benches/run")]
struct Args {
    /// Count only instructions and allocations, and measure the memory after 1,000 invocations.
    #[arg(long)]
    instructions: bool,
    /// Run only a few rounds, to check that the benchmark works.
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Number of rounds. In each round, every function runs every task.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Also measure another build of the function with the same features (repeatable).
    #[arg(long = "beside", value_name = "NAME=PATH")]
    builds: Vec<String>,
    /// The folder of the zips that ./benches/run built.
    #[arg(long, value_name = "FOLDER", hide = true)]
    built: PathBuf,
}

impl Args {
    /// Returns the parts to run: all, unless an option selects one.
    fn parts(&self) -> Vec<Part> {
        if self.instructions {
            return vec![Part::Instructions];
        }
        vec![Part::Times, Part::Instructions]
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    // Use a single thread, so that the simulators occupy one core and leave the other cores to the
    // function.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(run(&args)));
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark failed: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the benchmark and prints the table. Returns whether all targets are reached.
async fn run(args: &Args) -> Result<bool, Error> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let parts = args.parts();
    let functions = function::all(&here, &args.built, &args.builds)?;
    let is_measured =
        |function: &Function| function.kind != Kind::Node || parts.contains(&Part::Times);
    for function in functions.iter().filter(|function| is_measured(function)) {
        function.check_files()?;
    }
    let rounds = if args.quick { 5 } else { args.rounds };
    let simulator = Simulator::start().await?;
    let mut figures = Figures::new(functions.len());
    if parts.contains(&Part::Instructions) {
        let instructions = Instructions::new(&simulator, &args.built)?;
        let rounds = if args.quick { 1 } else { rounds.min(COUNTED_ROUNDS) };
        for round in 1..=rounds {
            eprintln!("instructions, round {round} of {rounds}");
            for (index, function) in functions.iter().enumerate() {
                if function.kind != Kind::Node {
                    instructions.once(function, figures.of(index)).await?;
                }
            }
        }
    }
    if parts.contains(&Part::Times) {
        times(&functions, &simulator, rounds, &mut figures).await?;
    }
    for (index, function) in functions.iter().enumerate() {
        if is_measured(function) {
            function.measure_size(&here, figures.of(index))?;
        }
    }
    let verdicts = targets::verdicts(&figures, &parts);
    println!("{}", table::table(&functions, &figures, &verdicts, &parts));
    println!("{}", table::footnote(rounds, &parts));
    Ok(verdicts.iter().all(|verdict| verdict.is_reached))
}

/// Measures times, CPU times and memory of all functions.
async fn times(
    functions: &[Function],
    simulator: &Simulator,
    rounds: u32,
    figures: &mut Figures,
) -> Result<(), Error> {
    let tasks = Task::all();
    let aws = Aws::start().await?;
    let measure = Measure::new(simulator, &aws);
    let batches = Batches { simulator };
    let growth = Growth { simulator };
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (index, function) in functions.iter().enumerate() {
            for task in tasks.iter().filter(|task| (task.is_supported_by)(function.kind)) {
                measure.once(function, task, figures.of(index)).await?;
            }
        }
        for (index, function) in functions.iter().enumerate() {
            if function.kind == Kind::LlmExe {
                batches.once(function, figures.of(index)).await?;
            }
        }
    }
    for round in 1..=rounds.min(MEMORY_ROUNDS) {
        eprintln!("memory, round {round} of {}", rounds.min(MEMORY_ROUNDS));
        for (index, function) in functions.iter().enumerate() {
            if function.kind == Kind::LlmExe {
                growth.once(function, figures.of(index)).await?;
            }
        }
    }
    Ok(())
}
