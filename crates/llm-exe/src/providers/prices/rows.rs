//! The types of the rows in the price table.

/// A price of a model for prompts with more than `above` tokens, until the date of its next price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price {
    /// The index of the model's name.
    pub(super) model: u16,
    /// The index of the factors for tiers of service.
    pub(super) factors: u8,
    /// The index of the hours with a lower price.
    pub(super) off_peak: u8,
    /// The date from which the price holds, such as 20261201, or 0 if it is not known.
    pub(super) from: u32,
    /// The date of the data, such as 20261120.
    pub(super) data_date: u32,
    pub(super) above: u32,
    pub(super) parts: Parts,
}

/// The parts of a price in trillionths of a dollar per token, or `u32::MAX` for a part without a
/// price of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) input: u32,
    pub(super) cached_input: u32,
    /// The price of writing to a cache, for its shortest lifetime.
    pub(super) cache_write: u32,
    /// The price of writing to a cache that lives for an hour or longer.
    pub(super) cache_write_long: u32,
    pub(super) output: u32,
}

/// The factors of a price in percent, or 0 if a factor is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    pub(super) batch: u16,
    pub(super) flex: u16,
    pub(super) priority: u16,
    pub(super) ultrafast: u16,
    pub(super) fast: u16,
    /// The factor for inference that takes place only in the United States.
    pub(super) us: u16,
}

/// A lower price at some hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct OffPeak {
    pub(super) percent: u16,
    /// The hours in UTC from Monday to Friday, as bits. On other days, the price always holds.
    pub(super) hours: u32,
}

/// Creates a row of the generated table. `parts` are in the order of the fields of [`Parts`].
pub(super) const fn row(
    model: u16,
    factors: u8,
    off_peak: u8,
    from: u32,
    data_date: u32,
    above: u32,
    parts: [u32; 5],
) -> Price {
    let [input, cached_input, cache_write, cache_write_long, output] = parts;
    let parts = Parts { input, cached_input, cache_write, cache_write_long, output };
    Price { model, factors, off_peak, from, data_date, above, parts }
}
