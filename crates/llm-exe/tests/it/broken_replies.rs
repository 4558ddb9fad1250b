//! A property test of `json`: a reply in which one character is deleted, inserted, replaced or
//! exchanged with the next one never results in a wrong value.
//!
//! The result may be the value of the unbroken reply, the value that strict JSON gives for the
//! changed text, a value with the warning that the reply is not strict JSON, or an error.
//! `BROKEN_REPLIES` is the number of replies, and `BROKEN_REPLIES_SEED` repeats a run.

use fastrand::Rng;
use llm_exe::{Plan, Rules};
use serde_json::{Map, Value, json};

/// Parts of the strings in a reply. Many of them look like parts of JSON.
const WORDS: &[&str] = &[
    "a",
    "b c",
    "it's",
    "[1]",
    "{",
    "}",
    "[",
    "]",
    "{}",
    "\"",
    "\":",
    ",",
    ": ",
    "x]",
    "[y",
    "//",
    "/* */",
    "\\",
    "\n",
    "1",
    "-2",
    "true",
    "None",
    "é",
    "“",
    "”",
    "```",
    "</think>",
    "a } b { c",
    "see [2, 3] there",
    "{\"k\": 1}",
    "'q'",
];

/// Characters that are inserted.
const CHARACTERS: &str = "{}[]\",:'0123456789-+.eEtx \n\\/`“”#_TN\u{a0}";

fn string(rng: &mut Rng) -> String {
    let count = rng.usize(0..4);
    let words: Vec<&str> = (0..count).map(|_| WORDS[rng.usize(0..WORDS.len())]).collect();
    words.join(if rng.bool() { " " } else { "" })
}

fn number(rng: &mut Rng) -> Value {
    match rng.u8(0..6) {
        0 => json!(rng.i32(-99..100)),
        1 => json!(f64::from(rng.i32(-999..1000)) / 8.0),
        _ => json!(rng.u8(..)),
    }
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(0..if depth == 0 { 5 } else { 9 }) {
        0 => json!(rng.bool()),
        1 if rng.bool() => Value::Null,
        1 | 2 => number(rng),
        3 | 4 => json!(string(rng)),
        5 | 6 => container(rng, depth - 1, true),
        _ => container(rng, depth - 1, false),
    }
}

/// Generates an object or a list. The items of most lists have one form.
fn container(rng: &mut Rng, depth: usize, is_object: bool) -> Value {
    let count = rng.usize(0..5);
    if is_object {
        let names = ["a", "b", "title", "score", "by", "x y", "sizes", "}"];
        let fields =
            (0..count).map(|_| (names[rng.usize(0..names.len())].to_owned(), value(rng, depth)));
        return Value::Object(fields.collect::<Map<_, _>>());
    }
    match rng.u8(0..5) {
        0 => (0..count).map(|_| number(rng)).collect(),
        1 => (0..count).map(|_| json!(string(rng))).collect(),
        2 => (0..count).map(|_| json!({"a": number(rng)})).collect(),
        3 => (0..count).map(|_| json!([number(rng), number(rng)])).collect(),
        _ => (0..count).map(|_| value(rng, depth)).collect(),
    }
}

/// Generates a schema that a value satisfies.
fn schema(rng: &mut Rng, value: &Value) -> Value {
    match value {
        _ if rng.u8(0..8) == 0 => json!({}),
        Value::Null => json!({"type": ["null", "string"]}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) => {
            let is_integer = number.is_i64() || number.is_u64();
            json!({"type": if is_integer && rng.bool() { "integer" } else { "number" }})
        }
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) if rng.bool() && !items.is_empty() => {
            let mut branches: Vec<Value> = items.iter().map(|item| schema(rng, item)).collect();
            branches.dedup();
            let only = if branches.len() == 1 { branches.pop() } else { None };
            json!({"type": "array", "items": only.unwrap_or_else(|| json!({"anyOf": branches}))})
        }
        Value::Array(_) => json!({"type": "array"}),
        Value::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), schema(rng, field))).collect();
            let required: Vec<&String> = fields.keys().filter(|_| rng.u8(0..4) > 0).collect();
            match rng.u8(0..4) {
                0 => json!({"type": "object"}),
                1 => json!({"type": "object", "properties": properties, "required": required}),
                _ => json!({
                    "type": "object", "properties": properties, "required": required,
                    "additionalProperties": false
                }),
            }
        }
    }
}

/// Writes a value in one of the usual forms.
fn write(rng: &mut Rng, value: &Value) -> String {
    match rng.u8(0..3) {
        0 => serde_json::to_string_pretty(value).unwrap(),
        _ => value.to_string(),
    }
}

/// Changes one character of a text.
fn break_text(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = rng.usize(0..chars.len());
    let pool: Vec<char> = CHARACTERS.chars().collect();
    let new = pool[rng.usize(0..pool.len())];
    match rng.u8(0..4) {
        0 => drop(chars.remove(at)),
        1 => chars.insert(at + usize::from(rng.bool()), new),
        2 => chars[at] = new,
        _ if at + 1 < chars.len() => chars.swap(at, at + 1),
        _ => chars.insert(at, new),
    }
    chars.into_iter().collect()
}

fn parse(schema: &Value, reply: &str) -> Result<(Value, Vec<String>), String> {
    let request = json!({
        "provider": "openai", "model": "m", "message": "hi", "output": "json", "schema": schema,
    });
    let plan = Plan::from_value(request, &Rules::default()).unwrap();
    plan.parse_output(reply).map_err(|error| error.0)
}

#[derive(Debug, Default)]
struct Outcomes {
    good: usize,
    strict: usize,
    near: usize,
    rejected: usize,
    wrong: Vec<String>,
}

/// Returns the number in an environment variable.
#[expect(clippy::disallowed_methods, reason = "benches/run-broken-replies sets the variables")]
fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().unwrap())
}

#[test]
fn broken_replies_never_result_in_a_wrong_value() {
    let count = variable("BROKEN_REPLIES", 2000);
    let seed = variable("BROKEN_REPLIES_SEED", 1);
    let mut outcomes = Outcomes::default();
    for index in 0..count {
        let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(index));
        let is_object = rng.u8(0..3) > 0;
        let value = container(&mut rng, 2, is_object);
        let mut schema = schema(&mut rng, &value);
        if schema == json!({}) {
            schema = json!({"type": ["object", "array"]});
        }
        let json = write(&mut rng, &value);
        let (before, after) = match rng.u8(0..6) {
            0 => ("```json\n", "\n```"),
            1 => ("Here it is:\n```json\n", "\n```\nDone."),
            2 => ("Sure: ", " Anything else?"),
            _ => ("", ""),
        };
        let reply = format!("{before}{json}{after}");
        assert_eq!(parse(&schema, &reply), Ok((value.clone(), Vec::new())), "{reply}");
        let broken = break_text(&mut rng, &json);
        let reply = format!("{before}{broken}{after}");
        let strict: Option<Value> = serde_json::from_str(&broken).ok();
        let expected = strict.and_then(|strict| parse(&schema, &strict.to_string()).ok());
        match parse(&schema, &reply) {
            Err(_) => outcomes.rejected += 1,
            Ok((result, _)) if result == value => outcomes.good += 1,
            Ok((result, _)) if expected.is_some_and(|(strict, _)| strict == result) => {
                outcomes.strict += 1;
            }
            Ok((_, warnings))
                if warnings.iter().any(|text| text.starts_with("the reply is not strict JSON")) =>
            {
                outcomes.near += 1;
            }
            Ok((result, _)) => outcomes.wrong.push(format!(
                "seed {seed}, reply {index}\n  unbroken: {json}\n  reply: {reply:?}\n  schema: \
                 {schema}\n  result: {result}"
            )),
        }
    }
    let Outcomes { good, strict, near, rejected, wrong } = outcomes;
    println!(
        "{count} broken replies: {good} good, {strict} strict JSON, {near} near-JSON, {rejected} \
         rejected, {} wrong",
        wrong.len()
    );
    assert!(strict > 0 && near > 0 && rejected > 0 && good > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
