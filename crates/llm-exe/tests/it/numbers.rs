//! Tests that a number with too many digits for 64 bits is never changed silently. With the feature
//! `exact-numbers`, it keeps all digits. Without it, it is an error that names the feature.

use llm_exe::hosted::{Format, HostedConfig};
use llm_exe::prompt::Template;
use llm_exe::{Plan, Rules};
use serde_json::{Value, json};

const DIGITS: &str = "123456789012345678901234567890";

fn parse_reply(output: &str, reply: &str) -> Result<Value, String> {
    let schema = json!({ "type": "object", "properties": { "n": { "type": "number" } } });
    let mut request = json!({
        "provider": "openai", "model": "m", "message": "hi", "output": output, "schema": schema
    });
    if output == "number" {
        request.as_object_mut().unwrap().shift_remove("schema");
    }
    let plan = Plan::from_value(request, &Rules::default()).unwrap();
    plan.parse_output(reply).map(|(value, _)| value).map_err(|error| error.0)
}

/// Checks that the result contains all digits, or is an error that names the feature.
fn check(name: &str, result: Result<String, String>) {
    match (result, cfg!(feature = "exact-numbers")) {
        (Ok(text), true) => assert!(text.contains(DIGITS), "{name}: {text}"),
        (Err(error), false) => assert!(error.contains("`exact-numbers`"), "{name}: {error}"),
        (result, _) => panic!("{name}: {result:?}"),
    }
}

#[test]
fn a_long_number_keeps_its_digits_or_names_the_feature() {
    for (output, reply) in [
        ("json", format!("{{\"n\":{DIGITS}}}")),
        ("json", format!("{{\"n\":\"{DIGITS}\"}}")),
        ("json", format!("Sure: {{\"n\":{DIGITS}}}.")),
        ("json", format!("```json\n{{\"n\":0.{DIGITS}}}\n```")),
        ("listToJson", format!("n: {DIGITS}")),
        ("number", format!("It is {DIGITS}.")),
    ] {
        let result = parse_reply(output, &reply);
        check(&reply, result.map(|value| value.to_string()));
    }
    for (format, text) in [
        (Format::Json, format!("{{\"data\":{{\"n\":{DIGITS}}}}}")),
        (Format::Yaml, format!("data:\n  n: {DIGITS}\n")),
        (Format::Yaml, format!("data:\n  n: {DIGITS}.5\n")),
    ] {
        let config = HostedConfig::parse(text.as_bytes(), format);
        let fields = config.map(|config| Value::Object(config.fields).to_string());
        check(&text, fields.map_err(|error| error.message));
    }
    let template = Template::compile(&format!("{{{{default a {DIGITS}}}}}"));
    let source = template.map(|_| DIGITS.to_owned());
    check("template", source.map_err(|problems| problems[0].message.clone()));
}

#[test]
fn numbers_that_fit_into_64_bits_are_the_same_with_and_without_the_feature() {
    for (reply, expected) in [
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("9007199254740993", json!(9_007_199_254_740_993_u64)),
        ("0.30000000000000004", json!(0.1 + 0.2)),
        ("5e-324", json!(5e-324)),
        ("2.2250738585072014e-308", json!(f64::MIN_POSITIVE)),
        ("-1.5", json!(-1.5)),
    ] {
        for text in [format!("{{\"n\":{reply}}}"), format!("{{\"n\":\"{reply}\"}}")] {
            let value = parse_reply("json", &text).unwrap();
            assert_eq!(value["n"].as_f64(), expected.as_f64(), "{text}");
            assert_eq!(value["n"].as_i64(), expected.as_i64(), "{text}");
            assert_eq!(value["n"].as_u64(), expected.as_u64(), "{text}");
        }
    }
}
