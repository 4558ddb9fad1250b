//! Stores the measured samples of each function and summarizes them.

/// The index of the llm-exe function.
pub(crate) const LLM_EXE: usize = 0;
/// The index of the limit program (`limit.rs`).
pub(crate) const LIMIT: usize = 1;
/// The index of the Node function.
pub(crate) const NODE: usize = 2;
/// The index of the Node function whose code is bundled into one file.
pub(crate) const BUNDLED: usize = 3;

/// The index of the Node function that streams with npm `ai`.
pub(crate) const NPM_AI: usize = 4;

/// A measured quantity. Each figure is a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// The time from the start of the process to the first response, for the task with a text
    /// result.
    ColdText,
    /// The CPU time from the start of the process to the first response.
    ColdTextCpu,
    /// The duration of a warm invocation.
    WarmText,
    /// The CPU time of a warm invocation.
    WarmTextCpu,
    /// The peak resident memory after the warm invocations.
    MemoryText,
    /// The same five measurements as for text, for the task with `json` output and a schema.
    ColdJson,
    ColdJsonCpu,
    WarmJson,
    WarmJsonCpu,
    MemoryJson,
    /// The same cold start measurements as for text, with the prompt in S3 and the key in Parameter
    /// Store.
    ColdHosted,
    ColdHostedCpu,
    /// The durations of SQS events with one, ten and a hundred records while the provider is slow.
    SqsOne,
    SqsTen,
    SqsHundred,
    /// The durations of the same events when the function stores the results in S3, which is also
    /// slow.
    StoredOne,
    StoredTen,
    StoredHundred,
    /// The CPU times of ten sequential direct requests, of an event with ten records, and of an
    /// event with ten records whose results are stored.
    DirectTenCpu,
    SqsTenCpu,
    StoredTenCpu,
    /// The CPU time of a warm invocation of five turns with two tools.
    WarmToolsCpu,
    /// The CPU time of a warm invocation of a chain with ten steps.
    WarmChainCpu,
    /// The resident memory of a process after 1,000 and after 10,000 invocations.
    MemoryAfterFew,
    MemoryAfterMany,
    /// The instructions from the start of the process until it is idle after its first response, in
    /// thousands, for the task with a text result.
    ColdTextInstructions,
    /// The instructions of a warm invocation, in thousands.
    WarmTextInstructions,
    /// The allocations of a warm invocation.
    AllocationsText,
    /// The resident memory after 1,000 invocations.
    ResidentText,
    /// The same four measurements as for text, for the task with `json` output and a schema.
    ColdJsonInstructions,
    WarmJsonInstructions,
    AllocationsJson,
    ResidentJson,
    /// The instructions and allocations of a warm invocation of five turns with two tools, and the
    /// resident memory after 1,000 of them.
    WarmToolsInstructions,
    AllocationsTools,
    ResidentTools,
    /// The same three measurements for a chain with ten steps.
    WarmChainInstructions,
    AllocationsChain,
    ResidentChain,
    /// The peak memory of a process that handled one SQS event with 1,000 records.
    BatchMemory,
    /// The records per second of such events in one process.
    BatchRate,
    /// The CPU time of a record of such an event, in microseconds.
    BatchCpu,
    /// The time from the first byte of the provider's stream to the first byte of the function's
    /// stream.
    StreamFirstByte,
    /// The time until a plain client has the first byte of the same stream, measured in turns with
    /// the function.
    DirectFirstByte,
    /// The time from a provider's response that is not streamed to the first byte of the result.
    UnstreamedFirstByte,
    /// The events of a long stream per second of the process's CPU time.
    StreamCpuRate,
    /// The events of a long stream per second.
    StreamRate,
    /// The peak memory of a process that passed on long streams.
    StreamMemory,
    /// The unpacked size of the deployed files.
    Size,
    /// The zipped size of the deployed files.
    Zip,
}

/// A part of the benchmark. All parts except [`Part::Times`] can run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Times, CPU times and memory, compared with Node.
    Times,
    /// Instructions, allocations and memory, compared with the limit program.
    Instructions,
    /// Large SQS events.
    Throughput,
    /// Streams, compared with Node.
    Streaming,
    /// The growth of the CPU time with the size of the input.
    Growth,
    /// The sizes of the deployed files, which every run measures.
    Always,
}

impl Figure {
    /// All figures with their parts and their names in the table, in the order of its rows.
    pub(crate) const ALL: [(Figure, Part, &str); 50] = [
        (Figure::ColdText, Part::Times, "text: cold, ms"),
        (Figure::ColdTextCpu, Part::Times, "text: cold, ms of CPU"),
        (Figure::WarmText, Part::Times, "text: warm, ms"),
        (Figure::WarmTextCpu, Part::Times, "text: warm, ms of CPU"),
        (Figure::MemoryText, Part::Times, "text: peak memory, MB"),
        (Figure::ColdJson, Part::Times, "json: cold, ms"),
        (Figure::ColdJsonCpu, Part::Times, "json: cold, ms of CPU"),
        (Figure::WarmJson, Part::Times, "json: warm, ms"),
        (Figure::WarmJsonCpu, Part::Times, "json: warm, ms of CPU"),
        (Figure::MemoryJson, Part::Times, "json: peak memory, MB"),
        (Figure::ColdHosted, Part::Times, "hosted: cold, ms"),
        (Figure::ColdHostedCpu, Part::Times, "hosted: cold, ms of CPU"),
        (Figure::SqsOne, Part::Times, "1 record, ms"),
        (Figure::SqsTen, Part::Times, "10 records, ms"),
        (Figure::SqsHundred, Part::Times, "100 records, ms"),
        (Figure::StoredOne, Part::Times, "1 record, stored: ms"),
        (Figure::StoredTen, Part::Times, "10 records, stored: ms"),
        (Figure::StoredHundred, Part::Times, "100 records, stored: ms"),
        (Figure::DirectTenCpu, Part::Times, "10 direct, ms of CPU"),
        (Figure::SqsTenCpu, Part::Times, "10 records, ms of CPU"),
        (Figure::StoredTenCpu, Part::Times, "10 records, stored: ms of CPU"),
        (Figure::WarmToolsCpu, Part::Times, "tools: warm, ms of CPU"),
        (Figure::WarmChainCpu, Part::Times, "chain: warm, ms of CPU"),
        (Figure::MemoryAfterFew, Part::Times, "mixed: memory after 1,000, MB"),
        (Figure::MemoryAfterMany, Part::Times, "mixed: memory after 10,000, MB"),
        (Figure::ColdTextInstructions, Part::Instructions, "text: cold, thousand instructions"),
        (Figure::WarmTextInstructions, Part::Instructions, "text: warm, thousand instructions"),
        (Figure::AllocationsText, Part::Instructions, "text: warm, allocations"),
        (Figure::ResidentText, Part::Instructions, "text: memory after 1,000, MB"),
        (Figure::ColdJsonInstructions, Part::Instructions, "json: cold, thousand instructions"),
        (Figure::WarmJsonInstructions, Part::Instructions, "json: warm, thousand instructions"),
        (Figure::AllocationsJson, Part::Instructions, "json: warm, allocations"),
        (Figure::ResidentJson, Part::Instructions, "json: memory after 1,000, MB"),
        (Figure::WarmToolsInstructions, Part::Instructions, "tools: warm, thousand instructions"),
        (Figure::AllocationsTools, Part::Instructions, "tools: warm, allocations"),
        (Figure::ResidentTools, Part::Instructions, "tools: memory after 1,000, MB"),
        (Figure::WarmChainInstructions, Part::Instructions, "chain: warm, thousand instructions"),
        (Figure::AllocationsChain, Part::Instructions, "chain: warm, allocations"),
        (Figure::ResidentChain, Part::Instructions, "chain: memory after 1,000, MB"),
        (Figure::BatchMemory, Part::Throughput, "batch of 1,000: peak memory, MB"),
        (Figure::BatchRate, Part::Throughput, "batch of 1,000: records per second"),
        (Figure::BatchCpu, Part::Throughput, "batch of 1,000: µs of CPU per record"),
        (Figure::StreamFirstByte, Part::Streaming, "stream: from the provider's first byte, ms"),
        (Figure::DirectFirstByte, Part::Streaming, "stream: to a plain client, ms"),
        (Figure::UnstreamedFirstByte, Part::Streaming, "not streamed: reply to result, ms"),
        (Figure::StreamCpuRate, Part::Streaming, "stream of 20,000: events per second of CPU"),
        (Figure::StreamRate, Part::Streaming, "stream of 20,000: events per second"),
        (Figure::StreamMemory, Part::Streaming, "stream of 20,000: peak memory, MB"),
        (Figure::Size, Part::Always, "unpacked, MB"),
        (Figure::Zip, Part::Always, "zipped, MB"),
    ];

    /// Returns the figure of the text task that corresponds to a figure of the JSON task. Returns
    /// any other figure unchanged.
    fn text_counterpart(self) -> Figure {
        match self {
            Figure::ColdJson => Figure::ColdText,
            Figure::ColdJsonCpu => Figure::ColdTextCpu,
            Figure::WarmJson => Figure::WarmText,
            Figure::WarmJsonCpu => Figure::WarmTextCpu,
            Figure::MemoryJson => Figure::MemoryText,
            Figure::ColdJsonInstructions => Figure::ColdTextInstructions,
            Figure::WarmJsonInstructions => Figure::WarmTextInstructions,
            Figure::AllocationsJson => Figure::AllocationsText,
            Figure::ResidentJson => Figure::ResidentText,
            other => other,
        }
    }

    pub(crate) fn part(self) -> Part {
        Figure::ALL[self as usize].1
    }
}

/// The samples of one function, indexed by figure.
#[derive(Debug, Clone)]
pub(crate) struct Samples([Vec<f64>; Figure::ALL.len()]);

impl Default for Samples {
    fn default() -> Self {
        Samples(std::array::from_fn(|_| Vec::new()))
    }
}

impl Samples {
    pub(crate) fn add(&mut self, figure: Figure, sample: f64) {
        self.0[figure as usize].push(sample);
    }

    /// Returns the summary of a figure's samples, or `None` if the figure was not measured.
    pub(crate) fn summary(&self, figure: Figure) -> Option<Summary> {
        Summary::from_samples(self.0[figure as usize].clone())
    }
}

/// The median, minimum and maximum of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// Summarizes samples. Returns `None` if the list is empty.
    fn from_samples(mut samples: Vec<f64>) -> Option<Summary> {
        samples.sort_by(f64::total_cmp);
        let (min, max) = (*samples.first()?, *samples.last()?);
        let (low, high) = (samples[(samples.len() - 1) / 2], samples[samples.len() / 2]);
        Some(Summary { median: f64::midpoint(low, high), min, max })
    }
}

/// The samples of all functions.
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

    /// Returns whether any figure of a function was measured.
    pub(crate) fn is_measured(&self, function: usize) -> bool {
        let samples = self.0.get(function);
        samples.is_some_and(|Samples(all)| all.iter().any(|samples| !samples.is_empty()))
    }

    /// Returns a function's figure divided by the same figure of another function.
    pub(crate) fn ratio(&self, figure: Figure, function: usize, other: usize) -> Option<f64> {
        self.compare((function, figure), (other, figure), |value, base| value / base)
    }

    /// Returns a figure of a function divided by that of the limit program. The limit program has
    /// only text figures, so JSON is compared with its text.
    pub(crate) fn ratio_to_limit(&self, figure: Figure, function: usize) -> Option<f64> {
        let limit = (LIMIT, figure.text_counterpart());
        self.compare((function, figure), limit, |value, base| value / base)
    }

    /// Returns a figure divided by another figure of the same function.
    pub(crate) fn times(&self, function: usize, figure: Figure, other: Figure) -> Option<f64> {
        self.compare((function, figure), (function, other), |value, base| value / base)
    }

    /// Returns a figure minus another figure of the same function.
    pub(crate) fn excess(&self, function: usize, figure: Figure, other: Figure) -> Option<f64> {
        self.compare((function, figure), (function, other), |value, base| value - base)
    }

    /// Compares two figures in each round and returns the median of the comparisons. Changes in the
    /// machine's speed between rounds therefore do not matter.
    fn compare(
        &self,
        value: (usize, Figure),
        base: (usize, Figure),
        comparison: fn(f64, f64) -> f64,
    ) -> Option<f64> {
        let samples = |(function, figure): (usize, Figure)| {
            self.0.get(function).map(|Samples(all)| &all[figure as usize])
        };
        let pairs = samples(value)?.iter().zip(samples(base)?);
        let compared = pairs.map(|(value, base)| comparison(*value, *base)).collect();
        Summary::from_samples(compared).map(|summary| summary.median)
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Figures, LIMIT, LLM_EXE, Samples, Summary};

    #[test]
    fn summary_has_median_and_range() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(Figure::Zip), None);
        for sample in [9.0, 1.0, 4.0, 2.0] {
            samples.add(Figure::Zip, sample);
        }
        let expected = Summary { median: 3.0, min: 1.0, max: 9.0 };
        assert_eq!(samples.summary(Figure::Zip), Some(expected));
    }

    #[test]
    fn ratio_is_the_median_of_the_rounds() {
        let mut figures = Figures::new(2);
        let rounds = [(2.0, 8.0), (4.0, 16.0), (30.0, 10.0)];
        assert_eq!(figures.ratio(Figure::WarmText, 0, 1), None);
        for (first, second) in rounds {
            figures.of(0).add(Figure::WarmText, first);
            figures.of(1).add(Figure::WarmText, second);
        }
        assert_eq!(figures.ratio(Figure::WarmText, 0, 1), Some(0.25));
    }

    #[test]
    fn json_is_compared_with_the_text_of_the_limit_program() {
        let mut figures = Figures::new(2);
        let ratio =
            |figures: &Figures| figures.ratio_to_limit(Figure::ColdJsonInstructions, LLM_EXE);
        figures.of(LLM_EXE).add(Figure::ColdJsonInstructions, 900.0);
        assert_eq!(ratio(&figures), None);
        figures.of(LIMIT).add(Figure::ColdTextInstructions, 500.0);
        assert_eq!(ratio(&figures), Some(1.8));
    }

    #[test]
    fn times_is_the_median_of_the_rounds() {
        let mut figures = Figures::new(1);
        for (one, ten) in [(200.0, 210.0), (400.0, 440.0), (100.0, 300.0)] {
            figures.of(0).add(Figure::SqsOne, one);
            figures.of(0).add(Figure::SqsTen, ten);
        }
        assert_eq!(figures.times(0, Figure::SqsTen, Figure::SqsOne), Some(1.1));
    }

    #[test]
    fn excess_is_the_median_of_the_rounds() {
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
    fn figures_are_listed_in_the_order_of_their_values() {
        for (index, (figure, ..)) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(figure as usize, index);
        }
    }
}
