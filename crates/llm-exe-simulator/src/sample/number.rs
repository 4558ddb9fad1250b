//! Generates numbers within bounds.

use serde_json::{Number, Value, json};

/// Generates a number within the bounds of the schema. Different variants get different numbers
/// where possible. Returns `None` if no number is found.
pub(super) fn value(flat: &Value, variant: usize, integer: bool) -> Option<Value> {
    let bounds = Bounds::from_schema(flat);
    let variant = f64::from(u32::try_from(variant).unwrap_or(u32::MAX));
    let step = match flat.get("multipleOf").and_then(Value::as_f64).filter(|step| *step > 0.0) {
        Some(step) => step,
        None if integer => 1.0,
        None => return decimal(&bounds, variant),
    };
    let decimals = decimals(step);
    let first = match bounds.min {
        // Prefer the step itself, which is usually 1, because it looks more natural than the
        // minimum.
        min if min <= step && bounds.max >= step && bounds.above_min(step) => step,
        min if min == f64::NEG_INFINITY => (bounds.max / step).floor() * step,
        min => (min / step).ceil() * step,
    };
    let direction = if bounds.min == f64::NEG_INFINITY && first != step { -1.0 } else { 1.0 };
    (0..4)
        .map(|skipped| first + direction * step * (variant + f64::from(skipped)))
        .map(|number| round(number, decimals))
        .filter(|number| !integer || number.fract() == 0.0)
        .find(|number| bounds.contain(*number))
        .and_then(json_number)
}

fn decimal(bounds: &Bounds, variant: f64) -> Option<Value> {
    let (min, max) = (bounds.min, bounds.max);
    let middle = match (min.is_finite(), max.is_finite()) {
        (true, true) => min + (max - min) / 2.0,
        (true, false) => min + 1.0,
        (false, true) => max - 1.0,
        (false, false) => 1.0,
    };
    // Try simple numbers first, then a fraction of the range.
    let fraction = min + (max - min) / (variant + 3.0);
    let candidates = [1.0 + variant, middle + variant, middle - variant, fraction, middle, min];
    candidates.into_iter().find(|number| bounds.contain(*number)).and_then(json_number)
}

struct Bounds {
    min: f64,
    max: f64,
    min_is_exclusive: bool,
    max_is_exclusive: bool,
}

impl Bounds {
    fn from_schema(flat: &Value) -> Self {
        let number = |name: &str| flat.get(name).and_then(Value::as_f64);
        // In draft 4, `exclusiveMinimum` is a boolean next to `minimum`; in later drafts it is a
        // number.
        let flag = |name: &str| flat.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut bounds = Self {
            min: number("minimum").unwrap_or(f64::NEG_INFINITY),
            max: number("maximum").unwrap_or(f64::INFINITY),
            min_is_exclusive: flag("exclusiveMinimum"),
            max_is_exclusive: flag("exclusiveMaximum"),
        };
        if let Some(min) = number("exclusiveMinimum").filter(|min| *min >= bounds.min) {
            (bounds.min, bounds.min_is_exclusive) = (min, true);
        }
        if let Some(max) = number("exclusiveMaximum").filter(|max| *max <= bounds.max) {
            (bounds.max, bounds.max_is_exclusive) = (max, true);
        }
        bounds
    }

    fn above_min(&self, number: f64) -> bool {
        number > self.min || number == self.min && !self.min_is_exclusive
    }

    fn contain(&self, number: f64) -> bool {
        let below_max = number < self.max || number == self.max && !self.max_is_exclusive;
        number.is_finite() && self.above_min(number) && below_max
    }
}

/// Counts the decimal places of a `multipleOf` step.
fn decimals(step: f64) -> i32 {
    let text = step.to_string();
    let count = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    i32::try_from(count).unwrap_or(0)
}

fn round(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

#[expect(clippy::cast_possible_truncation, reason = "the number is whole and fits in an i64")]
fn json_number(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Some(json!(number as i64))
    } else {
        Number::from_f64(number).map(Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::value;

    #[test]
    fn numbers_are_within_the_bounds() {
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
