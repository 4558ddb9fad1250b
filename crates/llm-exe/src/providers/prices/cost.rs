//! Computes what calls cost.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::billing::Billing;
use super::dates::{date_of, format_date, now, working_hour, write_date};
use super::rows::{Factors, Parts, Price};
use super::table::{FACTORS, OFF_PEAKS};
use super::{ModelPrices, PriceList, find_prices};
use crate::chat::Usage;
use crate::json::parse_number;

/// What calls cost, by the list prices of the provider. The amounts are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// The amounts in 10^-18 dollars.
    amounts: Amounts,
    /// The date of the newest price, such as 20261201, or 0 without a price.
    price_date: u32,
    is_estimate: bool,
    /// Whether the price of a call is not known.
    is_unknown: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amounts {
    input: u128,
    cached_input: u128,
    cache_write: u128,
    output: u128,
}

/// Amounts are stored as text, because a JSON value stores integers of this size only with the
/// feature `exact-numbers`.
impl Serialize for Amounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Amounts { input, cached_input, cache_write, output } = self;
        serializer.collect_str(&format_args!("{input} {cached_input} {cache_write} {output}"))
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut amounts = text.split(' ').map(str::parse);
        let mut next = || {
            let amount = amounts.next().and_then(Result::ok);
            amount.ok_or_else(|| D::Error::custom("expected four amounts"))
        };
        let (input, cached_input) = (next()?, next()?);
        Ok(Amounts { input, cached_input, cache_write: next()?, output: next()? })
    }
}

impl Amounts {
    fn total(&self) -> u128 {
        let parts = [self.cached_input, self.cache_write, self.output];
        parts.into_iter().fold(self.input, u128::saturating_add)
    }
}

impl Cost {
    /// The cost of a call whose price is not known.
    pub(crate) const UNKNOWN: Cost = Cost {
        amounts: Amounts { input: 0, cached_input: 0, cache_write: 0, output: 0 },
        price_date: 0,
        is_estimate: false,
        is_unknown: true,
    };

    /// Returns the total in US dollars as a decimal number, or `None` if the price of a call is not
    /// known.
    pub fn usd(&self) -> Option<String> {
        (!self.is_unknown).then(|| format_dollars(self.amounts.total()))
    }

    /// Returns whether the price of every call is known.
    pub fn is_known(&self) -> bool {
        !self.is_unknown
    }

    /// Returns the total in 10^-18 dollars, or `None` if the price of a call is not known.
    pub(crate) fn total(&self) -> Option<u128> {
        (!self.is_unknown).then(|| self.amounts.total())
    }

    /// Returns whether the cost can differ from the bill: if it depends on something that the
    /// responses do not state, if a call that was sent has no readable response, or if the base
    /// URL is not the provider's own.
    pub fn is_estimate(&self) -> bool {
        self.is_estimate
    }

    /// Adds the cost of other calls. The sum is unknown if one of them is.
    pub fn add(&mut self, other: &Cost) {
        let amounts = &mut self.amounts;
        for (amount, more) in [
            (&mut amounts.input, other.amounts.input),
            (&mut amounts.cached_input, other.amounts.cached_input),
            (&mut amounts.cache_write, other.amounts.cache_write),
            (&mut amounts.output, other.amounts.output),
        ] {
            *amount = amount.saturating_add(more);
        }
        self.price_date = self.price_date.max(other.price_date);
        self.is_estimate |= other.is_estimate;
        self.is_unknown |= other.is_unknown;
    }

    /// Returns the cost in US dollars of the calls that were added since an earlier sum, or `None`
    /// if it is not known.
    pub(crate) fn usd_since(&self, earlier: Option<&Cost>) -> Option<String> {
        let before = earlier.map_or(Some(0), Cost::total)?;
        Some(format_dollars(self.total()?.saturating_sub(before)))
    }

    /// Marks the cost as an estimate, because it can lack a call, or because the server can have
    /// other prices.
    pub(crate) fn set_estimate(&mut self) {
        self.is_estimate = true;
    }

    /// Writes the text of [`Cost::to_json`], with all digits of the amounts.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Amounts { input, cached_input, cache_write, output } = self.amounts;
        for (name, amount) in [
            ("{\"usd\":", self.amounts.total()),
            (",\"input\":", input),
            (",\"cachedInput\":", cached_input),
            (",\"cacheWrite\":", cache_write),
            (",\"output\":", output),
        ] {
            out.extend_from_slice(name.as_bytes());
            match self.is_unknown {
                true => out.extend_from_slice(b"null"),
                false => write_dollars(out, amount),
            }
        }
        out.extend_from_slice(b",\"priceDate\":");
        if self.price_date > 0 && !self.is_unknown {
            out.push(b'"');
            write_date(out, self.price_date);
            out.push(b'"');
        } else {
            out.extend_from_slice(b"null");
        }
        out.extend_from_slice(if self.is_estimate { b",\"estimate\":true}" } else { b"}" });
    }

    /// Writes the total in US dollars as a decimal number, or `null` if the price of a call is not
    /// known.
    pub fn write_usd(&self, out: &mut Vec<u8>) {
        match self.is_unknown {
            true => out.extend_from_slice(b"null"),
            false => write_dollars(out, self.amounts.total()),
        }
    }

    /// Returns the object `cost` of results: the amounts in US dollars, which are null if a price
    /// is not known.
    pub fn to_json(&self) -> Value {
        let amount = |amount: u128| match self.is_unknown {
            true => Value::Null,
            false => dollars(amount),
        };
        let date = (self.price_date > 0 && !self.is_unknown).then(|| format_date(self.price_date));
        let mut fields = Map::new();
        for (name, value) in [
            ("usd", amount(self.amounts.total())),
            ("input", amount(self.amounts.input)),
            ("cachedInput", amount(self.amounts.cached_input)),
            ("cacheWrite", amount(self.amounts.cache_write)),
            ("output", amount(self.amounts.output)),
            ("priceDate", date.map_or(Value::Null, Value::String)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        if self.is_estimate {
            fields.insert("estimate".to_owned(), Value::Bool(true));
        }
        Value::Object(fields)
    }
}

/// The number of digits after the decimal point of an amount.
const DIGITS: usize = 18;
/// The amount of a dollar.
const UNIT: u64 = 10_u64.pow(18);
/// 10^9, which splits the digits after the decimal point into two groups of nine.
const NINE_DIGITS: u64 = 10_u64.pow(9);

/// The product of the three factors in percent of a call without discounts: the tier of service,
/// the region and the hour.
const FULL_PRICE: u128 = 100 * 100 * 100;

/// Formats an amount in 10^-18 dollars as dollars.
pub(crate) fn format_dollars(amount: u128) -> String {
    let mut text = Vec::with_capacity(DIGITS + 2);
    write_dollars(&mut text, amount);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes an amount in 10^-18 dollars as dollars. The log line of each call contains six amounts,
/// so this does not use the slow formatting of large integers.
fn write_dollars(out: &mut Vec<u8>, amount: u128) {
    let (whole, fraction) = match u64::try_from(amount) {
        // Most amounts are less than 18 dollars.
        Ok(amount) => (u128::from(amount / UNIT), amount % UNIT),
        Err(_) => {
            let fraction = u64::try_from(amount % u128::from(UNIT)).unwrap_or(0);
            (amount / u128::from(UNIT), fraction)
        }
    };
    match u8::try_from(whole) {
        Ok(whole @ 0..10) => out.push(b'0' + whole),
        _ => out.extend_from_slice(whole.to_string().as_bytes()),
    }
    if fraction == 0 {
        return;
    }
    out.push(b'.');
    let mut digits = [b'0'; DIGITS];
    let (first, second) = digits.split_at_mut(DIGITS / 2);
    write_digits(first, fraction / NINE_DIGITS);
    write_digits(second, fraction % NINE_DIGITS);
    let length = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(digits.get(..length).unwrap_or_default());
}

/// Writes a number with leading zeros. The number has at most nine digits.
fn write_digits(digits: &mut [u8], number: u64) {
    // Divisions of small integers are faster.
    let mut rest = u32::try_from(number).unwrap_or(0);
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// Returns an amount as a number with all digits, or with as many as a float has if the program
/// stores numbers as floats.
fn dollars(amount: u128) -> Value {
    let text = format_dollars(amount);
    let float = || text.parse().ok().and_then(Number::from_f64);
    parse_number(&text).ok().or_else(float).map_or(Value::Null, Value::Number)
}

/// The highest prices of a call, in 10^-18 dollars per token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenPrices {
    pub(crate) input: u128,
    pub(crate) output: u128,
}

/// Returns the highest prices of a call with a prompt of at most `prompt` tokens, or `None` if they
/// are not known. The input may be written to the provider's cache, and no discount applies.
pub(crate) fn highest_prices(
    own: &PriceList,
    provider: &str,
    model: &str,
    prompt: u64,
) -> Option<TokenPrices> {
    let prices = find_prices(own, provider, model, None)?;
    let date = date_of(now());
    let mut highest = TokenPrices { input: 0, output: 0 };
    // The price for large prompts can be the lower one.
    for size in [0, prompt] {
        let Parts { input, cache_write, output, .. } =
            select(prices.rows.as_slice(), date, size)?.parts;
        let or_input = |part: u32| if part == u32::MAX { input } else { part };
        let input = input.max(or_input(cache_write));
        highest.input = highest.input.max(u128::from(input) * FULL_PRICE);
        highest.output = highest.output.max(u128::from(or_input(output)) * FULL_PRICE);
    }
    Some(highest)
}

/// Converts at most 10^12 dollars to 10^-18 dollars.
pub(crate) fn amount_of_dollars(usd: f64) -> u128 {
    let text = format!("{:.DIGITS$}", usd.clamp(0.0, 1e12));
    text.replace('.', "").parse().unwrap_or(0)
}

/// Computes what a call costs at a time in seconds since 1970.
pub(super) fn cost_at(now: u64, prices: ModelPrices, usage: Usage, billing: &Billing) -> Cost {
    let prompt = usage.input_tokens.saturating_add(usage.cached_input_tokens);
    let prompt = prompt.saturating_add(usage.cache_write_tokens);
    let Some(price) = select(prices.rows.as_slice(), date_of(now), prompt) else {
        return Cost::UNKNOWN;
    };
    let mut is_estimate = prices.is_estimate;
    let mut factor = |percent: u16| match percent {
        0 => {
            is_estimate = true;
            100
        }
        percent => u64::from(percent),
    };
    let factors = FACTORS.get(usize::from(price.factors));
    let tier = factor(tier_percent(factors, billing.tier.as_deref()));
    let us = factor(match factors {
        Some(factors) if billing.is_us_only => factors.us,
        _ => 100,
    });
    let off_peak = off_peak_percent(price, now);
    // The product of three numbers of 16 bits.
    let scale = tier * us * u64::from(off_peak);
    let parts = price.parts;
    let mut amount = |tokens: u64, part: u32| {
        // A part without a price of its own is billed as input.
        let part = match part {
            u32::MAX => {
                is_estimate |= tokens > 0;
                parts.input
            }
            part => part,
        };
        match tokens.checked_mul(u64::from(part)) {
            // The product of two numbers of 64 bits.
            Some(price) => u128::from(price) * u128::from(scale),
            None => {
                let price = u128::from(tokens).saturating_mul(u128::from(part));
                price.saturating_mul(u128::from(scale))
            }
        }
    };
    let long_writes = billing.long_cache_write_tokens.unwrap_or(0).min(usage.cache_write_tokens);
    let short_writes = usage.cache_write_tokens - long_writes;
    let output = usage.output_tokens.saturating_add(usage.reasoning_tokens);
    let long_write = amount(long_writes, parts.cache_write_long);
    let amounts = Amounts {
        input: amount(usage.input_tokens, parts.input),
        cached_input: amount(usage.cached_input_tokens, parts.cached_input),
        cache_write: amount(short_writes, parts.cache_write).saturating_add(long_write),
        output: amount(output, parts.output),
    };
    let has_lifetimes = parts.cache_write_long != u32::MAX;
    let is_unclear = has_lifetimes && billing.long_cache_write_tokens.is_none();
    is_estimate |= is_unclear && usage.cache_write_tokens > 0;
    let price_date = if price.from > 0 { price.from } else { price.data_date };
    Cost { amounts, price_date, is_estimate, is_unknown: false }
}

/// Selects the price that holds on a date for the number of prompt tokens. Before the first price,
/// that one is used.
fn select(rows: &[Price], date: u32, prompt: u64) -> Option<&Price> {
    let first = rows.first()?.from;
    let from = rows.iter().map(|row| row.from).filter(|from| *from <= date).max().unwrap_or(first);
    let fits = |row: &&Price| row.from == from && (row.above == 0 || prompt > u64::from(row.above));
    rows.iter().filter(fits).max_by_key(|row| row.above)
}

/// Returns the factor of a tier of service in percent, or 0 if it is not known.
fn tier_percent(factors: Option<&Factors>, tier: Option<&str>) -> u16 {
    let Some(factors) = factors else { return 0 };
    match tier.unwrap_or_default() {
        "" | "auto" | "default" | "on_demand" | "standard" | "standard_only" => 100,
        "batch" => factors.batch,
        "flex" => factors.flex,
        "priority" => factors.priority,
        "ultrafast" => factors.ultrafast,
        // OpenAI's other name for `priority`.
        "fast" if factors.fast == 0 => factors.priority,
        "fast" => factors.fast,
        _ => 0,
    }
}

fn off_peak_percent(price: &Price, now: u64) -> u16 {
    let Some(off_peak) = OFF_PEAKS.get(usize::from(price.off_peak)) else { return 100 };
    match working_hour(now) {
        Some(hour) if off_peak.hours & (1 << hour) == 0 => 100,
        _ => off_peak.percent,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::PriceRows;
    use super::super::rows::{Factors, Price, row};
    use super::super::table::{FACTORS, OFF_PEAKS};
    use super::{Amounts, Billing, Cost, ModelPrices, UNIT, Usage, cost_at, format_dollars};

    /// 2026-12-01, a Tuesday, at midnight in UTC.
    const DECEMBER: u64 = 20_788 * 86_400;
    const NONE: u32 = u32::MAX;

    fn prices(rows: &[Price]) -> ModelPrices {
        let rows = PriceRows::Listed(Box::leak(rows.to_vec().into_boxed_slice()));
        ModelPrices { rows, is_estimate: false }
    }

    /// Returns the index of factors with a property.
    fn factors(fit: impl Fn(&Factors) -> bool) -> u8 {
        FACTORS.iter().position(fit).unwrap().try_into().unwrap()
    }

    fn standard() -> u8 {
        factors(|it| it.flex == 0 && it.priority == 0 && it.fast == 0 && it.us == 0)
    }

    fn usage(input: u64, cached: u64, write: u64, output: u64, reasoning: u64) -> Usage {
        Usage {
            input_tokens: input,
            cached_input_tokens: cached,
            cache_write_tokens: write,
            output_tokens: output,
            reasoning_tokens: reasoning,
            total_tokens: 0,
        }
    }

    fn tier(name: &str) -> Billing {
        Billing { tier: Some(name.to_owned()), ..Billing::default() }
    }

    #[test]
    fn amounts_are_exact() {
        let parts = [2_000_000, 8750, 2_500_000, 5_000_000, 10_000_000];
        let prices = prices(&[row(0, standard(), 0, 20_261_101, 20_261_120, 0, parts)]);
        let billing = Billing { long_cache_write_tokens: Some(10), ..Billing::default() };
        let cost = cost_at(DECEMBER, prices, usage(3, 1, 30, 5, 2), &billing);
        // Numbers have an exponent if the program stores them as floats.
        let json = cost.to_json();
        for (name, expected) in [
            ("usd", 0.000_176_008_75),
            ("input", 0.000_006),
            ("cachedInput", 0.000_000_008_75),
            ("cacheWrite", 0.000_1),
            ("output", 0.000_07),
        ] {
            assert_eq!(json[name].as_f64(), Some(expected), "{json}");
        }
        assert_eq!((&json["priceDate"], json.get("estimate")), (&json!("2026-11-01"), None));
        assert_eq!(cost.usd().unwrap(), "0.00017600875");
        // Three tenths have no exact float.
        let mut sum = Cost::default();
        for _ in 0..3 {
            sum.add(&cost_at(DECEMBER, prices, usage(50_000, 0, 0, 0, 0), &billing));
        }
        assert_eq!(sum.usd().unwrap(), "0.3");
        sum.set_estimate();
        for cost in [cost, sum, Cost::UNKNOWN, Cost::default()] {
            let (mut written, mut usd) = (Vec::new(), Vec::new());
            cost.write_json(&mut written);
            cost.write_usd(&mut usd);
            let written: Value = serde_json::from_slice(&written).unwrap();
            assert_eq!(written["usd"], serde_json::from_slice::<Value>(&usd).unwrap());
            let values = |json: &Value| json.as_object().unwrap().clone().into_iter();
            for ((name, written), (expected_name, expected)) in
                values(&written).zip(values(&cost.to_json()))
            {
                assert_eq!((&name, written.as_f64()), (&expected_name, expected.as_f64()));
                assert!(written.is_number() || written == expected, "{name}");
            }
        }
    }

    #[test]
    fn dollars_have_all_digits() {
        for (amount, expected) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (u128::from(UNIT), "1"),
            (u128::from(UNIT) / 10, "0.1"),
            (12 * u128::from(UNIT) + 340_000, "12.00000000000034"),
            (u128::from(u64::MAX), "18.446744073709551615"),
            (u128::from(u64::MAX) + 1, "18.446744073709551616"),
            (u128::MAX, "340282366920938463463.374607431768211455"),
        ] {
            assert_eq!(format_dollars(amount), expected);
        }
    }

    #[test]
    fn stored_amounts_keep_all_digits() {
        let amounts = Amounts { input: u128::MAX, output: 7, ..Amounts::default() };
        let cost = Cost { amounts, price_date: 20_261_201, ..Cost::default() };
        let stored = serde_json::to_value(cost).unwrap();
        assert_eq!(serde_json::from_value::<Cost>(stored).unwrap(), cost);
        for text in ["", "1 2 3", "1 2 3 x"] {
            serde_json::from_value::<Amounts>(json!(text)).unwrap_err();
        }
    }

    #[test]
    fn the_price_depends_on_the_date_and_the_size_of_the_prompt() {
        let price = |from, above, input| {
            row(0, standard(), 0, from, 20_261_120, above, [input, input, NONE, NONE, 0])
        };
        let prices = prices(&[
            price(0, 0, 1),
            price(0, 100, 2),
            price(20_261_201, 0, 10),
            price(20_261_201, 100, 20),
            price(20_261_201, 200, 30),
        ]);
        for (now, input, cached, expected) in [
            (DECEMBER - 1, 100, 0, "0.0000000001"),
            (DECEMBER - 1, 100, 1, "0.000000000202"),
            (DECEMBER, 60, 40, "0.000000001"),
            (DECEMBER, 61, 40, "0.00000000202"),
            (DECEMBER, 200, 0, "0.000000004"),
            (DECEMBER, 201, 0, "0.00000000603"),
        ] {
            let cost = cost_at(now, prices, usage(input, cached, 0, 1, 0), &Billing::default());
            assert_eq!(cost.usd().unwrap(), expected, "{now} {input} {cached}");
        }
    }

    #[test]
    fn tiers_have_factors_or_make_the_cost_an_estimate() {
        let index = factors(|it| it.flex == 50 && it.priority == 200 && it.fast == 0);
        let fast = factors(|it| it.fast == 200 && it.us == 110);
        for (index, billing, percent, is_estimate) in [
            (index, Billing::default(), 100, false),
            (index, tier("default"), 100, false),
            (index, tier("flex"), 50, false),
            (index, tier("priority"), 200, false),
            (index, tier("fast"), 200, false),
            (index, tier("scale"), 100, true),
            (index, Billing { is_us_only: true, ..Billing::default() }, 100, true),
            (fast, tier("fast"), 200, false),
            (fast, Billing { is_us_only: true, ..tier("fast") }, 220, false),
            (fast, tier("priority"), 100, true),
        ] {
            let prices = prices(&[row(0, index, 0, 0, 20_261_120, 0, [100, 0, NONE, NONE, 0])]);
            let cost = cost_at(DECEMBER, prices, usage(1, 0, 0, 0, 0), &billing);
            let expected = format!("0.000000000{percent:03}");
            let expected = expected.trim_end_matches('0');
            assert_eq!(cost.usd().unwrap(), expected, "{billing:?}");
            assert_eq!(cost.is_estimate(), is_estimate, "{billing:?}");
        }
    }

    #[test]
    fn prices_at_other_hours_are_lower() {
        let index = OFF_PEAKS.iter().position(|it| it.percent == 50).unwrap() as u8;
        let prices = prices(&[row(0, standard(), index, 0, 20_261_120, 0, [100, 0, 0, 0, 0])]);
        let at = |now| cost_at(now, prices, usage(1, 0, 0, 0, 0), &Billing::default()).usd();
        assert_eq!(at(DECEMBER + 2 * 3600).unwrap(), "0.0000000001");
        assert_eq!(at(DECEMBER + 5 * 3600).unwrap(), "0.00000000005");
        // A Saturday.
        assert_eq!(at(DECEMBER + 4 * 86_400 + 2 * 3600).unwrap(), "0.00000000005");
    }

    #[test]
    fn parts_that_are_not_known_are_estimates() {
        let with = |parts| prices(&[row(0, standard(), 0, 0, 20_261_120, 0, parts)]);
        let billing = Billing::default();
        for (parts, usage, expected, is_estimate) in [
            ([100, NONE, NONE, NONE, 0], usage(0, 0, 0, 1, 0), "0", false),
            ([100, NONE, NONE, NONE, 0], usage(0, 1, 0, 0, 0), "0.0000000001", true),
            ([100, 10, NONE, NONE, 0], usage(0, 0, 1, 0, 0), "0.0000000001", true),
            // The response does not state how long the cache lives.
            ([100, 10, 125, 200, 0], usage(0, 0, 1, 0, 0), "0.000000000125", true),
            ([100, 10, 125, NONE, 0], usage(0, 0, 1, 0, 0), "0.000000000125", false),
        ] {
            let cost = cost_at(DECEMBER, with(parts), usage, &billing);
            let found = (cost.usd().unwrap(), cost.is_estimate());
            assert_eq!(found, (expected.to_owned(), is_estimate), "{parts:?} {usage:?}");
        }
    }

    #[test]
    fn a_sum_with_an_unknown_cost_is_unknown() {
        let prices = prices(&[row(0, standard(), 0, 0, 20_261_120, 0, [100, 0, 0, 0, 0])]);
        let mut sum = cost_at(DECEMBER, prices, usage(1, 0, 0, 0, 0), &Billing::default());
        sum.add(&Cost::UNKNOWN);
        assert_eq!(sum.usd(), None);
        let expected = json!({
            "usd": null, "input": null, "cachedInput": null, "cacheWrite": null, "output": null,
            "priceDate": null
        });
        assert_eq!(sum.to_json(), expected);
    }

    #[test]
    fn impossible_counts_do_not_overflow() {
        let index = factors(|it| it.priority == 200);
        let prices = prices(&[row(0, index, 0, 0, 20_261_120, 0, [NONE - 1; 5])]);
        let all = u64::MAX;
        let mut cost = cost_at(u64::MAX, prices, usage(all, all, all, all, all), &tier("priority"));
        let same = cost;
        cost.add(&same);
        assert!(cost.usd().unwrap().len() > 18);
    }
}
