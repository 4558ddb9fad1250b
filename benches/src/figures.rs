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
    /// An SQS event of one record, of ten and of a hundred, behind a slow provider.
    SqsOne,
    SqsTen,
    SqsHundred,
    /// The same, with every result kept in a slow S3.
    KeptOne,
    KeptTen,
    KeptHundred,
    /// CPU of ten direct requests one after the other, and of ten records in one event, without
    /// and with their results kept.
    DirectTenCpu,
    SqsTenCpu,
    KeptTenCpu,
    /// Memory that is resident after so many invocations of all sorts.
    MemoryAfterFew,
    MemoryAfterMany,
    /// What is deployed, unpacked.
    Size,
    /// What is deployed, zipped.
    Zip,
}

impl Figure {
    /// Every figure, in the table's order, with the table's name for it.
    pub(crate) const ALL: [(Figure, &str); 25] = [
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
        (Figure::SqsOne, "1 record, ms"),
        (Figure::SqsTen, "10 records, ms"),
        (Figure::SqsHundred, "100 records, ms"),
        (Figure::KeptOne, "1 record, kept: ms"),
        (Figure::KeptTen, "10 records, kept: ms"),
        (Figure::KeptHundred, "100 records, kept: ms"),
        (Figure::DirectTenCpu, "10 direct, ms of CPU"),
        (Figure::SqsTenCpu, "10 records, ms of CPU"),
        (Figure::KeptTenCpu, "10 records, kept: ms of CPU"),
        (Figure::MemoryAfterFew, "memory after 1,000, MB"),
        (Figure::MemoryAfterMany, "memory after 10,000, MB"),
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

    /// How many times the second function's figure the first one's is.
    pub(crate) fn ratio(&self, figure: Figure, of: usize, to: usize) -> Option<f64> {
        self.compared((of, figure), (to, figure), |of, to| of / to)
    }

    /// How many times another figure of the same function a figure is.
    pub(crate) fn times(&self, function: usize, figure: Figure, of: Figure) -> Option<f64> {
        self.compared((function, figure), (function, of), |is, of| is / of)
    }

    /// How much more a figure is than another one of the same function.
    pub(crate) fn excess(&self, function: usize, figure: Figure, over: Figure) -> Option<f64> {
        self.compared((function, figure), (function, over), |is, over| is - over)
    }

    /// The median over the rounds, each compared within itself, so that a machine that drifts
    /// skews nothing.
    fn compared(
        &self,
        is: (usize, Figure),
        with: (usize, Figure),
        how: fn(f64, f64) -> f64,
    ) -> Option<f64> {
        let samples = |(function, figure): (usize, Figure)| {
            self.0.get(function).map(|Samples(all)| &all[figure as usize])
        };
        let pairs = samples(is)?.iter().zip(samples(with)?);
        let compared = Summary::of(pairs.map(|(is, with)| how(*is, *with)).collect());
        compared.map(|compared| compared.median)
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
    fn a_figure_is_so_many_times_another_of_the_same_round() {
        let mut figures = Figures::new(1);
        for (one, ten) in [(200.0, 210.0), (400.0, 440.0), (100.0, 300.0)] {
            figures.of(0).add(Figure::SqsOne, one);
            figures.of(0).add(Figure::SqsTen, ten);
        }
        assert_eq!(figures.times(0, Figure::SqsTen, Figure::SqsOne), Some(1.1));
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
