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
mod chain;
mod error;
mod figures;
mod function;
mod growth;
mod instructions;
mod measure;
mod memory;
mod process;
mod provider;
mod running;
mod streaming;
mod table;
mod targets;
mod throughput;
mod tool_loop;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use llm_exe_simulator::Simulator;

use aws::Aws;
use batches::Batches;
use error::Error;
use figures::{Figures, LLM_EXE, Part};
use function::{Function, Kind};
use growth::Growth;
use instructions::{COUNTED_ROUNDS, Instructions};
use measure::{Measure, Task};
use memory::{MEMORY_ROUNDS, MemoryGrowth};
use provider::Provider;
use tool_loop::ToolFunctions;

/// Compares the function with the limit program and with Node.
#[derive(Parser)]
#[command(name = "./benches/run")]
struct Args {
    /// Count only instructions and allocations, and measure the memory after 1,000 invocations.
    #[arg(long)]
    instructions: bool,
    /// Measure only SQS events with 1,000 records.
    #[arg(long)]
    throughput: bool,
    /// Measure only streams.
    #[arg(long)]
    streaming: bool,
    /// Measure only how the CPU time grows with the size of the input.
    #[arg(long)]
    growth: bool,
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
    /// Returns the parts to run: all, unless options select some.
    fn parts(&self) -> Vec<Part> {
        let selected = [
            (Part::Instructions, self.instructions),
            (Part::Throughput, self.throughput),
            (Part::Streaming, self.streaming),
            (Part::Growth, self.growth),
        ];
        if selected.iter().any(|(_, is_selected)| *is_selected) {
            return selected.into_iter().filter(|part| part.1).map(|part| part.0).collect();
        }
        vec![Part::Times, Part::Instructions, Part::Throughput, Part::Streaming, Part::Growth]
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

/// Runs the benchmark and prints the tables. Returns whether all targets are reached.
async fn run(args: &Args) -> Result<bool, Error> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let parts = args.parts();
    let functions = function::all(&here, &args.built, &args.builds)?;
    let is_measured = |function: &Function| match function.kind {
        Kind::LlmExe | Kind::Limit => true,
        Kind::Node => parts.contains(&Part::Times),
        Kind::NpmAi => parts.contains(&Part::Streaming),
    };
    for function in functions.iter().filter(|function| is_measured(function)) {
        function.check_files()?;
    }
    let simulator = Simulator::start().await?;
    let provider = Provider::start()?;
    let rounds = if args.quick { 5 } else { args.rounds };
    let few_rounds = if args.quick { 1 } else { rounds.min(COUNTED_ROUNDS) };
    let mut figures = Figures::new(functions.len());
    let mut growth = Growth::default();
    if parts.contains(&Part::Instructions) {
        let functions_api = ToolFunctions::start().await?;
        let instructions = Instructions::new(&simulator, &functions_api, &args.built)?;
        for round in 1..=few_rounds {
            eprintln!("instructions, round {round} of {few_rounds}");
            for (index, function) in functions.iter().enumerate() {
                if matches!(function.kind, Kind::LlmExe | Kind::Limit) {
                    instructions.once(function, figures.of(index)).await?;
                }
            }
        }
    }
    if parts.contains(&Part::Throughput) {
        for round in 1..=few_rounds {
            eprintln!("throughput, round {round} of {few_rounds}");
            for (index, function) in functions.iter().enumerate() {
                if function.kind == Kind::LlmExe {
                    throughput::once(&provider, function, figures.of(index)).await?;
                }
            }
        }
    }
    if parts.contains(&Part::Streaming) {
        for round in 1..=rounds {
            eprintln!("streaming, round {round} of {rounds}");
            for (index, function) in functions.iter().enumerate() {
                if matches!(function.kind, Kind::LlmExe | Kind::NpmAi) {
                    streaming::once(&provider, function, figures.of(index)).await?;
                }
            }
        }
    }
    if parts.contains(&Part::Growth) {
        growth = Growth::measure(&provider, &functions[LLM_EXE]).await?;
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
    println!("{}\n", table::footnote(rounds, &parts));
    if parts.contains(&Part::Growth) {
        println!("{}", growth.table());
    }
    Ok(verdicts.iter().all(|verdict| verdict.is_reached) && growth.is_linear())
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
    let tool_functions = ToolFunctions::start().await?;
    let memory = MemoryGrowth { simulator };
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
                tool_loop::once(&tool_functions, simulator, function, figures.of(index)).await?;
                chain::once(simulator, function, figures.of(index)).await?;
            }
        }
    }
    for round in 1..=rounds.min(MEMORY_ROUNDS) {
        eprintln!("memory, round {round} of {}", rounds.min(MEMORY_ROUNDS));
        for (index, function) in functions.iter().enumerate() {
            if function.kind == Kind::LlmExe {
                memory.once(function, figures.of(index)).await?;
            }
        }
    }
    Ok(())
}
