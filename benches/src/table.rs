//! The table, as Markdown.

use std::fmt::Write;
use std::process::Command;

use crate::batches::{PROVIDER_WAIT, S3_WAIT};
use crate::figures::{Figure, Figures};
use crate::function::{BUNDLED, EMPTY, Function, NODE, OURS};
use crate::measure::{COUNTED, SETTLING};
use crate::memory::MEMORY_ROUNDS;
use crate::targets::Verdict;

/// One row per figure, one column per function, then the ratios and the targets.
pub(crate) fn table(functions: &[Function], figures: &Figures, verdicts: &[Verdict]) -> String {
    let mut text = String::from("| |");
    for function in functions {
        let _ = write!(text, " {} |", function.name);
    }
    text += " of Node | of Node, bundled | of empty | of its own | at most |\n|---|";
    text += &"---|".repeat(functions.len() + 5);
    text.push('\n');
    for (figure, name) in Figure::ALL {
        let _ = write!(text, "| {name} |");
        for index in 0..functions.len() {
            let _ = write!(text, " {} |", cell(figures, index, figure));
        }
        for other in [NODE, BUNDLED, EMPTY] {
            let _ = write!(text, " {} |", ratio(figures.ratio(figure, OURS, other)));
        }
        let _ = write!(text, " {} |", own(figures, figure));
        let _ = writeln!(text, " {} |", said(verdicts, figure));
    }
    text
}

fn cell(figures: &Figures, function: usize, figure: Figure) -> String {
    let Some(is) = figures.summary(function, figure) else {
        return String::new();
    };
    let median = number(is.median);
    let (min, max) = (number(is.min), number(is.max));
    if min == max { median } else { format!("{median} ({min}, {max})") }
}

/// Three digits that count.
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

/// The figure against another one of the same function; of most figures, nothing.
fn own(figures: &Figures, figure: Figure) -> String {
    let (other, name) = match figure {
        Figure::ColdHosted => (Figure::ColdText, "over text"),
        Figure::ColdHostedCpu => (Figure::ColdTextCpu, "over text"),
        Figure::SqsTen | Figure::SqsHundred => (Figure::SqsOne, "1"),
        Figure::KeptTen | Figure::KeptHundred => (Figure::KeptOne, "1"),
        Figure::SqsTenCpu | Figure::KeptTenCpu => (Figure::DirectTenCpu, "direct"),
        Figure::MemoryAfterMany => (Figure::MemoryAfterFew, "1,000"),
        _ => return String::new(),
    };
    let said = match figure {
        Figure::ColdHosted | Figure::ColdHostedCpu => {
            figures.excess(OURS, figure, other).map(|excess| format!("{excess:+.1} ms {name}"))
        }
        _ => figures.times(OURS, figure, other).map(|times| format!("{times:.3} times {name}")),
    };
    said.unwrap_or_default()
}

fn said(verdicts: &[Verdict], figure: Figure) -> String {
    let of = verdicts.iter().filter(|verdict| verdict.figure == figure);
    let said = of.map(|verdict| format!("{}: {}", verdict.text, verdict.word()));
    said.collect::<Vec<_>>().join("; ")
}

/// What the table's numbers are, and of which machine.
pub(crate) fn footnote(rounds: u32) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = std::env::consts::ARCH;
    let node = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let node = String::from_utf8(node.unwrap_or_default()).unwrap_or_default();
    format!(
        "{machine}, {cores} cores, Node {}. Median (least, most) of {rounds} rounds, the functions \
         in turns. Cold: from before the process is started until its first answer is there, with \
         its files in the page cache. Warm: an invocation, on average of {COUNTED} after \
         {SETTLING} not counted. Ratios: the median of the rounds' ratios. Hosted: the prompt \
         from S3 and the key from Parameter Store, imitations that answer after 5 ms; over text: \
         the median of the rounds' differences. Records: one SQS event, a provider that answers \
         after {} ms, kept: in an S3 that answers after {} ms; CPU without these waits. Memory: \
         resident after so many invocations of one process, {MEMORY_ROUNDS} processes at most. \
         The verdict is of ratios and of that difference; the zip's size only warns, and other \
         milliseconds are for information. Loopback without TLS; the imitations share the machine \
         with the functions.",
        node.trim(),
        PROVIDER_WAIT.as_millis(),
        S3_WAIT.as_millis(),
    )
}

#[cfg(test)]
mod tests {
    use super::{number, own, ratio};
    use crate::figures::{Figure, Figures};

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!([0.0421, 1.5, 42.0, 407.2].map(number), ["0.042", "1.50", "42.0", "407"]);
    }

    #[test]
    fn ratios_read_as_people_say_them() {
        assert_eq!(ratio(Some(0.004)), "1/250");
        assert_eq!(ratio(Some(1.5)), "1.50 times");
    }

    #[test]
    fn figures_are_compared_with_their_own() {
        let mut figures = Figures::new(1);
        figures.of(0).add(Figure::ColdText, 2.9);
        assert_eq!(own(&figures, Figure::ColdHosted), "");
        figures.of(0).add(Figure::ColdHosted, 10.2);
        assert_eq!(own(&figures, Figure::ColdHosted), "+7.3 ms over text");
        assert_eq!(own(&figures, Figure::ColdText), "");
        figures.of(0).add(Figure::SqsOne, 200.0);
        figures.of(0).add(Figure::SqsHundred, 2020.0);
        assert_eq!(own(&figures, Figure::SqsHundred), "10.100 times 1");
    }
}
