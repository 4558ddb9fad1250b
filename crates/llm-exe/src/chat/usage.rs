//! The token counts of a reply.

use serde::Serialize;

/// Token counts that do not overlap. `total_tokens` is the sum of the other fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
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
    use super::Usage;

    #[test]
    fn sums_do_not_overflow() {
        let counts = Usage { input_tokens: u64::MAX, output_tokens: 1, ..Usage::default() };
        let mut usage = counts.with_total();
        assert_eq!(usage.total_tokens, u64::MAX);
        usage.add(usage);
        assert_eq!((usage.input_tokens, usage.output_tokens), (u64::MAX, 2));
    }
}
