//! The prices that the operator sets, which take precedence over the list prices.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::rows::{Parts, Price};
use crate::glob;
use crate::json::{self, quoted, shown};
use crate::ports::DocumentLocation;
use crate::providers::Providers;
use crate::request::suggestion;

/// The parts of a price. The first and the last are required.
const FIELDS: [&str; 4] = ["input", "cachedInput", "cacheWrite", "output"];
/// The number of units of the table in a dollar per million tokens.
const UNITS_PER_DOLLAR: f64 = 1e6;

/// Prices of models that the operator sets.
///
/// They are parsed from a JSON object, whose keys are patterns like those of
/// [`ModelPatterns`](crate::ModelPatterns) and whose values are US dollars per million tokens. The
/// first pattern that matches a model applies. A price without `cachedInput` or `cacheWrite` bills
/// these tokens as input.
///
/// ```
/// let prices: llm_exe::PriceList =
///     r#"{"azure:*": {"input": 2.5, "cachedInput": 1.25, "output": 10}}"#.parse()?;
/// # Ok::<(), llm_exe::InvalidPrices>(())
/// ```
#[derive(Debug, Clone)]
pub struct PriceList(Source);

/// The patterns with their prices.
type Entries = Vec<(String, Price)>;

/// Where the prices come from.
#[derive(Debug, Clone)]
enum Source {
    Inline(Entries),
    Stored(Arc<StoredEntries>),
}

/// Prices in a document, which is fetched when they are needed first.
#[derive(Debug)]
struct StoredEntries {
    location: DocumentLocation,
    fetched: OnceLock<Entries>,
}

impl Default for PriceList {
    fn default() -> Self {
        PriceList(Source::Inline(Vec::new()))
    }
}

/// The reason why prices are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPrices(String);

impl FromStr for PriceList {
    type Err = InvalidPrices;

    fn from_str(text: &str) -> Result<Self, InvalidPrices> {
        let written = json::parse_unique(text).map_err(|error| {
            let received = quoted(text);
            InvalidPrices(format!("expected a JSON object of prices, got {received}: {error}"))
        })?;
        let Value::Object(written) = written else {
            let text = format!("expected a JSON object of prices, got {}", shown(&written));
            return Err(InvalidPrices(text));
        };
        let mut prices = Vec::with_capacity(written.len());
        for (pattern, price) in written {
            if !pattern.contains(':') {
                let text = format!("expected a pattern such as azure:*, got {}", quoted(&pattern));
                return Err(InvalidPrices(text));
            }
            let Value::Object(price) = price else {
                let text = format!("{pattern}: expected {{input, output}}, got {}", shown(&price));
                return Err(InvalidPrices(text));
            };
            let price = read_price(&price)
                .map_err(|reason| InvalidPrices(format!("{pattern}: {reason}")))?;
            prices.push((pattern, price));
        }
        Ok(PriceList(Source::Inline(prices)))
    }
}

fn read_price(written: &Map<String, Value>) -> Result<Price, String> {
    if let Some(name) = written.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let hint = suggestion(name, &FIELDS);
        return Err(format!("unknown field {}{hint}", quoted(name)));
    }
    let [input, cached_input, cache_write, output] = FIELDS.map(|name| match written.get(name) {
        None => Ok(None),
        Some(value) => read_part(value).map(Some).map_err(|reason| format!("{name}: {reason}")),
    });
    let required = |part: Option<u32>, name: &str| part.ok_or_else(|| format!("{name}: missing"));
    let parts = Parts {
        input: required(input?, "input")?,
        cached_input: cached_input?.unwrap_or(u32::MAX),
        cache_write: cache_write?.unwrap_or(u32::MAX),
        cache_write_long: u32::MAX,
        output: required(output?, "output")?,
    };
    Ok(Price {
        model: 0,
        // The first factors of the table are those of a model without tiers of service.
        factors: 0,
        off_peak: u8::MAX,
        from: 0,
        data_date: 0,
        above: 0,
        parts,
    })
}

fn read_part(value: &Value) -> Result<u32, String> {
    let units = value.as_f64().map(|usd| (usd * UNITS_PER_DOLLAR).round());
    let units = units.filter(|units| (0.0..f64::from(u32::MAX)).contains(units));
    units.map(|units| units as u32).ok_or_else(|| {
        format!("expected US dollars per million tokens, from 0 to 4,000, got {}", shown(value))
    })
}

impl PriceList {
    /// Creates a list that is in a document. A runner with a document store fetches it when it
    /// computes the first cost. Until then, no price is known.
    pub fn stored_at(location: DocumentLocation) -> Self {
        PriceList(Source::Stored(Arc::new(StoredEntries { location, fetched: OnceLock::new() })))
    }

    /// Returns the document that contains the list.
    pub(crate) fn location(&self) -> Option<&DocumentLocation> {
        match &self.0 {
            Source::Inline(_) => None,
            Source::Stored(stored) => Some(&stored.location),
        }
    }

    /// Returns whether the list is in a document that has not been fetched yet.
    pub(crate) fn is_missing(&self) -> bool {
        match &self.0 {
            Source::Inline(_) => false,
            Source::Stored(stored) => stored.fetched.get().is_none(),
        }
    }

    /// Sets the content of a list that is in a document, for all its copies.
    pub(crate) fn set_content(&self, content: PriceList) {
        if let (Source::Stored(stored), Source::Inline(entries)) = (&self.0, content.0) {
            // Only the first fetch sets the content.
            let _ = stored.fetched.set(entries);
        }
    }

    fn entries(&self) -> &[(String, Price)] {
        match &self.0 {
            Source::Inline(entries) => entries,
            Source::Stored(stored) => stored.fetched.get().map_or(&[], Vec::as_slice),
        }
    }

    /// Checks that each pattern can match a model of one of the providers.
    ///
    /// # Errors
    /// [`InvalidPrices`] for the first pattern that can't.
    pub fn check_providers(&self, providers: &Providers) -> Result<(), InvalidPrices> {
        for (pattern, _) in self.entries() {
            providers.check_pattern(pattern).map_err(|hint| {
                InvalidPrices(format!("unknown provider in {}{hint}", quoted(pattern)))
            })?;
        }
        Ok(())
    }

    /// Returns whether the list has a price for a model.
    pub(crate) fn includes(&self, provider: &str, model: &str) -> bool {
        self.find(provider, model).is_some()
    }

    /// Finds the price of a model.
    pub(super) fn find(&self, provider: &str, model: &str) -> Option<&Price> {
        let entries = self.entries();
        if entries.is_empty() {
            return None;
        }
        let name = format!("{provider}:{model}");
        entries.iter().find(|(pattern, _)| glob::matches(pattern, &name)).map(|(_, price)| price)
    }
}
