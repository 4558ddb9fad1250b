//! Tests for API keys in environment variables. They cover precedence, trimming and validation, and
//! check that errors never quote a key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use llm_exe::ports::PortFuture;
use llm_exe::{EnvironmentKeys, Error, ErrorKind, KeyName, Keys, Secret};

use proptest::prelude::*;

async fn get(variables: &[(&str, &str)]) -> Result<Secret, Error> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let keys = EnvironmentKeys::new(move |name| variables.get(name).cloned());
    let name = KeyName::new("KeyTest", &["FIRST_KEY", "SECOND_KEY"]);
    assert!(!format!("{keys:?}").contains("sentinel"));
    keys.get(&name).await
}

#[tokio::test]
async fn first_variable_with_a_value_is_used() {
    for (variables, expected) in [
        (vec![("FIRST_KEY", "a")], "a"),
        (vec![("SECOND_KEY", "b")], "b"),
        (vec![("FIRST_KEY", "a"), ("SECOND_KEY", "b")], "a"),
        (vec![("FIRST_KEY", " \t a \r\n")], "a"),
        // An empty variable is treated as not set.
        (vec![("FIRST_KEY", ""), ("SECOND_KEY", "b")], "b"),
        (vec![("FIRST_KEY", "  "), ("SECOND_KEY", "b")], "b"),
    ] {
        let key = get(&variables).await;
        let key = key.unwrap_or_else(|error| panic!("{variables:?}: {error}"));
        assert_eq!(key.expose(), expected, "{variables:?}");
    }
}

#[tokio::test]
async fn missing_key_error_names_the_variables() {
    for variables in [vec![], vec![("FIRST_KEY", "")], vec![("OTHER", "x")]] {
        let error = get(&variables).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SecretNotFound);
        let text = error.message();
        assert!(text.contains("FIRST_KEY") && text.contains("SECOND_KEY"), "{text}");
    }
}

#[tokio::test]
async fn invalid_key_error_names_the_variable_and_not_the_key() {
    for value in [
        "sentinel two",
        "sentinel\nx-evil: 1",
        "sentinel\u{0}",
        "sentinel\u{7f}",
        "sentinelä",
        "sentinel\u{feff}",
        "“sentinel”",
    ] {
        let error = get(&[("SECOND_KEY", value)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SecretNotFound, "{value:?}");
        assert!(error.message().contains("SECOND_KEY"), "{error}");
        assert!(!format!("{error} {error:?}").contains("sentinel"), "{error:?}");
    }
}

/// A key store with one key. It records which of its methods are called.
#[derive(Default)]
struct Store(Mutex<Vec<&'static str>>);

impl Keys for Store {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        self.0.lock().unwrap().push("get");
        Box::pin(async { Ok(Secret::new("stored").unwrap()) })
    }

    fn renewed<'a>(
        &'a self,
        _: &'a KeyName,
        _: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        self.0.lock().unwrap().push("renewed");
        Box::pin(async { Ok(Some(Secret::new("newer").unwrap())) })
    }
}

#[tokio::test]
async fn store_is_used_only_if_no_variable_is_set() {
    for (value, expected, calls) in [
        (Some("set"), "set", &[][..]),
        (Some("two words"), "can't be used", &[]),
        (Some(" "), "stored", &["get", "renewed"]),
        (None, "stored", &["get", "renewed"]),
    ] {
        let store = Arc::new(Store::default());
        let keys = EnvironmentKeys::new(move |_| value.map(str::to_owned)).or_else(store.clone());
        let name = KeyName::new("KeyTest", &["FIRST_KEY"]);
        match keys.get(&name).await {
            Ok(key) => {
                assert_eq!(key.expose(), expected);
                let newer = keys.renewed(&name, &key).await.unwrap();
                assert_eq!(newer.is_some(), !calls.is_empty());
            }
            Err(error) => assert!(error.message().contains(expected), "{error}"),
        }
        assert_eq!(*store.0.lock().unwrap(), calls);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_valid_key_or_rejected(text in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(get(&[("FIRST_KEY", &text)])) {
            Ok(secret) => {
                prop_assert_eq!(secret.expose(), text.trim());
                prop_assert!(secret.expose().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(format!("{secret:?}"), "[redacted]");
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::SecretNotFound),
        }
    }
}

/// A key store that never returns.
struct Hanging;

impl Keys for Hanging {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn look_up_of_the_endpoint_key_times_out() {
    let look_up = |name: &str| (name == "ENDPOINT_AUTH").then(|| "API_KEY".to_owned());
    let settings = llm_exe_function::Settings::parse(&look_up).unwrap();
    let function = llm_exe_function::Function::new(&settings, Arc::new(Hanging));
    let event = serde_json::json!({
        "version": "2.0", "rawPath": "/", "headers": { "x-api-key": "a-guess" },
        "requestContext": { "http": { "method": "POST" } }, "body": "{}"
    });
    let invocation = llm_exe_events::Invocation::default();
    let deadline = llm_exe::Deadline::after(std::time::Duration::from_millis(200));
    let handled = function.handle(event.to_string().as_bytes(), invocation, deadline).await;
    let response = handled.response().unwrap();
    assert_eq!(response["statusCode"], 504);
    assert!(response["body"].as_str().unwrap().contains("Timeout"), "{response}");
}
