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
