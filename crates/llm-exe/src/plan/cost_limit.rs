//! Validates `options.maxCost`. A cost can be limited only if all prices are known.

use super::problems::Problems;
use super::target::Target;
use crate::json;
use crate::providers::{PriceList, highest_prices};
use crate::request::Request;

/// Returns the maximum cost of a request in US dollars.
pub(super) fn check_max_cost(request: &Request, problems: &mut Problems) -> Option<f64> {
    for (index, fallback) in request.fallbacks.iter().flatten().enumerate() {
        let options = fallback.as_ref().and_then(|fallback| fallback.options.as_ref());
        if options.is_some_and(|options| options.max_cost.is_some()) {
            let text = "limits the whole request; set it in the options of the request";
            problems.add(format!("fallbacks[{index}].options.maxCost"), text);
        }
    }
    let max_cost = request.options.as_ref()?.max_cost?;
    if max_cost > 0.0 && max_cost.is_finite() {
        return Some(max_cost);
    }
    let text = format!("expected US dollars above 0, such as 0.05, got {max_cost}");
    problems.add("options.maxCost", text);
    None
}

/// Adds a problem for a target whose price is not known.
pub(super) fn check_price(
    path: String,
    target: &Target,
    prices: &PriceList,
    problems: &mut Problems,
) {
    let provider = target.provider.name();
    if highest_prices(prices, provider, &target.model, 0).is_none() {
        let model = json::quoted(&target.model);
        let text = format!(
            "options.maxCost needs the price of each model, but that of {model} of {provider} is \
             not known; add it to the setting PRICES"
        );
        problems.add(path, text);
    }
}
