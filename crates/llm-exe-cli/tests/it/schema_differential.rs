//! Compares [`Schema`] with the crate `jsonschema` on random schemas and values.
//!
//! `SCHEMA_SEED=… cargo test -p llm-exe-cli schema_differential` runs other cases, and
//! `SCHEMA_CASES` sets their number. `scripts/schema-differential` runs a million. The test belongs
//! to this crate because it needs all digits of numbers.

mod generate;
mod shrink;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{PatternOptions, Validator};
use llm_exe::schema::Schema;
use serde_json::{Map, Value};

use generate::Generator;

/// The number of failures after which the test ends.
const MAX_FAILURES: usize = 5;

/// The number of values that are checked against each schema.
const VALUES: u64 = 5;

/// The message with which jsonschema 0.60 panics for a few schemas with references to each other.
const JSONSCHEMA_PANIC: &str = "pending schema target dropped";

/// Both compiled forms of a schema.
struct Pair {
    ours: Schema,
    theirs: Validator,
}

/// Compiles a schema with both implementations. Returns `None` if both reject it, or if only one
/// does on purpose.
///
/// # Errors
/// Returns the difference if only one of them rejects it.
fn compile(schema: &Map<String, Value>) -> Result<Option<Pair>, String> {
    let ours = Schema::compile(schema.clone());
    let theirs = jsonschema::options()
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::fancy_regex())
        .offline()
        .build(&Value::Object(schema.clone()));
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => Ok(Some(Pair { ours, theirs })),
        (Err(_), Err(_)) => Ok(None),
        (Err(error), Ok(_)) => accept(format!("only jsonschema compiles it: {error}"), schema),
        (Ok(_), Err(error)) => {
            let place = error.instance_path().as_str().to_owned();
            accept(format!("only jsonschema rejects it: {place}: {error}"), schema)
        }
    }
}

/// Returns `Ok` if a schema that only one implementation can compile is an intended difference.
fn accept(difference: String, schema: &Map<String, Value>) -> Result<Option<Pair>, String> {
    // jsonschema would never finish the check of a value.
    let is_cycle = difference.contains("refers back to itself without a property or an item");
    // jsonschema ignores what only an `if` without `then` and `else` refers to.
    let is_ignored = difference.contains("does not lead to a schema")
        && has_lone_if(&Value::Object(schema.clone()));
    if is_cycle || is_ignored { Ok(None) } else { Err(difference) }
}

fn has_lone_if(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_lone_if),
        Value::Object(fields) => {
            let has = |name: &str| fields.contains_key(name);
            has("if") && !has("then") && !has("else") || fields.values().any(has_lone_if)
        }
        _ => false,
    }
}

/// Returns how the results for a value differ.
fn difference(pair: &Pair, value: &Value, schema: &Map<String, Value>) -> Option<String> {
    validation_difference(pair, value, schema).or_else(|| coercion_difference(pair, value))
}

/// Returns why the coerced value is wrong: it must be valid, and a valid value is never changed,
/// because the schemas have no defaults.
fn coercion_difference(pair: &Pair, value: &Value) -> Option<String> {
    let is_valid = pair.theirs.is_valid(value);
    let coerced = match pair.ours.coerce(value.clone()) {
        Ok(coerced) => coerced,
        Err(error) => return is_valid.then(|| format!("a valid value is refused: {error}")),
    };
    let is_right = match is_valid {
        true => coerced.as_written && coerced.value == *value && coerced.warnings.is_empty(),
        false => {
            let is_valid = pair.theirs.is_valid(&coerced.value);
            !coerced.as_written && is_valid && !coerced.warnings.is_empty()
        }
    };
    (!is_right).then(|| format!("coerced to {coerced:?}"))
}

/// Returns how the results of validation differ.
fn validation_difference(
    pair: &Pair,
    value: &Value,
    schema: &Map<String, Value>,
) -> Option<String> {
    let (ours, theirs) = (pair.ours.is_valid(value), pair.theirs.is_valid(value));
    if ours != theirs {
        let error = pair.ours.validate(value).err().map(|error| error.to_string());
        let other = pair.theirs.validate(value).err().map(|error| error.to_string());
        return Some(format!("valid: {ours} ({error:?}), jsonschema: {theirs} ({other:?})"));
    }
    let error = match (pair.ours.validate(value), ours) {
        (Ok(()), true) => return None,
        (Err(error), false) => error.to_string(),
        (result, _) => return Some(format!("is_valid: {ours}, validate: {result:?}")),
    };
    let place = error.split(": ").next().unwrap_or_default();
    let place = if place == "the value" { "" } else { place };
    let mut places = Vec::new();
    pair.theirs.iter_errors(value).for_each(|error| add_places(&error, &mut places));
    if value.pointer(place).is_some() && is_named(place, &error, &places, schema) {
        return None;
    }
    Some(format!("the error {error:?} is at none of {places:?}"))
}

/// Returns whether jsonschema reports an error at a place. For a part that is not allowed, it
/// reports the value around the place, and for `unevaluated…` keywords any of the values around it.
fn is_named(place: &str, error: &str, places: &[String], schema: &Map<String, Value>) -> bool {
    let is_listed = |place: &str| places.iter().any(|other| other == place);
    let mut around = place.rsplit_once('/').map(|(around, _)| around);
    let is_forbidden = error.contains("is not allowed") || error.contains("no value is allowed");
    if is_listed(place) || is_forbidden && around.is_some_and(is_listed) {
        return true;
    }
    let has_unevaluated = Value::Object(schema.clone()).to_string().contains("\"unevaluated");
    while let Some(object) = around.filter(|_| has_unevaluated) {
        if is_listed(object) {
            return true;
        }
        around = object.rsplit_once('/').map(|(around, _)| around);
    }
    false
}

/// Adds the places of an error and of the errors in its branches.
fn add_places(error: &ValidationError<'_>, places: &mut Vec<String>) {
    places.push(error.instance_path().as_str().to_owned());
    if let ValidationErrorKind::AnyOf { context }
    | ValidationErrorKind::OneOfNotValid { context }
    | ValidationErrorKind::OneOfMultipleValid { context } = error.kind()
    {
        context.iter().flatten().for_each(|error| add_places(error, places));
    }
}

/// Runs a comparison. Returns `None` if jsonschema panics. Other panics are not caught.
fn unless_jsonschema_panics<T>(compare: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(compare)).map(Some).unwrap_or_else(|panic| {
        match panic.downcast_ref::<String>() {
            Some(message) if message == JSONSCHEMA_PANIC => None,
            _ if panic.downcast_ref() == Some(&JSONSCHEMA_PANIC) => None,
            _ => resume_unwind(panic),
        }
    })
}

/// Returns how the results for a schema and a value differ.
fn compare(schema: &Map<String, Value>, value: &Value) -> Option<String> {
    match compile(schema) {
        Err(difference) => Some(difference),
        Ok(pair) => pair.and_then(|pair| difference(&pair, value, schema)),
    }
}

#[allow(clippy::disallowed_methods, reason = "tests have no settings to read this from")]
fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn results_are_those_of_the_crate_jsonschema() {
    let (seed, cases) = (variable("SCHEMA_SEED", 1), variable("SCHEMA_CASES", 20_000));
    let (mut valid, mut invalid, mut rejected, mut skipped) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut failures = Vec::new();
    for index in 0..cases.div_ceil(VALUES) {
        let mut generator = Generator::new(seed, index);
        let schema = generator.schema();
        let pair = match compile(&schema) {
            Ok(Some(pair)) => pair,
            Ok(None) => {
                rejected += VALUES;
                continue;
            }
            Err(_) => {
                failures.push(describe(index, &schema, &Value::Null));
                continue;
            }
        };
        for _ in 0..VALUES {
            let value = generator.value(&schema);
            match unless_jsonschema_panics(|| difference(&pair, &value, &schema)) {
                Some(None) => {}
                Some(Some(_)) => {
                    failures.push(describe(index, &schema, &value));
                    break;
                }
                None => {
                    skipped += 1;
                    continue;
                }
            }
            if pair.theirs.is_valid(&value) { valid += 1 } else { invalid += 1 }
        }
        if failures.len() >= MAX_FAILURES {
            break;
        }
    }
    assert!(failures.is_empty(), "SCHEMA_SEED={seed}\n{}", failures.join("\n\n"));
    let counts = format!(
        "{valid} valid, {invalid} invalid, {rejected} with a rejected schema, \
         {skipped} for which jsonschema panics"
    );
    #[allow(clippy::print_stdout, reason = "the seed of a run is needed to repeat it")]
    {
        println!("seed {seed}: {counts}");
    }
    // A generator that makes only one kind of case would compare little.
    let total = valid + invalid + rejected;
    assert!(valid * 4 > total && invalid * 8 > total && rejected * 8 < total, "{counts}");
    assert!(skipped * 1000 <= total, "{counts}");
}

/// Shrinks a case that differs and describes it.
fn describe(index: u64, schema: &Map<String, Value>, value: &Value) -> String {
    let text = compare(schema, value).unwrap_or_default();
    let (small, small_value) = shrink::shrink(schema, value, |schema, value| {
        unless_jsonschema_panics(|| compare(schema, value)).flatten().is_some()
    });
    let difference = compare(&small, &small_value).unwrap_or_default();
    let (small, schema) = (Value::Object(small), Value::Object(schema.clone()));
    format!(
        "case {index}: {difference}\n  schema: {small}\n  value: {small_value}\n\
         before shrinking: {text}\n  schema: {schema}\n  value: {value}"
    )
}
