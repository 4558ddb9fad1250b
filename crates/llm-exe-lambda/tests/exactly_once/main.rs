//! Tests that every message in a queue gets exactly one result or is moved to the dead-letter
//! queue, even if providers fail, S3 fails and processes are killed.
//!
//! Several processes receive batches of messages at the same time. The environment variables
//! `EXACTLY_ONCE_MESSAGES`, `EXACTLY_ONCE_FAILURES`, `EXACTLY_ONCE_KILLS` and
//! `EXACTLY_ONCE_STORE_FAULTS` (in percent), `EXACTLY_ONCE_PROCESSES` and `EXACTLY_ONCE_SEED` set
//! the parameters. `./scripts/exactly-once` runs the test with more messages.
//! `EXACTLY_ONCE_CONVERSATIONS` is the number of messages with tools, whose turns are counted too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the harness is shared"
)]

#[path = "../process/backend.rs"]
mod backend;
mod conversations;
mod failures;
#[path = "../process/harness.rs"]
mod harness;
mod queue;
mod report;
mod run;

use std::io::Write;
use std::str::FromStr;
use std::time::Instant;

use failures::Failures;
use report::Report;

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
struct Parameters {
    messages: usize,
    /// The percentage of messages whose provider fails.
    failures: f64,
    /// The percentage of deliveries whose process is killed.
    kills: f64,
    /// The percentage of result reads and result writes that fail.
    store_faults: f64,
    processes: usize,
    seed: u64,
}

#[expect(clippy::disallowed_methods, reason = "a test may read the environment")]
fn parameter<T: FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => {
            text.parse().ok().unwrap_or_else(|| panic!("{name}: {text:?} is not a valid number"))
        }
        Err(_) => default,
    }
}

impl Parameters {
    fn from_environment() -> Parameters {
        Parameters {
            messages: parameter("EXACTLY_ONCE_MESSAGES", 1000),
            failures: parameter("EXACTLY_ONCE_FAILURES", 5.0),
            kills: parameter("EXACTLY_ONCE_KILLS", 3.0),
            store_faults: parameter("EXACTLY_ONCE_STORE_FAULTS", 1.0),
            processes: parameter("EXACTLY_ONCE_PROCESSES", 4),
            seed: parameter("EXACTLY_ONCE_SEED", 6),
        }
    }

    /// Returns a pseudo-random number from 0 to 1 that depends on the seed, a name and an index.
    fn random(&self, name: &str, index: u64) -> f64 {
        let mut state = name.bytes().fold(self.seed, |state, byte| mix(state ^ u64::from(byte)));
        state = mix(mix(state ^ index));
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The mixing function of the random number generator SplitMix64.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_has_one_result_or_is_dead() {
    let parameters = Parameters::from_environment();
    let started = Instant::now();
    let failures = Failures::new(&parameters);
    let finished_run = run::run(parameters, &failures).await;
    let report = Report::new(&finished_run, &failures);
    let text = format!("\n{parameters:?}\n{report}in {:.1} s\n", started.elapsed().as_secs_f64());
    // Write the report directly to standard output, because the test harness hides the output of
    // `println!` if the test passes.
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    report.check(&parameters);
}
