//! Computes the costs of calls, and looks up the price of each model once.

use std::sync::{Mutex, PoisonError};

use super::billing::Billing;
use super::cost::{Cost, cost_at};
use super::dates::now;
use super::{ModelPrices, PriceList, find_prices};
use crate::chat::Usage;

/// Maximum number of models whose prices are cached.
const MAX_CACHED: usize = 64;

/// The prices of one runner.
#[derive(Debug, Default)]
pub(crate) struct PriceBook {
    /// The prices that take precedence over the list prices.
    own: PriceList,
    cached: Mutex<Vec<CachedPrice>>,
}

/// The model of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CalledModel<'a> {
    pub(crate) provider: &'a str,
    pub(crate) requested: &'a str,
    /// The name in the response.
    pub(crate) answered: Option<&'a str>,
}

#[derive(Debug)]
struct CachedPrice {
    provider: String,
    requested: String,
    answered: Option<String>,
    prices: Option<ModelPrices>,
    /// Whether a server with other prices may have been called.
    is_other_server: bool,
}

impl PriceBook {
    /// Creates the prices of a runner. `own` take precedence over the list prices.
    pub(crate) fn new(own: PriceList) -> Self {
        PriceBook { own, cached: Mutex::default() }
    }

    /// Returns the prices that take precedence over the list prices.
    pub(crate) fn own(&self) -> &PriceList {
        &self.own
    }

    /// Computes what a call costs now. `is_default_server` returns whether the provider has its own
    /// base URL. It is called once for each model.
    pub(crate) fn cost_of_call(
        &self,
        model: CalledModel<'_>,
        usage: Usage,
        billing: &Billing,
        is_default_server: impl FnOnce() -> bool,
    ) -> Cost {
        if self.own.is_missing() {
            return Cost::UNKNOWN;
        }
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match cached.iter().position(|price| price.is_of(model)) {
            Some(index) => index,
            None => {
                if cached.len() >= MAX_CACHED {
                    cached.clear();
                }
                cached.push(CachedPrice::find(&self.own, model, is_default_server));
                cached.len() - 1
            }
        };
        let Some(price) = cached.get(index) else { return Cost::UNKNOWN };
        let mut cost = match price.prices {
            // A provider that counts no token at all does not count them.
            Some(prices) if usage != Usage::default() => cost_at(now(), prices, usage, billing),
            _ => Cost::UNKNOWN,
        };
        if price.is_other_server {
            cost.set_estimate();
        }
        cost
    }
}

impl CachedPrice {
    fn is_of(&self, model: CalledModel<'_>) -> bool {
        self.requested == model.requested
            && self.answered.as_deref() == model.answered
            && self.provider == model.provider
    }

    fn find(
        own: &PriceList,
        model: CalledModel<'_>,
        is_default_server: impl FnOnce() -> bool,
    ) -> Self {
        let CalledModel { provider, requested, answered } = model;
        CachedPrice {
            provider: provider.to_owned(),
            requested: requested.to_owned(),
            answered: answered.map(str::to_owned),
            prices: find_prices(own, provider, requested, answered),
            is_other_server: !own.includes(provider, requested) && !is_default_server(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Billing, CalledModel, MAX_CACHED, PriceBook, PriceList, Usage};
    use crate::ports::DocumentLocation;

    fn usage(input_tokens: u64) -> Usage {
        Usage { input_tokens, ..Usage::default() }
    }

    #[test]
    fn no_price_is_known_before_the_list_is_fetched() {
        let location = DocumentLocation::Url("https://a.example/prices.json".to_owned());
        let own = PriceList::stored_at(location);
        let book = PriceBook::new(own.clone());
        let model = CalledModel { provider: "openai", requested: "gpt-4o-mini", answered: None };
        let cost = || book.cost_of_call(model, usage(1_000_000), &Billing::default(), || true);
        assert!(own.is_missing() && !cost().is_known());
        own.set_content(r#"{"openai:gpt-4o-*": {"input": 7, "output": 1}}"#.parse().unwrap());
        assert_eq!(cost().usd().unwrap(), "7");
        own.set_content(PriceList::default());
        assert_eq!(cost().usd().unwrap(), "7");
    }

    #[test]
    fn the_price_of_a_model_is_looked_up_once() {
        let own: PriceList = r#"{"openai:mine": {"input": 1, "output": 1}}"#.parse().unwrap();
        let book = PriceBook::new(own);
        let look_ups = Cell::new(0);
        let cost = |requested: &str, answered: Option<&str>, tokens: u64| {
            let model = CalledModel { provider: "openai", requested, answered };
            book.cost_of_call(model, usage(tokens), &Billing::default(), || {
                look_ups.set(look_ups.get() + 1);
                false
            })
        };
        for (tokens, expected) in [(1_000_000, "0.15"), (2_000_000, "0.3")] {
            let found = cost("gpt-4o-mini", Some("gpt-4o-mini-2024-07-18"), tokens);
            assert_eq!((found.usd().unwrap().as_str(), found.is_estimate()), (expected, true));
        }
        assert_eq!(look_ups.get(), 1);
        assert_eq!(cost("gpt-4o-mini", Some("gpt-4o"), 1_000_000).usd().unwrap(), "2.5");
        assert!(!cost("gpt-99", None, 1).is_known() && !cost("gpt-4o", None, 0).is_known());
        // The operator's price applies to the server with the other base URL.
        let own = cost("mine", None, 1_000_000);
        assert_eq!((own.usd().unwrap().as_str(), own.is_estimate()), ("1", false));
        assert_eq!(look_ups.get(), 4);
        for number in 0..2 * MAX_CACHED {
            cost(&format!("gpt-{number}-x"), None, 1);
        }
        assert!(book.cached.lock().unwrap().len() <= MAX_CACHED);
    }
}
