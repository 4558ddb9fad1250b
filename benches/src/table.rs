//! Formats the figures as a Markdown table.

use std::fmt::Write;
use std::process::Command;

use crate::batches::{PROVIDER_WAIT, S3_WAIT};
use crate::figures::{BUNDLED, Figure, Figures, LLM_EXE, NODE, NPM_AI, Part};
use crate::function::Function;
use crate::instructions::{COUNTED_ROUNDS, FEW, MANY, RESIDENT};
use crate::measure::{COUNTED, SETTLING};
use crate::memory::MEMORY_ROUNDS;
use crate::streaming;
use crate::targets::Verdict;
use crate::throughput::{EVENTS, RECORDS};
use crate::tool_loop::TURNS;

/// Returns a table that has a row for each figure of the parts that were run, and columns for the
/// measured functions, ratios and targets.
pub(crate) fn table(
    functions: &[Function],
    figures: &Figures,
    verdicts: &[Verdict],
    parts: &[Part],
) -> String {
    let measured: Vec<usize> =
        (0..functions.len()).filter(|index| figures.is_measured(*index)).collect();
    let compared = [(NODE, "of Node"), (BUNDLED, "of Node, bundled"), (NPM_AI, "of npm ai")];
    let compared: Vec<_> =
        compared.into_iter().filter(|(index, _)| measured.contains(index)).collect();
    let mut text = String::from("| |");
    for index in &measured {
        let _ = write!(text, " {} |", functions[*index].name);
    }
    for (_, title) in &compared {
        let _ = write!(text, " {title} |");
    }
    text += " of limit |";
    let with_own = [Part::Times, Part::Instructions, Part::Streaming];
    let has_own = with_own.iter().any(|part| parts.contains(part));
    text += if has_own { " of its own | target |" } else { " target |" };
    let columns = measured.len() + compared.len() + 2 + usize::from(has_own);
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(columns));
    let is_run = |part: Part| part == Part::Always || parts.contains(&part);
    for (figure, _, name) in Figure::ALL.into_iter().filter(|(_, part, _)| is_run(*part)) {
        let _ = write!(text, "| {name} |");
        for index in &measured {
            let _ = write!(text, " {} |", cell(figures, *index, figure));
        }
        for (other, _) in &compared {
            let _ = write!(text, " {} |", ratio(figures.ratio(figure, LLM_EXE, *other)));
        }
        let _ = write!(text, " {} |", ratio(figures.ratio_to_limit(figure, LLM_EXE)));
        if has_own {
            let _ = write!(text, " {} |", own_ratio(figures, figure));
        }
        let _ = writeln!(text, " {} |", verdict_text(verdicts, figure));
    }
    text
}

fn cell(figures: &Figures, function: usize, figure: Figure) -> String {
    let Some(summary) = figures.summary(function, figure) else {
        return String::new();
    };
    let median = number(summary.median);
    let (min, max) = (number(summary.min), number(summary.max));
    if min == max { median } else { format!("{median} ({min}, {max})") }
}

/// Formats a number with three significant digits.
fn number(value: f64) -> String {
    let decimals = match value {
        ..1.0 => 3,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

fn ratio(ratio: Option<f64>) -> String {
    match ratio {
        None => String::new(),
        Some(ratio) if ratio < 1.0 => format!("1/{}", number(1.0 / ratio)),
        Some(ratio) => format!("{} times", number(ratio)),
    }
}

/// Compares a figure of llm-exe with another figure of llm-exe. Returns an empty string for figures
/// that are not compared.
fn own_ratio(figures: &Figures, figure: Figure) -> String {
    let (other, name) = match figure {
        Figure::ColdHosted => (Figure::ColdText, "over text"),
        Figure::ColdHostedCpu => (Figure::ColdTextCpu, "over text"),
        Figure::StreamFirstByte | Figure::UnstreamedFirstByte => {
            (Figure::DirectFirstByte, "over the plain client")
        }
        Figure::SqsTen | Figure::SqsHundred => (Figure::SqsOne, "1"),
        Figure::StoredTen | Figure::StoredHundred => (Figure::StoredOne, "1"),
        Figure::SqsTenCpu | Figure::StoredTenCpu => (Figure::DirectTenCpu, "direct"),
        Figure::WarmToolsCpu | Figure::WarmChainCpu => (Figure::WarmTextCpu, "text"),
        Figure::WarmToolsInstructions | Figure::WarmChainInstructions => {
            (Figure::WarmTextInstructions, "text")
        }
        Figure::AllocationsTools | Figure::AllocationsChain => (Figure::AllocationsText, "text"),
        Figure::ResidentTools | Figure::ResidentChain => (Figure::ResidentText, "text"),
        Figure::MemoryAfterMany => (Figure::MemoryAfterFew, "1,000"),
        _ => return String::new(),
    };
    let text = match figure {
        Figure::ColdHosted | Figure::ColdHostedCpu => {
            figures.excess(LLM_EXE, figure, other).map(|excess| format!("{excess:+.1} ms {name}"))
        }
        Figure::StreamFirstByte | Figure::UnstreamedFirstByte => {
            figures.excess(LLM_EXE, figure, other).map(|excess| format!("{excess:+.3} ms {name}"))
        }
        _ => figures.times(LLM_EXE, figure, other).map(|times| format!("{times:.3} times {name}")),
    };
    text.unwrap_or_default()
}

fn verdict_text(verdicts: &[Verdict], figure: Figure) -> String {
    let verdicts = verdicts.iter().filter(|verdict| verdict.figure == figure);
    let texts = verdicts.map(|verdict| format!("{}: {}", verdict.text, verdict.word()));
    texts.collect::<Vec<_>>().join("; ")
}

/// Returns the text below the table, which explains the numbers and describes the machine.
pub(crate) fn footnote(rounds: u32, parts: &[Part]) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = std::env::consts::ARCH;
    let mut text = format!(
        "{machine}, {cores} cores{}. Median (minimum, maximum) of the rounds; ratios are the \
         median of the rounds' ratios. Loopback without TLS; the simulators share the machine with \
         the functions.",
        node_version(parts),
    );
    if parts.contains(&Part::Times) {
        let _ = write!(
            text,
            " {rounds} rounds, in which the functions run in turns. Cold: from the start of the \
             process to its first response, with its files in the page cache. Warm: an invocation, \
             averaged over {COUNTED} after {SETTLING} that are not measured. Hosted: the prompt is \
             in S3 and the key in Parameter Store, which respond after 5 ms; over text: the median \
             of the rounds' differences. Records: one SQS event, with a provider that responds \
             after {} ms; stored: with an S3 that responds after {} ms; CPU without these delays. \
             Mixed: resident after this number of invocations of one process, in at most \
             {MEMORY_ROUNDS} processes.",
            PROVIDER_WAIT.as_millis(),
            S3_WAIT.as_millis(),
        );
    }
    if parts.contains(&Part::Instructions) {
        let _ = write!(
            text,
            " Instructions and allocations: counted by callgrind in at most {COUNTED_ROUNDS} \
             rounds, in user mode. Cold: from the start of the process until it waits for its \
             second event. Warm: the difference of {MANY} and {FEW} invocations, per invocation. \
             Memory after {RESIDENT} requests: resident, without callgrind. JSON is compared with \
             the text of the limit program. Tools: {TURNS} turns, each of the first {} of which \
             calls one of two Lambda functions.",
            TURNS - 1
        );
    }
    if parts.contains(&Part::Throughput) {
        let _ = write!(
            text,
            " Batch of 1,000: SQS events with {RECORDS} records and a provider that replies at \
             once; peak memory after the first event, and the fastest of {EVENTS} events after it."
        );
    }
    if parts.contains(&Part::Streaming) {
        let _ = write!(text, " {}", streaming::footnote());
    }
    text
}

/// Returns the version of Node if a part that was run uses it.
fn node_version(parts: &[Part]) -> String {
    if !parts.contains(&Part::Times) && !parts.contains(&Part::Streaming) {
        return String::new();
    }
    let version = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let version = String::from_utf8(version.unwrap_or_default()).unwrap_or_default();
    format!(", Node {}", version.trim())
}

#[cfg(test)]
mod tests {
    use super::{number, own_ratio, ratio};
    use crate::figures::{Figure, Figures};

    #[test]
    fn numbers_have_three_significant_digits() {
        assert_eq!([0.0421, 1.5, 42.0, 407.2].map(number), ["0.042", "1.50", "42.0", "407"]);
    }

    #[test]
    fn ratios_below_one_are_fractions() {
        assert_eq!(ratio(Some(0.004)), "1/250");
        assert_eq!(ratio(Some(1.5)), "1.50 times");
    }

    #[test]
    fn figures_are_compared_within_a_function() {
        let mut figures = Figures::new(1);
        figures.of(0).add(Figure::ColdText, 2.9);
        assert_eq!(own_ratio(&figures, Figure::ColdHosted), "");
        figures.of(0).add(Figure::ColdHosted, 10.2);
        assert_eq!(own_ratio(&figures, Figure::ColdHosted), "+7.3 ms over text");
        assert_eq!(own_ratio(&figures, Figure::ColdText), "");
        figures.of(0).add(Figure::SqsOne, 200.0);
        figures.of(0).add(Figure::SqsHundred, 2020.0);
        assert_eq!(own_ratio(&figures, Figure::SqsHundred), "10.100 times 1");
    }
}
