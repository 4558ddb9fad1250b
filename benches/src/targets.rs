//! What is to be reached, and whether it is. Ratios within a run, but for the zip's size and for
//! what hosted places add.

use crate::figures::{Figure, Figures};
use crate::function::{EMPTY, NODE, OURS};

/// What a figure is compared with.
#[derive(Debug, Clone, Copy)]
enum Against {
    /// Another function's figure.
    Function(usize),
    /// Another figure of the same function, which it may exceed by so much.
    Figure(Figure),
    /// Another figure of the same function, of which it may be so many times.
    Times(Figure),
    /// The figure's own unit.
    Absolute,
}

/// At most so many times something, or so much.
#[derive(Debug)]
struct Target {
    figure: Figure,
    against: Against,
    most: f64,
    /// How the table says it.
    text: &'static str,
    /// What a miss means.
    severity: Severity,
}

/// What a missed target means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// The run fails.
    Failure,
    /// The table shows a warning, and the run succeeds.
    Warning,
}

const TARGETS: &[Target] = &[
    target(Figure::ColdText, Against::Function(NODE), 1.0 / 50.0, "1/50 of Node"),
    target(Figure::ColdText, Against::Function(EMPTY), 4.0, "4 times empty"),
    target(Figure::WarmTextCpu, Against::Function(NODE), 1.0 / 12.0, "1/12 of Node"),
    target(Figure::MemoryText, Against::Function(NODE), 1.0 / 7.0, "1/7 of Node"),
    target(Figure::MemoryJson, Against::Function(NODE), 1.0 / 7.0, "1/7 of Node"),
    target(Figure::ColdHosted, Against::Figure(Figure::ColdText), 12.0, "12 ms"),
    target(Figure::SqsTen, Against::Times(Figure::SqsOne), 1.3, "1.3 times 1"),
    target(Figure::SqsHundred, Against::Times(Figure::SqsOne), 11.0, "11 times 1"),
    target(Figure::KeptTen, Against::Times(Figure::KeptOne), 1.3, "1.3 times 1"),
    target(Figure::KeptHundred, Against::Times(Figure::KeptOne), 11.0, "11 times 1"),
    target(Figure::MemoryAfterMany, Against::Times(Figure::MemoryAfterFew), 1.1, "1.1 times 1,000"),
    // A warning until the issue "Size and speed" reduces the zip.
    Target { severity: Severity::Warning, ..target(Figure::Zip, Against::Absolute, 4.0, "4 MB") },
];

const fn target(figure: Figure, against: Against, most: f64, text: &'static str) -> Target {
    Target { figure, against, most, text, severity: Severity::Failure }
}

/// A target, and whether it is reached.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) figure: Figure,
    pub(crate) text: &'static str,
    is_reached: bool,
    severity: Severity,
}

impl Verdict {
    /// Whether the run fails because of this target.
    pub(crate) fn is_failure(&self) -> bool {
        !self.is_reached && self.severity == Severity::Failure
    }

    /// The word for it in the table.
    pub(crate) fn word(&self) -> &'static str {
        match (self.is_reached, self.severity) {
            (true, _) => "reached",
            (false, Severity::Failure) => "**missed**",
            (false, Severity::Warning) => "**warning**",
        }
    }
}

/// Every target's verdict. What was not measured is not reached.
pub(crate) fn verdicts(figures: &Figures) -> Vec<Verdict> {
    let verdict = |target: &Target| {
        let is = match target.against {
            Against::Function(other) => figures.ratio(target.figure, OURS, other),
            Against::Figure(other) => figures.excess(OURS, target.figure, other),
            Against::Times(other) => figures.times(OURS, target.figure, other),
            Against::Absolute => figures.summary(OURS, target.figure).map(|is| is.median),
        };
        let is_reached = is.is_some_and(|is| is <= target.most);
        Verdict { figure: target.figure, text: target.text, is_reached, severity: target.severity }
    };
    TARGETS.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::{EMPTY, Figure, Figures, NODE, OURS, verdicts};

    #[test]
    fn a_target_is_reached_by_ratio_and_missed_without_a_figure() {
        let mut figures = Figures::new(3);
        for (function, cold) in [(OURS, 2.0), (EMPTY, 0.4), (NODE, 100.0)] {
            figures.of(function).add(Figure::ColdText, cold);
        }
        figures.of(OURS).add(Figure::ColdHosted, 13.9);
        figures.of(OURS).add(Figure::SqsOne, 200.0);
        figures.of(OURS).add(Figure::SqsTen, 261.0);
        figures.of(OURS).add(Figure::SqsHundred, 2200.0);
        figures.of(OURS).add(Figure::Zip, 3.9);
        let reached: Vec<bool> =
            verdicts(&figures).iter().map(|verdict| verdict.is_reached).collect();
        let [text @ .., hosted, ten, hundred, kept_ten, kept_hundred, memory, zip] = &reached[..]
        else {
            panic!("there are fewer targets: {reached:?}");
        };
        assert_eq!(text, [true, false, false, false, false]);
        assert_eq!([hosted, ten, hundred, zip], [&true, &false, &true, &true]);
        assert_eq!([kept_ten, kept_hundred, memory], [&false; 3]);
    }

    #[test]
    fn zip_over_its_target_is_a_warning() {
        let zip = |megabytes| {
            let mut figures = Figures::new(3);
            figures.of(OURS).add(Figure::Zip, megabytes);
            let mut verdicts = verdicts(&figures);
            verdicts.retain(|verdict| verdict.figure == Figure::Zip);
            verdicts.pop().map(|verdict| (verdict.word(), verdict.is_failure()))
        };
        assert_eq!(zip(3.99), Some(("reached", false)));
        assert_eq!(zip(4.01), Some(("**warning**", false)));
    }

    #[test]
    fn any_other_missed_target_is_a_failure() {
        let verdicts = verdicts(&Figures::new(3));
        let failures = verdicts.iter().filter(|verdict| verdict.is_failure());
        assert!(failures.clone().all(|verdict| verdict.word() == "**missed**"));
        assert_eq!(failures.count(), verdicts.len() - 1);
    }
}
