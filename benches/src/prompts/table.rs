//! What was measured of prompts, as Markdown tables with their targets.

use std::fmt::Write;
use std::process::Command;

use crate::Fault;

/// A task: what both sides took in each round, in microseconds.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    /// How many times as fast we are to be, at least.
    pub(crate) least: f64,
    pub(crate) ours: Vec<f64>,
    pub(crate) node: Vec<f64>,
}

impl Row {
    pub(crate) fn new(name: &'static str, least: f64) -> Self {
        Row { name, least, ours: Vec::new(), node: Vec::new() }
    }

    /// How many times as fast we were, round by round.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.node).map(|(ours, node)| node / ours).collect()
    }
}

/// The memory of one rendering, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    text: f64,
    peak: f64,
}

impl Memory {
    /// How many times the text's size rendering may allocate.
    pub(crate) const MOST: f64 = 3.0;

    /// Reads a line of `bench-prompts-memory`.
    pub(crate) fn read(line: &str) -> Result<Self, Fault> {
        let (text, peak) = line.split_once(' ').ok_or("two numbers were expected")?;
        Ok(Memory { text: text.parse()?, peak: peak.parse()? })
    }

    fn ratio(self) -> f64 {
        self.peak / self.text
    }

    /// The worst ratio; without a figure, no ratio is good enough.
    pub(crate) fn worst(all: &[Memory]) -> f64 {
        all.iter().map(|one| one.ratio()).reduce(f64::max).unwrap_or(f64::INFINITY)
    }
}

/// The median; without samples, nothing that reaches a target.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = |index: usize| samples.get(index).copied().unwrap_or_default();
    f64::midpoint(at(samples.len().saturating_sub(1) / 2), at(samples.len() / 2))
}

/// One row per task.
pub(crate) fn speed(rows: &[Row]) -> String {
    let mut text = String::from(
        "| | llm-exe, µs | npm handlebars, µs | times as fast | at least |\n\
         |---|---|---|---|---|\n",
    );
    for row in rows {
        let ratios = row.ratios();
        let said = word(median(ratios.clone()) >= row.least);
        let [ours, node, ratio] = [row.ours.clone(), row.node.clone(), ratios].map(cell);
        let _ =
            writeln!(text, "| {} | {ours} | {node} | {ratio} | {}: {said} |", row.name, row.least);
    }
    text
}

/// The smallest text, the largest, the one nearest to 1 MB, and the worst of all.
pub(crate) fn memory(all: &[Memory]) -> String {
    let mut text = String::from(
        "| text, KB | most allocated, KB | of the text | at most |\n|---|---|---|---|\n",
    );
    let off = |one: &Memory| (one.text - 1e6).abs();
    let middle = all.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
    for one in all.first().into_iter().chain(middle).chain(all.last()) {
        let (size, peak) = (one.text / 1e3, one.peak / 1e3);
        let _ = writeln!(text, "| {size:.0} | {peak:.0} | {:.2} times | |", one.ratio());
    }
    let (worst, most) = (Memory::worst(all), Memory::MOST);
    let said = word(worst <= most);
    let (count, none) = (all.len(), "");
    let _ =
        writeln!(text, "| worst of {count} sizes | {none} | {worst:.2} times | {most}: {said} |");
    text
}

fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "**missed**" }
}

fn cell(samples: Vec<f64>) -> String {
    let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let most = samples.iter().copied().fold(0.0, f64::max);
    format!("{:.1} ({least:.1}, {most:.1})", median(samples))
}

/// What the tables' numbers are, and of which machine.
pub(crate) fn footnote(rounds: u32, source: usize, text: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = std::env::consts::ARCH;
    let node = Command::new("node").arg("--version").output().map(|output| output.stdout);
    let node = String::from_utf8(node.unwrap_or_default()).unwrap_or_default();
    format!(
        "{machine}, {cores} cores, Node {}. {source} bytes of template and partial render {text} \
         bytes of text, the same on both sides. Median (least, most) of {rounds} rounds, both \
         sides in turns and warm; ratios are of each round within itself.",
        node.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::{Memory, Row, median, memory, speed};

    #[test]
    fn a_target_is_reached_by_the_median_of_the_rounds_ratios() {
        let mut row = Row::new("render", 5.0);
        (row.ours, row.node) = (vec![10.0, 10.0, 100.0], vec![60.0, 70.0, 100.0]);
        assert_eq!(median(row.ratios()), 6.0);
        assert!(speed(&[row]).contains("| 5: reached |"));
        assert!(speed(&[Row::new("render", 5.0)]).contains("| 5: **missed** |"));
    }

    #[test]
    fn memory_is_judged_by_the_worst_size() {
        let read = |line: &str| Memory::read(line).unwrap_or(Memory { text: 1.0, peak: 9.0 });
        let all = ["100000 200000", "1000000 2900000", "4000000 8000000"].map(read);
        assert!(memory(&all).contains("| 1000 | 2900 | 2.90 times | |"));
        assert!(memory(&all).contains("| 2.90 times | 3: reached |"));
        assert!(memory(&[]).contains("**missed**"));
    }
}
