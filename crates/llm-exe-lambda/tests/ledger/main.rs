//! The ledger: a queue's messages, delivered in batches to several processes side by side, while
//! providers fail, S3 fails, and processes are killed. In the end every message is accounted for.
//!
//! In: `LEDGER_MESSAGES`, `LEDGER_FAILURES`, `LEDGER_KILLS` and `LEDGER_STORE_FAULTS` (in percent),
//! `LEDGER_PROCESSES` and `LEDGER_SEED`. Out: the ledger, printed. `./scripts/ledger` is the longer
//! form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the harness is shared"
)]

mod account;
mod fates;
#[path = "../process/harness.rs"]
mod harness;
mod play;
mod queue;
#[path = "../process/world.rs"]
mod world;

use std::io::Write;
use std::str::FromStr;
use std::time::Instant;

use account::Account;
use fates::Fates;

/// What is played.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    messages: usize,
    /// Of a hundred messages, so many have providers that fail.
    failures: f64,
    /// Of a hundred deliveries, so many have their process killed.
    kills: f64,
    /// Of a hundred reads and of a hundred writes of results, so many fail.
    store_faults: f64,
    processes: usize,
    seed: u64,
}

#[expect(clippy::disallowed_methods, reason = "a test is no room of the product")]
fn number<T: FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().ok().unwrap_or_else(|| panic!("{name}: {text:?} is no number")),
        Err(_) => default,
    }
}

impl Numbers {
    fn read() -> Numbers {
        Numbers {
            messages: number("LEDGER_MESSAGES", 1000),
            failures: number("LEDGER_FAILURES", 5.0),
            kills: number("LEDGER_KILLS", 3.0),
            store_faults: number("LEDGER_STORE_FAULTS", 1.0),
            processes: number("LEDGER_PROCESSES", 4),
            seed: number("LEDGER_SEED", 6),
        }
    }

    /// A number from 0 to 1 that is the same each time, for the nth of something.
    fn roll(&self, what: &str, nth: u64) -> f64 {
        let mut state = what.bytes().fold(self.seed, |state, byte| mixed(state ^ u64::from(byte)));
        state = mixed(mixed(state ^ nth));
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The mixing step of SplitMix64.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_accounted_for() {
    let numbers = Numbers::read();
    let started = Instant::now();
    let fates = Fates::new(&numbers);
    let played = play::play(numbers, &fates).await;
    let account = Account::of(&played, &fates);
    let text = format!("\n{numbers:?}\n{account}in {:.1} s\n", started.elapsed().as_secs_f64());
    // Not by `println!`, which a test that passes does not show.
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    account.check(&numbers);
}
