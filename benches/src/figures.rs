//! What was measured: samples by function and figure, and what is said of them.

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// From before the process is started until its first answer is there.
    ColdText,
    /// CPU that the process has used by then.
    ColdTextCpu,
    /// From the event handed out until the answer is there.
    WarmText,
    /// CPU of an invocation.
    WarmTextCpu,
    /// The most memory that was resident, after the warm invocations.
    MemoryText,
    /// As for text, but for a `json` output with a schema; so are the next four.
    ColdJson,
    ColdJsonCpu,
    WarmJson,
    WarmJsonCpu,
    MemoryJson,
    /// As for text, but with the prompt in S3 and the key in Parameter Store; so is the next.
    ColdHosted,
    ColdHostedCpu,
    /// What is deployed, unpacked.
    Size,
    /// What is deployed, zipped.
    Zip,
}

impl Figure {
    /// Every figure, in the table's order, with the table's name for it.
    pub(crate) const ALL: [(Figure, &str); 14] = [
        (Figure::ColdText, "text: cold, ms"),
        (Figure::ColdTextCpu, "text: cold, ms of CPU"),
        (Figure::WarmText, "text: warm, ms"),
        (Figure::WarmTextCpu, "text: warm, ms of CPU"),
        (Figure::MemoryText, "text: peak memory, MB"),
        (Figure::ColdJson, "json: cold, ms"),
        (Figure::ColdJsonCpu, "json: cold, ms of CPU"),
        (Figure::WarmJson, "json: warm, ms"),
        (Figure::WarmJsonCpu, "json: warm, ms of CPU"),
        (Figure::MemoryJson, "json: peak memory, MB"),
        (Figure::ColdHosted, "hosted: cold, ms"),
        (Figure::ColdHostedCpu, "hosted: cold, ms of CPU"),
        (Figure::Size, "unpacked, MB"),
        (Figure::Zip, "zipped, MB"),
    ];
}

/// The samples of one function, by figure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples([Vec<f64>; Figure::ALL.len()]);

impl Samples {
    pub(crate) fn add(&mut self, figure: Figure, sample: f64) {
        self.0[figure as usize].push(sample);
    }

    /// `None` where nothing was measured.
    pub(crate) fn summary(&self, figure: Figure) -> Option<Summary> {
        Summary::of(self.0[figure as usize].clone())
    }
}

/// Samples in three numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// `None` where there is no sample.
    fn of(mut samples: Vec<f64>) -> Option<Summary> {
        samples.sort_by(f64::total_cmp);
        let (min, max) = (*samples.first()?, *samples.last()?);
        let (low, high) = (samples[(samples.len() - 1) / 2], samples[samples.len() / 2]);
        Some(Summary { median: f64::midpoint(low, high), min, max })
    }
}

/// The samples of every function.
#[derive(Debug)]
pub(crate) struct Figures(Vec<Samples>);

impl Figures {
    pub(crate) fn new(functions: usize) -> Self {
        Figures(vec![Samples::default(); functions])
    }

    pub(crate) fn of(&mut self, function: usize) -> &mut Samples {
        &mut self.0[function]
    }

    pub(crate) fn summary(&self, function: usize, figure: Figure) -> Option<Summary> {
        self.0.get(function)?.summary(figure)
    }

    /// How many times the second function's figure the first one's is: the median over the
    /// rounds, each compared within itself, so that a machine that drifts skews nothing.
    pub(crate) fn ratio(&self, figure: Figure, of: usize, to: usize) -> Option<f64> {
        let samples = |function: usize| self.0.get(function).map(|all| &all.0[figure as usize]);
        let pairs = samples(of)?.iter().zip(samples(to)?);
        Summary::of(pairs.map(|(of, to)| of / to).collect()).map(|ratios| ratios.median)
    }

    /// How much more a figure is than another one of the same function: the median over the
    /// rounds, as with ratios.
    pub(crate) fn excess(&self, function: usize, figure: Figure, over: Figure) -> Option<f64> {
        let Samples(all) = self.0.get(function)?;
        let pairs = all[figure as usize].iter().zip(&all[over as usize]);
        Summary::of(pairs.map(|(is, over)| is - over).collect()).map(|excess| excess.median)
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Figures, Samples, Summary};

    #[test]
    fn a_summary_is_of_the_sorted_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(Figure::Zip), None);
        for sample in [9.0, 1.0, 4.0, 2.0] {
            samples.add(Figure::Zip, sample);
        }
        let expected = Summary { median: 3.0, min: 1.0, max: 9.0 };
        assert_eq!(samples.summary(Figure::Zip), Some(expected));
    }

    #[test]
    fn a_ratio_is_of_each_round_within_itself() {
        let mut figures = Figures::new(2);
        let rounds = [(2.0, 8.0), (4.0, 16.0), (30.0, 10.0)];
        assert_eq!(figures.ratio(Figure::WarmText, 0, 1), None);
        for (ours, theirs) in rounds {
            figures.of(0).add(Figure::WarmText, ours);
            figures.of(1).add(Figure::WarmText, theirs);
        }
        assert_eq!(figures.ratio(Figure::WarmText, 0, 1), Some(0.25));
    }

    #[test]
    fn an_excess_is_of_each_round_within_itself() {
        let mut figures = Figures::new(1);
        let excess = |figures: &Figures| figures.excess(0, Figure::ColdHosted, Figure::ColdText);
        assert_eq!(excess(&figures), None);
        for (hosted, text) in [(9.0, 2.0), (30.0, 29.0), (10.0, 4.0)] {
            figures.of(0).add(Figure::ColdHosted, hosted);
            figures.of(0).add(Figure::ColdText, text);
        }
        assert_eq!(excess(&figures), Some(6.0));
    }

    #[test]
    fn every_figure_has_its_own_place() {
        for (index, (figure, _)) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(figure as usize, index);
        }
    }
}
