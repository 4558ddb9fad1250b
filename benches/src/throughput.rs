//! Measures SQS events with 1,000 records in one process, with a provider that replies at once: the
//! records per second, the CPU time per record, and the peak memory.

use std::time::Duration;

use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::provider::Provider;
use crate::running::{Queue, Running, TEXT};

/// The number of records in an event.
pub(crate) const RECORDS: usize = 1_000;
/// The number of measured events in a round. The fastest one counts, because the machine is shared.
pub(crate) const EVENTS: usize = 10;

/// Measures a function once, in a new process.
pub(crate) async fn once(
    provider: &Provider,
    function: &Function,
    samples: &mut Samples,
) -> Result<(), Error> {
    provider.reply_with("Meow!");
    let running = Running::start_under(&[], function, &provider.url, &[]).await?;
    let mut queue = Queue::default();
    // The first event opens the connections to the provider. It decides the peak memory too, which
    // later events could only increase by fragmenting the heap.
    running.batch(queue.batch(RECORDS, TEXT)).await?;
    samples.add(Figure::BatchMemory, running.idle().await.peak_memory()? / 1e6);
    let mut fastest = Duration::MAX;
    let mut lowest_cpu = Duration::MAX;
    for _ in 0..EVENTS {
        let event = queue.batch(RECORDS, TEXT);
        let before = running.idle().await.cpu()?;
        fastest = fastest.min(running.batch(event).await?);
        let used = running.idle().await.cpu()?.saturating_sub(before);
        lowest_cpu = lowest_cpu.min(used);
    }
    let (calls, expected) = (provider.take_calls(), RECORDS * (1 + EVENTS));
    if calls != expected {
        let name = &function.name;
        return Err(format!("{name}: expected {expected} provider calls, got {calls}").into());
    }
    samples.add(Figure::BatchRate, RECORDS as f64 / fastest.as_secs_f64());
    samples.add(Figure::BatchCpu, lowest_cpu.as_secs_f64() * 1e6 / RECORDS as f64);
    Ok(())
}
