//! Numbers within their bounds.
//!
//! In: a flat schema. Out: a number, or nothing when none lies within.

use serde_json::{Number, Value, json};

/// A number; different ones for different variants, as far as the bounds allow.
pub(super) fn value(flat: &Value, variant: usize, integer: bool) -> Option<Value> {
    let bounds = Bounds::of(flat);
    let variant = f64::from(u32::try_from(variant).unwrap_or(u32::MAX));
    let step = match flat.get("multipleOf").and_then(Value::as_f64).filter(|step| *step > 0.0) {
        Some(step) => step,
        None if integer => 1.0,
        None => return decimal(&bounds, variant),
    };
    let decimals = decimals(step);
    let first = match bounds.least {
        // 1, or the first multiple from there, reads better than the least of all.
        least if least <= step && bounds.most >= step && bounds.above(step) => step,
        least if least == f64::NEG_INFINITY => (bounds.most / step).floor() * step,
        least => (least / step).ceil() * step,
    };
    let direction = if bounds.least == f64::NEG_INFINITY && first != step { -1.0 } else { 1.0 };
    (0..4)
        .map(|skipped| first + direction * step * (variant + f64::from(skipped)))
        .map(|number| round(number, decimals))
        .filter(|number| !integer || number.fract() == 0.0)
        .find(|number| bounds.hold(*number))
        .and_then(json_number)
}

fn decimal(bounds: &Bounds, variant: f64) -> Option<Value> {
    let (least, most) = (bounds.least, bounds.most);
    let middle = match (least.is_finite(), most.is_finite()) {
        (true, true) => least + (most - least) / 2.0,
        (true, false) => least + 1.0,
        (false, true) => most - 1.0,
        (false, false) => 1.0,
    };
    // Whole numbers first, then further and further into what lies between the bounds.
    let within = least + (most - least) / (variant + 3.0);
    let candidates = [1.0 + variant, middle + variant, middle - variant, within, middle, least];
    candidates.into_iter().find(|number| bounds.hold(*number)).and_then(json_number)
}

struct Bounds {
    least: f64,
    most: f64,
    open_below: bool,
    open_above: bool,
}

impl Bounds {
    fn of(flat: &Value) -> Self {
        let number = |name: &str| flat.get(name).and_then(Value::as_f64);
        // Draft 4 has booleans beside the bounds, later drafts have bounds of their own.
        let flag = |name: &str| flat.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut bounds = Self {
            least: number("minimum").unwrap_or(f64::NEG_INFINITY),
            most: number("maximum").unwrap_or(f64::INFINITY),
            open_below: flag("exclusiveMinimum"),
            open_above: flag("exclusiveMaximum"),
        };
        if let Some(least) = number("exclusiveMinimum").filter(|least| *least >= bounds.least) {
            (bounds.least, bounds.open_below) = (least, true);
        }
        if let Some(most) = number("exclusiveMaximum").filter(|most| *most <= bounds.most) {
            (bounds.most, bounds.open_above) = (most, true);
        }
        bounds
    }

    fn above(&self, number: f64) -> bool {
        number > self.least || number == self.least && !self.open_below
    }

    fn hold(&self, number: f64) -> bool {
        let below = number < self.most || number == self.most && !self.open_above;
        number.is_finite() && self.above(number) && below
    }
}

/// How many decimals a step is written with.
fn decimals(step: f64) -> i32 {
    let text = step.to_string();
    let written = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    i32::try_from(written).unwrap_or(0)
}

fn round(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn json_number(number: f64) -> Option<Value> {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Some(json!(number as i64)),
        false => Number::from_f64(number).map(Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::value;
    use serde_json::json;

    #[test]
    fn bounds_hold() {
        let integer = |schema| value(&schema, 0, true);
        assert_eq!(integer(json!({})), Some(json!(1)));
        assert_eq!(integer(json!({"minimum": 7})), Some(json!(7)));
        assert_eq!(integer(json!({"exclusiveMinimum": 7})), Some(json!(8)));
        assert_eq!(integer(json!({"maximum": -3})), Some(json!(-3)));
        assert_eq!(integer(json!({"minimum": 10, "multipleOf": 7})), Some(json!(14)));
        assert_eq!(integer(json!({"minimum": 2, "maximum": 1})), None);
        let decimal = value(&json!({"exclusiveMinimum": 0, "exclusiveMaximum": 1}), 0, false);
        assert_eq!(decimal, Some(json!(0.5)));
    }
}
