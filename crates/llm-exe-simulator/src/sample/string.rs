//! Strings of the right format, pattern and length.
//!
//! In: a flat schema. Out: a string, or nothing when its bounds contradict each other.

use super::{Place, pattern};
use serde_json::Value;

/// A string; different ones for different variants.
pub(super) fn value(flat: &Value, place: &Place<'_>) -> Option<Value> {
    let count = |name: &str| flat.get(name).and_then(Value::as_u64).map(to_usize);
    let least = count("minLength").unwrap_or(0);
    let most = count("maxLength").unwrap_or(usize::MAX);
    if least > most {
        return None;
    }
    if let Some(pattern) = flat.get("pattern").and_then(Value::as_str)
        && let Some(text) = pattern::text(pattern, least, most, place.variant)
    {
        return Some(Value::String(text));
    }
    let formatted = flat.get("format").and_then(Value::as_str);
    if let Some(text) = formatted.and_then(|format| self::format(format, place.variant)) {
        return Some(Value::String(text)).filter(|_| least <= MOST_FORMATTED);
    }
    Some(Value::String(fit(&plain(place), place.variant, least, most)))
}

/// No format makes a longer text than this without being asked for one.
const MOST_FORMATTED: usize = 40;

fn plain(place: &Place<'_>) -> String {
    let label = if place.label.is_empty() { "text" } else { place.label.as_str() };
    match place.variant {
        0 => format!("simulated {label}"),
        variant => format!("simulated {label} {}", variant + 1),
    }
}

/// Fills the text up, or cuts it, to the length asked for. Of a short text only the end is kept,
/// where its variants differ.
fn fit(text: &str, variant: usize, least: usize, most: usize) -> String {
    let length = text.chars().count();
    if length > most {
        let short = match variant {
            0 => text.to_owned(),
            _ => format!("{}{}", "x".repeat(most), variant + 1),
        };
        let skipped = if variant == 0 { 0 } else { short.chars().count() - most };
        return short.chars().skip(skipped).take(most).collect();
    }
    text.chars().chain("x".repeat(least.saturating_sub(length)).chars()).collect()
}

fn format(format: &str, variant: usize) -> Option<String> {
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
