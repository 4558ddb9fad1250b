//! Defines the targets and checks whether they are reached. Most targets limit a ratio of two
//! figures of the same run, because absolute times depend on the machine.

use crate::figures::{Figure, Figures, LLM_EXE, NODE, Part};

/// What a figure is compared with, and which value the limit applies to.
#[derive(Debug, Clone, Copy)]
enum Against {
    /// The same figure of Node. The limit applies to the ratio of the two values.
    Node,
    /// The same figure of the limit program. The limit applies to the ratio of the two values.
    Limit,
    /// Another figure of the same function. The limit applies to the difference of the two values.
    Figure(Figure),
    /// Another figure of the same function. The limit applies to the ratio of the two values.
    Times(Figure),
    /// The figure is not compared. The limit applies to its value.
    Absolute,
    /// The figure is not compared. The limit is the minimum of its highest value, because a busy
    /// machine can only lower it.
    AtLeast,
}

/// A target, which limits a figure of llm-exe.
#[derive(Debug)]
struct Target {
    figure: Figure,
    against: Against,
    limit: f64,
    /// The text that shows the target in the table.
    text: &'static str,
}

const TARGETS: &[Target] = &[
    target(Figure::ColdText, Against::Node, 1.0 / 50.0, "1/50 of Node"),
    target(Figure::WarmTextCpu, Against::Node, 1.0 / 12.0, "1/12 of Node"),
    target(Figure::MemoryText, Against::Node, 1.0 / 15.0, "1/15 of Node"),
    target(Figure::MemoryJson, Against::Node, 1.0 / 15.0, "1/15 of Node"),
    target(Figure::ColdHosted, Against::Figure(Figure::ColdText), 12.0, "12 ms"),
    target(Figure::SqsTen, Against::Times(Figure::SqsOne), 1.3, "1.3 times 1"),
    target(Figure::SqsHundred, Against::Times(Figure::SqsOne), 11.0, "11 times 1"),
    target(Figure::StoredTen, Against::Times(Figure::StoredOne), 1.3, "1.3 times 1"),
    target(Figure::StoredHundred, Against::Times(Figure::StoredOne), 11.0, "11 times 1"),
    target(Figure::WarmToolsCpu, Against::Times(Figure::WarmTextCpu), 6.0, "6 times text"),
    target(Figure::WarmChainCpu, Against::Times(Figure::WarmTextCpu), 11.0, "11 times text"),
    target(Figure::MemoryAfterMany, Against::Times(Figure::MemoryAfterFew), 1.1, "1.1 times 1,000"),
    target(Figure::ColdTextInstructions, Against::Limit, 1.35, "1.35 times limit"),
    target(Figure::WarmTextInstructions, Against::Limit, 1.5, "1.5 times limit"),
    target(Figure::AllocationsText, Against::Absolute, 150.0, "150"),
    target(Figure::ResidentText, Against::Limit, 2.0, "2 times limit"),
    target(
        Figure::WarmChainInstructions,
        Against::Times(Figure::WarmTextInstructions),
        11.0,
        "11 times text",
    ),
    target(Figure::ColdJsonInstructions, Against::Limit, 1.9, "1.9 times limit"),
    target(Figure::WarmJsonInstructions, Against::Limit, 3.0, "3 times limit"),
    target(Figure::ResidentJson, Against::Limit, 2.1, "2.1 times limit"),
    target(Figure::BatchMemory, Against::Absolute, 15.0, "15 MB"),
    target(Figure::BatchRate, Against::AtLeast, 10_000.0, "at least 10,000"),
    target(
        Figure::StreamFirstByte,
        Against::Figure(Figure::DirectFirstByte),
        1.0,
        "1 ms over the plain client",
    ),
    target(Figure::StreamCpuRate, Against::AtLeast, 10_000.0, "at least 10,000"),
    target(Figure::Zip, Against::Absolute, 2.75, "2.75 MB"),
];

const fn target(figure: Figure, against: Against, limit: f64, text: &'static str) -> Target {
    Target { figure, against, limit, text }
}

/// Whether a target is reached, and how the table shows it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) figure: Figure,
    pub(crate) text: &'static str,
    pub(crate) is_reached: bool,
}

impl Verdict {
    /// Returns the word that shows the verdict in the table.
    pub(crate) fn word(&self) -> &'static str {
        if self.is_reached { "reached" } else { "**missed**" }
    }
}

/// Returns the verdicts on all targets in the parts that were run. A target counts as missed if its
/// figure was not measured.
pub(crate) fn verdicts(figures: &Figures, parts: &[Part]) -> Vec<Verdict> {
    let verdict = |target: &Target| {
        let value = match target.against {
            Against::Node => figures.ratio(target.figure, LLM_EXE, NODE),
            Against::Limit => figures.ratio_to_limit(target.figure, LLM_EXE),
            Against::Figure(other) => figures.excess(LLM_EXE, target.figure, other),
            Against::Times(other) => figures.times(LLM_EXE, target.figure, other),
            Against::Absolute => {
                figures.summary(LLM_EXE, target.figure).map(|summary| summary.median)
            }
            Against::AtLeast => figures.summary(LLM_EXE, target.figure).map(|summary| summary.max),
        };
        let is_reached = value.is_some_and(|value| match target.against {
            Against::AtLeast => value >= target.limit,
            _ => value <= target.limit,
        });
        Verdict { figure: target.figure, text: target.text, is_reached }
    };
    let is_run = |figure: Figure| figure.part() == Part::Always || parts.contains(&figure.part());
    TARGETS.iter().filter(|target| is_run(target.figure)).map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::{Figure, Figures, LLM_EXE, NODE, Part, verdicts};
    use crate::figures::LIMIT;

    /// Returns the figures whose targets are reached, of the parts that were run.
    fn reached(figures: &Figures, parts: &[Part]) -> Vec<Figure> {
        let verdicts = verdicts(figures, parts).into_iter();
        verdicts.filter(|verdict| verdict.is_reached).map(|verdict| verdict.figure).collect()
    }

    #[test]
    fn target_without_a_measurement_is_missed() {
        let parts = [Part::Times, Part::Instructions, Part::Throughput, Part::Streaming];
        assert_eq!(reached(&Figures::new(4), &parts), []);
    }

    #[test]
    fn target_compares_with_what_it_names() {
        let mut figures = Figures::new(4);
        let mut add = |function: usize, samples: &[(Figure, f64)]| {
            for (figure, sample) in samples {
                figures.of(function).add(*figure, *sample);
            }
        };
        add(NODE, &[(Figure::ColdText, 100.0), (Figure::WarmTextCpu, 12.0)]);
        add(LIMIT, &[(Figure::ColdTextInstructions, 500.0), (Figure::ResidentText, 3.0)]);
        add(LLM_EXE, &[(Figure::ColdText, 2.0), (Figure::WarmTextCpu, 1.1)]);
        add(LLM_EXE, &[(Figure::ColdHosted, 13.9), (Figure::SqsOne, 200.0)]);
        add(LLM_EXE, &[(Figure::SqsTen, 261.0), (Figure::SqsHundred, 2200.0)]);
        add(LLM_EXE, &[(Figure::ColdTextInstructions, 670.0)]);
        add(LLM_EXE, &[(Figure::ColdJsonInstructions, 960.0)]);
        add(LLM_EXE, &[(Figure::AllocationsText, 150.0), (Figure::ResidentText, 6.1)]);
        add(LLM_EXE, &[(Figure::Zip, 2.74)]);
        let times = [Figure::ColdText, Figure::ColdHosted, Figure::SqsHundred];
        assert_eq!(reached(&figures, &[Part::Times]), [&times[..], &[Figure::Zip]].concat());
        let expected = [Figure::ColdTextInstructions, Figure::AllocationsText, Figure::Zip];
        assert_eq!(reached(&figures, &[Part::Instructions]), expected);
    }

    #[test]
    fn minimum_is_a_lower_limit_for_the_best_round() {
        let reaches = |rate: f64| {
            let mut figures = Figures::new(4);
            figures.of(LLM_EXE).add(Figure::BatchRate, rate);
            figures.of(LLM_EXE).add(Figure::BatchRate, 5_000.0);
            reached(&figures, &[Part::Throughput]) == [Figure::BatchRate]
        };
        assert_eq!([9_999.0, 10_000.0, 12_000.0].map(reaches), [false, true, true]);
    }

    #[test]
    fn first_byte_of_a_stream_is_compared_with_a_plain_client() {
        let reaches = |first_byte: f64| {
            let mut figures = Figures::new(4);
            figures.of(LLM_EXE).add(Figure::StreamFirstByte, first_byte);
            figures.of(LLM_EXE).add(Figure::DirectFirstByte, 0.25);
            reached(&figures, &[Part::Streaming]) == [Figure::StreamFirstByte]
        };
        assert_eq!([1.25, 1.5].map(reaches), [true, false]);
    }

    #[test]
    fn parts_that_were_not_run_have_no_verdicts() {
        let verdicts = verdicts(&Figures::new(4), &[Part::Instructions]);
        assert!(verdicts.iter().all(|verdict| verdict.figure.part() != Part::Times));
        assert!(verdicts.iter().any(|verdict| verdict.figure == Figure::Zip));
    }
}
