//! Generates strings that match a format or a pattern and have an allowed length.

use serde_json::Value;

use super::pattern;
use super::position::Position;

/// The maximum `minLength` for which a string with a `format` is generated.
const MAX_FORMATTED: usize = 40;

/// Generates a string. Different variants get different strings. Returns `None` if the length
/// bounds contradict each other or the format does not allow a string of that length.
pub(super) fn value(flat: &Value, position: &Position<'_>) -> Option<Value> {
    let count = |name: &str| flat.get(name).and_then(Value::as_u64).map(to_usize);
    let min_length = count("minLength").unwrap_or(0);
    let max_length = count("maxLength").unwrap_or(usize::MAX);
    if min_length > max_length {
        return None;
    }
    if let Some(pattern) = flat.get("pattern").and_then(Value::as_str)
        && let Some(text) = pattern::text(pattern, min_length, max_length, position.variant)
    {
        return Some(Value::String(text));
    }
    let format = flat.get("format").and_then(Value::as_str);
    if let Some(text) = format.and_then(|format| formatted(format, position.variant)) {
        return Some(Value::String(text)).filter(|_| min_length <= MAX_FORMATTED);
    }
    let text = fit_length(&plain(position), position.variant, min_length, max_length);
    Some(Value::String(text))
}

fn plain(position: &Position<'_>) -> String {
    let label = if position.label.is_empty() { "text" } else { position.label.as_str() };
    match position.variant {
        0 => format!("simulated {label}"),
        variant => format!("simulated {label} {}", variant + 1),
    }
}

/// Pads or truncates a string to the allowed length. A truncated string ends with its variant
/// number, except in the first variant, so that variants still differ.
fn fit_length(text: &str, variant: usize, min_length: usize, max_length: usize) -> String {
    let length = text.chars().count();
    if length > max_length {
        if variant == 0 {
            return text.chars().take(max_length).collect();
        }
        let padded = format!("{}{}", "x".repeat(max_length), variant + 1);
        let skipped = padded.chars().count() - max_length;
        return padded.chars().skip(skipped).collect();
    }
    text.chars().chain("x".repeat(min_length.saturating_sub(length)).chars()).collect()
}

fn formatted(format: &str, variant: usize) -> Option<String> {
    let (day, small, number) = (variant % 28 + 1, variant % 250 + 1, variant + 1);
    Some(match format {
        "date-time" => format!("2025-01-{day:02}T12:00:00Z"),
        "date" => format!("2025-01-{day:02}"),
        "time" => format!("12:00:{:02}Z", variant % 60),
        "duration" => format!("P{number}D"),
        "email" | "idn-email" => format!("user{number}@example.com"),
        "hostname" | "idn-hostname" => format!("host{number}.example.com"),
        "ipv4" => format!("192.0.2.{small}"),
        "ipv6" => format!("2001:db8::{small:x}"),
        "uri" | "iri" | "url" => format!("https://example.com/{number}"),
        "uri-reference" | "iri-reference" => format!("/{number}"),
        "uri-template" => format!("/{number}/{{id}}"),
        "uuid" => format!("00000000-0000-4000-8000-{number:012x}"),
        "json-pointer" => format!("/{number}"),
        "relative-json-pointer" => format!("{number}/a"),
        "regex" => format!("^a{{{number}}}$"),
        "byte" => "c2ltdWxhdGVk".to_owned(),
        _ => return None,
    })
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
