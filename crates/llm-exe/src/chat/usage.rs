//! The token counts of a reply.

use serde::{Deserialize, Serialize};

/// Token counts that do not overlap. `total_tokens` is the sum of the other fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Output tokens. Reasoning tokens are excluded if the provider reports them separately.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cached_input_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_write_tokens: u64,
    /// Reasoning tokens, or zero if the provider does not report them separately.
    pub reasoning_tokens: u64,
    /// The sum of the other fields.
    pub total_tokens: u64,
}

/// Token counts in which some counts are part of others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportedCounts {
    /// All prompt tokens.
    pub(crate) prompt: u64,
    /// The output tokens, with or without the reasoning tokens.
    pub(crate) completion: u64,
    /// The prompt tokens read from a cache.
    pub(crate) cached: u64,
    /// The prompt tokens written to a cache.
    pub(crate) cache_write: u64,
    /// The reasoning tokens, or zero if they are not reported.
    pub(crate) reasoning: u64,
    /// All tokens, if this count is reported.
    pub(crate) total: Option<u64>,
}

/// Splits `whole` into a part of at most `part` and the rest.
fn split(whole: u64, part: u64) -> (u64, u64) {
    let part = part.min(whole);
    (part, whole - part)
}

impl Usage {
    /// Sets `total_tokens` to the sum of the other fields.
    #[must_use]
    pub fn with_total(mut self) -> Self {
        let counts = [
            self.output_tokens,
            self.cached_input_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        ];
        // The counts are data of the provider, so their sum may not fit.
        self.total_tokens = counts.into_iter().fold(self.input_tokens, u64::saturating_add);
        self
    }

    /// Returns the counts that were added since an earlier sum.
    pub(crate) fn since(self, earlier: Usage) -> Self {
        let usage = Usage {
            input_tokens: self.input_tokens.saturating_sub(earlier.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(earlier.output_tokens),
            cached_input_tokens: self
                .cached_input_tokens
                .saturating_sub(earlier.cached_input_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_sub(earlier.cache_write_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_sub(earlier.reasoning_tokens),
            total_tokens: 0,
        };
        usage.with_total()
    }

    /// Splits the counts of a provider so that each token is counted once.
    pub(crate) fn from_reported(counts: &ReportedCounts) -> Self {
        let ReportedCounts { prompt, completion, cached, cache_write, reasoning, total } = *counts;
        let (cached, prompt) = split(prompt, cached);
        let (cache_write, input) = split(prompt, cache_write);
        let reported = counts.prompt.saturating_add(completion);
        let unexplained = total.and_then(|total| total.checked_sub(reported));
        // Some providers count reasoning as part of the completion, and some in addition to it.
        // The total shows which.
        let (reasoning, output) = match unexplained {
            Some(rest) if rest >= reasoning => (rest, completion),
            rest => {
                let (reasoning, output) = split(completion, reasoning);
                (reasoning.saturating_add(rest.unwrap_or(0)), output)
            }
        };
        Usage {
            input_tokens: input,
            output_tokens: output,
            cached_input_tokens: cached,
            cache_write_tokens: cache_write,
            reasoning_tokens: reasoning,
            total_tokens: 0,
        }
        .with_total()
    }

    /// Adds the token counts of another call to these counts.
    pub fn add(&mut self, other: Usage) {
        for (count, more) in [
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.cached_input_tokens, other.cached_input_tokens),
            (&mut self.cache_write_tokens, other.cache_write_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.total_tokens, other.total_tokens),
        ] {
            *count = count.saturating_add(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ReportedCounts, Usage};

    #[test]
    fn each_token_is_counted_once() {
        let counts = |prompt, completion, cached, reasoning, total| ReportedCounts {
            prompt,
            completion,
            cached,
            cache_write: 0,
            reasoning,
            total,
        };
        for (counts, expected) in [
            // Input, output, cached and reasoning tokens.
            (counts(10, 5, 4, 3, None), [6, 2, 4, 3]),
            (counts(10, 5, 4, 3, Some(15)), [6, 2, 4, 3]),
            // Hidden reasoning.
            (counts(10, 37, 0, 0, Some(109)), [10, 37, 0, 62]),
            // Reasoning in addition to the completion.
            (counts(32, 2, 0, 320, Some(354)), [32, 2, 0, 320]),
            (counts(32, 2, 0, 320, Some(360)), [32, 2, 0, 326]),
            // Counts that exceed the count of which they are a part.
            (counts(10, 2, 20, 0, Some(12)), [0, 2, 10, 0]),
            (counts(10, 2, 0, 9, Some(12)), [10, 0, 0, 2]),
            (counts(10, 8, 0, 5, Some(20)), [10, 3, 0, 7]),
            // A total that is too low is ignored.
            (counts(10, 5, 0, 0, Some(7)), [10, 5, 0, 0]),
            (counts(u64::MAX, u64::MAX, 1, 1, Some(0)), [u64::MAX - 1, u64::MAX - 1, 1, 1]),
        ] {
            let usage = Usage::from_reported(&counts);
            let fields = [
                usage.input_tokens,
                usage.output_tokens,
                usage.cached_input_tokens,
                usage.reasoning_tokens,
            ];
            assert_eq!(fields, expected, "{counts:?}");
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        let counts = Usage { input_tokens: u64::MAX, output_tokens: 1, ..Usage::default() };
        let mut usage = counts.with_total();
        assert_eq!(usage.total_tokens, u64::MAX);
        usage.add(usage);
        assert_eq!((usage.input_tokens, usage.output_tokens), (u64::MAX, 2));
    }
}
