//! Measures streams: the time from the provider's first byte to the function's, compared with a
//! plain client that reads the provider's stream itself, and the events per second of a long
//! stream.
//!
//! The provider and the Runtime API are in the driver, so both times are read from the same clock.

use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::{Function, Kind};
use crate::measure::{SETTLING, milliseconds};
use crate::provider::Provider;
use crate::running::Running;

/// The text of each delta.
const DELTA: &str = "purr ";
/// The number of deltas of the streams whose first byte is measured.
const DELTAS: usize = 8;
/// The pause after their first delta. Models need some milliseconds for a token.
const PAUSE: Duration = Duration::from_millis(5);
/// The number of measured invocations of each kind in a round.
const INVOCATIONS: u32 = 100;
/// The number of deltas of a long stream.
const MANY_DELTAS: usize = 20_000;
/// The number of measured long streams in a round. The fastest one counts, because the machine is
/// shared.
const LONG_STREAMS: usize = 5;

/// Measures a function once, in a new process.
pub(crate) async fn once(
    provider: &Provider,
    function: &Function,
    samples: &mut Samples,
) -> Result<(), Error> {
    // This setting allows llm-exe to stream direct requests. The Node handler always streams them.
    let variables = [("RESPONSE_STREAMING", "invoke")];
    let running = Running::start_under(&[], function, &provider.url, &variables).await?;
    first_bytes(provider, &running, function.kind, samples).await?;
    unstreamed(provider, &running, samples).await?;
    long_streams(provider, &running, function.kind, samples).await
}

/// Measures the first byte of streams through the function, in turns with a plain client.
async fn first_bytes(
    provider: &Provider,
    running: &Running,
    kind: Kind,
    samples: &mut Samples,
) -> Result<(), Error> {
    provider.stream(DELTA, DELTAS, PAUSE);
    let mut streamed = vec![];
    let mut direct = vec![];
    for number in 0..SETTLING + INVOCATIONS {
        let (body, invocation) = running.invoke_raw(request(true)).await?;
        check_stream(kind, &body, DELTAS)?;
        let arrived = invocation.first_byte_at.ok_or("the function sent no byte")?;
        let through_function = arrived.saturating_duration_since(provider.take_start()?);
        let arrived = read_directly(&provider.url).await?;
        let to_client = arrived.saturating_duration_since(provider.take_start()?);
        if number >= SETTLING {
            streamed.push(through_function);
            direct.push(to_client);
        }
    }
    samples.add(Figure::StreamFirstByte, milliseconds(median(streamed)));
    samples.add(Figure::DirectFirstByte, milliseconds(median(direct)));
    Ok(())
}

/// Measures the same call without a stream.
async fn unstreamed(
    provider: &Provider,
    running: &Running,
    samples: &mut Samples,
) -> Result<(), Error> {
    let text = DELTA.repeat(DELTAS);
    provider.reply_with(&text);
    let mut durations = vec![];
    for number in 0..SETTLING + INVOCATIONS {
        let (body, invocation) = running.invoke_raw(request(false)).await?;
        let result: Value = serde_json::from_slice(&body)?;
        if result.as_str().map(str::trim) != Some(text.trim()) {
            return Err(format!("expected the text of the reply, got {result}").into());
        }
        let arrived = invocation.first_byte_at.ok_or("the function sent no byte")?;
        let duration = arrived.saturating_duration_since(provider.take_start()?);
        if number >= SETTLING {
            durations.push(duration);
        }
    }
    samples.add(Figure::UnstreamedFirstByte, milliseconds(median(durations)));
    Ok(())
}

/// Measures streams of a provider that sends all deltas at once.
async fn long_streams(
    provider: &Provider,
    running: &Running,
    kind: Kind,
    samples: &mut Samples,
) -> Result<(), Error> {
    provider.stream(DELTA, MANY_DELTAS, Duration::ZERO);
    let mut fastest = Duration::MAX;
    let mut lowest_cpu = Duration::MAX;
    for number in 0..=LONG_STREAMS {
        let before = running.idle().await.cpu()?;
        let (body, invocation) = running.invoke_raw(request(true)).await?;
        let used = running.idle().await.cpu()?.saturating_sub(before);
        check_stream(kind, &body, MANY_DELTAS)?;
        // The first stream is not measured, so that JIT compilers and allocators are ready.
        if number > 0 {
            fastest = fastest.min(invocation.duration);
            lowest_cpu = lowest_cpu.min(used);
        }
    }
    samples.add(Figure::StreamCpuRate, MANY_DELTAS as f64 / lowest_cpu.as_secs_f64());
    samples.add(Figure::StreamRate, MANY_DELTAS as f64 / fastest.as_secs_f64());
    samples.add(Figure::StreamMemory, running.idle().await.peak_memory()? / 1e6);
    Ok(())
}

/// Returns an event with a request.
fn request(stream: bool) -> String {
    let mut request =
        json!({ "provider": "openai", "model": "gpt-4o-mini", "message": "Talk like a kitten." });
    if stream {
        request["stream"] = json!(true);
    }
    request.to_string()
}

/// Returns an error unless the body of a streamed response contains this number of deltas: llm-exe
/// sends an event for each, and the Node handler the text alone.
fn check_stream(kind: Kind, body: &Bytes, deltas: usize) -> Result<(), Error> {
    let text = std::str::from_utf8(body)?;
    let is_complete = match kind {
        Kind::NpmAi => text.len() == deltas * DELTA.len(),
        _ => {
            let end = text.rsplit("\n\n").nth(1).unwrap_or_default();
            text.matches("event: text\n").count() == deltas && end.starts_with("event: result\n")
        }
    };
    if is_complete {
        return Ok(());
    }
    let beginning: String = text.chars().take(300).collect();
    Err(format!("expected a stream of {deltas} deltas, got {beginning}").into())
}

/// Reads a stream of the provider like a client that does nothing else. Returns the time at which
/// its first event arrived.
async fn read_directly(url: &str) -> Result<Instant, Error> {
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/v1"));
    let address = address.ok_or("the URL of the provider has no address")?;
    let mut connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    let body = request(true);
    let length = body.len();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    connection.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut response = Vec::with_capacity(16 * 1024);
    while !response.windows(6).any(|part| part == b"data: ") {
        if connection.read_buf(&mut response).await? == 0 {
            return Err("the provider sent no event".into());
        }
    }
    let arrived = Instant::now();
    // The response ends with the connection.
    connection.read_to_end(&mut response).await?;
    let deltas = String::from_utf8(response)?.matches(DELTA).count();
    if deltas != DELTAS {
        return Err(format!("expected {DELTAS} deltas from the provider, got {deltas}").into());
    }
    Ok(arrived)
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}

/// Returns the text below the table that explains the figures of streams.
pub(crate) fn footnote() -> String {
    format!(
        "Streams: direct requests. First byte: the median of {INVOCATIONS} streams of {DELTAS} \
         deltas after {SETTLING} that are not measured, from the provider's first byte to the \
         first byte at the Runtime API; direct: a plain client of the provider, in turns with the \
         function. Stream of 20,000: a provider that sends {MANY_DELTAS} deltas at once; the best \
         of {LONG_STREAMS} streams of a process. npm ai sends only the text."
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DELTA, DELTAS, PAUSE, check_stream, median, read_directly};
    use crate::function::Kind;
    use crate::provider::Provider;

    #[test]
    fn incomplete_streams_are_rejected() {
        let event = format!("event: text\ndata: {{\"delta\":\"{DELTA}\",\"turn\":1}}\n\n");
        let result = "event: result\ndata: \"purr purr\"\n\n";
        let is_accepted = |kind: Kind, body: String| check_stream(kind, &body.into(), 2).is_ok();
        assert!(is_accepted(Kind::LlmExe, format!("{event}{event}{result}")));
        assert!(!is_accepted(Kind::LlmExe, format!("{event}{result}")));
        assert!(!is_accepted(Kind::LlmExe, format!("{event}{event}event: error\ndata: {{}}\n\n")));
        assert!(is_accepted(Kind::NpmAi, DELTA.repeat(2)));
        assert!(!is_accepted(Kind::NpmAi, DELTA.repeat(3)));
    }

    #[test]
    fn median_is_the_value_in_the_middle() {
        assert_eq!(median([9, 1, 4].map(Duration::from_millis).to_vec()), Duration::from_millis(4));
    }

    #[tokio::test]
    async fn plain_client_reads_the_whole_stream() {
        let provider = Provider::start().unwrap();
        provider.stream(DELTA, DELTAS, PAUSE);
        let arrived = read_directly(&provider.url).await.unwrap();
        assert!(arrived >= provider.take_start().unwrap());
        provider.stream(DELTA, DELTAS - 1, PAUSE);
        assert!(read_directly(&provider.url).await.is_err());
    }
}
