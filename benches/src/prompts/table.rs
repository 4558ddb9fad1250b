//! Formats the results of the prompt benchmarks as Markdown tables that also show the targets.

use std::fmt::Write;
use std::process::Command;
use std::str::FromStr;

use crate::Error;

/// A table row with the times that llm-exe and Node needed for a task in each round, in
/// microseconds.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    /// The target, which is the minimum ratio of Node's time to llm-exe's time.
    pub(crate) min_ratio: f64,
    pub(crate) llm_exe: Vec<f64>,
    pub(crate) node: Vec<f64>,
}

impl Row {
    pub(crate) fn new(name: &'static str, min_ratio: f64) -> Self {
        Row { name, min_ratio, llm_exe: Vec::new(), node: Vec::new() }
    }

    /// Returns the ratio of Node's time to llm-exe's time for each round.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        self.llm_exe.iter().zip(&self.node).map(|(llm_exe, node)| node / llm_exe).collect()
    }
}

/// The size of a rendered text and the peak memory of rendering it, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    text: f64,
    peak: f64,
}

impl Memory {
    /// The target, which is the maximum ratio of the peak memory to the size of the text.
    pub(crate) const MAX_RATIO: f64 = 3.0;

    fn ratio(self) -> f64 {
        self.peak / self.text
    }

    /// Returns the highest ratio, or infinity without measurements, so that the target counts as
    /// missed.
    pub(crate) fn max_ratio(all: &[Memory]) -> f64 {
        all.iter().map(|memory| memory.ratio()).reduce(f64::max).unwrap_or(f64::INFINITY)
    }
}

/// Parses a line that `bench-prompts-memory` printed.
impl FromStr for Memory {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let (text, peak) =
            line.split_once(' ').ok_or("expected two numbers separated by a space")?;
        Ok(Memory { text: text.parse()?, peak: peak.parse()? })
    }
}

/// Returns the median, or 0 if `samples` is empty.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = |index: usize| samples.get(index).copied().unwrap_or_default();
    f64::midpoint(at(samples.len().saturating_sub(1) / 2), at(samples.len() / 2))
}

/// Returns the table of times, with one row per task.
pub(crate) fn speed(rows: &[Row]) -> String {
    let mut text = String::from(
        "| | llm-exe, µs | npm handlebars, µs | ratio | target |\n\
         |---|---|---|---|---|\n",
    );
    for row in rows {
        let ratios = row.ratios();
        let verdict = verdict(median(ratios.clone()) >= row.min_ratio);
        let [llm_exe, node, ratio] = [row.llm_exe.clone(), row.node.clone(), ratios].map(cell);
        let _ = writeln!(
            text,
            "| {} | {llm_exe} | {node} | {ratio} | at least {}: {verdict} |",
            row.name, row.min_ratio
        );
    }
    text
}

/// Returns the table of memory. It shows the smallest text, the text whose size is nearest to 1 MB,
/// the largest text, and the maximum ratio of all texts.
pub(crate) fn memory(all: &[Memory]) -> String {
    let mut text =
        String::from("| text, KB | peak memory, KB | ratio | target |\n|---|---|---|---|\n");
    let distance = |memory: &Memory| (memory.text - 1e6).abs();
    let middle = all.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    for memory in all.first().into_iter().chain(middle).chain(all.last()) {
        let (size, peak) = (memory.text / 1e3, memory.peak / 1e3);
        let _ = writeln!(text, "| {size:.0} | {peak:.0} | {:.2} | |", memory.ratio());
    }
    let (max, target, count) = (Memory::max_ratio(all), Memory::MAX_RATIO, all.len());
    let verdict = verdict(max <= target);
    let _ =
        writeln!(text, "| maximum of {count} sizes | | {max:.2} | at most {target}: {verdict} |");
    text
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "**missed**" }
}

/// Returns a table cell with the median, the minimum and the maximum of the samples.
fn cell(samples: Vec<f64>) -> String {
    let min = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let max = samples.iter().copied().fold(0.0, f64::max);
    format!("{:.1} ({min:.1} to {max:.1})", median(samples))
}

/// Returns the footnote, which describes the machine and how the numbers were measured.
pub(crate) fn footnote(rounds: u32, source: usize, text: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = std::env::consts::ARCH;
    let node = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let node = String::from_utf8(node.unwrap_or_default()).unwrap_or_default();
    format!(
        "{machine}, {cores} cores, Node {}. {source} bytes of template and partial render to \
         {text} bytes of text, the same on both sides. Median (minimum to maximum) of {rounds} \
         rounds. Both sides are warmed up and run alternately. Ratios are computed within each \
         round.",
        node.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::{Memory, Row, median, memory, speed};

    #[test]
    fn the_median_ratio_decides_whether_a_target_is_reached() {
        let mut row = Row::new("render", 5.0);
        (row.llm_exe, row.node) = (vec![10.0, 10.0, 100.0], vec![60.0, 70.0, 100.0]);
        assert_eq!(median(row.ratios()), 6.0);
        assert!(speed(&[row]).contains("| at least 5: reached |"));
        assert!(speed(&[Row::new("render", 5.0)]).contains("| at least 5: **missed** |"));
    }

    #[test]
    fn the_maximum_ratio_decides_whether_the_memory_target_is_reached() {
        let parse = |line: &str| line.parse().unwrap_or(Memory { text: 1.0, peak: 9.0 });
        let all = ["100000 200000", "1000000 2900000", "4000000 8000000"].map(parse);
        assert!(memory(&all).contains("| 1000 | 2900 | 2.90 | |"));
        assert!(memory(&all).contains("| 2.90 | at most 3: reached |"));
        assert!(memory(&[]).contains("**missed**"));
    }
}
