//! Tests how provider keys are fetched from Parameter Store, cached and renewed, and how errors are
//! reported.

use std::time::Duration;

use llm_exe::{ErrorKind, KeyName, Keys};
use llm_exe_aws::SsmKeys;

use crate::ports;
use crate::server::Moto;
use crate::support::assert_no_secrets;
use crate::support::proxy::{Action, Proxy};

const CACHE: Duration = Duration::from_secs(300);

fn keys(url: &str, cache: Duration) -> SsmKeys {
    ports(url).keys("Stack", cache).unwrap()
}

fn key_name() -> KeyName {
    KeyName::new("KeyOpenAI", &["OPENAI_API_KEY"])
}

fn ssm_error(status: u16, code: &str) -> Action {
    let body = format!("{{\"__type\":\"com.amazonaws.ssm#{code}\",\"Message\":\"no\"}}");
    Action::Respond(status, "content-type: application/x-amz-json-1.1\r\n".to_owned(), body)
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn concurrent_look_ups_share_one_request() {
    let moto = Moto::start().await;
    let proxy = Proxy::start(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key\r\n").await;
    let (keys, name) = (keys(&proxy.url(), CACHE), key_name());
    proxy.script(&[Action::Delay(Duration::from_millis(300))]);
    let (a, b, c) = tokio::join!(keys.get(&name), keys.get(&name), keys.get(&name));
    for key in [a, b, c, keys.get(&name).await] {
        assert_eq!(key.unwrap().expose(), "the.key");
    }
    assert_eq!(proxy.request_count(), 1);
    // Concurrent callers also share an error, but later callers send a new request.
    let missing_key = KeyName::new("KeyXAI", &["XAI_API_KEY"]);
    proxy.script(&[Action::Delay(Duration::from_millis(300))]);
    let (a, b) = tokio::join!(keys.get(&missing_key), keys.get(&missing_key));
    for error in [a.unwrap_err(), b.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::SecretNotFound);
        for expected in ["XAI_API_KEY", "/Stack/Secret/KeyXAI", "npm run update-secrets"] {
            assert!(error.message().contains(expected), "{error}");
        }
    }
    assert_eq!(proxy.request_count(), 1);
    moto.secret("/Stack/Secret/KeyXAI", "later").await;
    assert_eq!(keys.get(&missing_key).await.unwrap().expose(), "later");
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn replaced_key_is_renewed_by_one_request() {
    let moto = Moto::start().await;
    let proxy = Proxy::start(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "first").await;
    let (keys, name) = (keys(&proxy.url(), CACHE), key_name());
    let first = keys.get(&name).await.unwrap();
    moto.secret("/Stack/Secret/KeyOpenAI", "second").await;
    assert_eq!(keys.get(&name).await.unwrap().expose(), "first");
    proxy.script(&[]);
    let (a, b) = tokio::join!(keys.renewed(&name, &first), keys.renewed(&name, &first));
    for newer in [a, b] {
        assert_eq!(newer.unwrap().unwrap().expose(), "second");
    }
    let second = keys.get(&name).await.unwrap();
    assert_eq!(second.expose(), "second");
    // The key was renewed a moment ago, so Parameter Store is not called again yet.
    assert!(keys.renewed(&name, &second).await.unwrap().is_none());
    assert!(keys.renewed(&name, &second).await.unwrap().is_none());
    assert_eq!(proxy.request_count(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn permanent_errors_are_reported_and_transient_ones_retried() {
    let moto = Moto::start().await;
    let proxy = Proxy::start(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key").await;
    let denied = "ssm:GetParameter on /Stack";
    let invalid_response = Action::Respond(200, String::new(), "{}".to_owned());
    for (faults, kind, expected) in [
        (vec![ssm_error(400, "AccessDeniedException")], "AccessDenied", denied),
        (vec![ssm_error(400, "UnrecognizedClientException")], "AccessDenied", "credentials"),
        (vec![ssm_error(400, "ExpiredTokenException")], "AccessDenied", "credentials"),
        (vec![ssm_error(400, "ValidationException")], "SecretUnavailable", "ValidationException"),
        (vec![ssm_error(400, "ThrottlingException"); 3], "SecretUnavailable", "Throttling"),
        (vec![ssm_error(500, "InternalServerError"); 3], "SecretUnavailable", "500"),
        (vec![invalid_response], "SecretUnavailable", "invalid response"),
        (vec![Action::Drop; 3], "SecretUnavailable", "connection"),
    ] {
        proxy.script(&faults);
        let error = keys(&proxy.url(), CACHE).get(&key_name()).await.unwrap_err();
        assert_no_secrets(&format!("{error:?}"));
        assert_eq!(error.kind().name(), kind, "{faults:?}: {error}");
        assert!(error.message().contains(expected), "{faults:?}: {error}");
        assert_eq!(proxy.request_count(), faults.len(), "{faults:?}");
    }
    for fault in [ssm_error(400, "ThrottlingException"), ssm_error(503, ""), Action::Drop] {
        proxy.script(&[fault.clone(), fault.clone()]);
        let key = keys(&proxy.url(), CACHE).get(&key_name()).await.unwrap();
        assert_eq!(key.expose(), "the.key", "{fault:?}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn expired_key_is_used_while_parameter_store_fails() {
    let moto = Moto::start().await;
    let proxy = Proxy::start(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key").await;
    let keys = keys(&proxy.url(), Duration::from_millis(50));
    keys.get(&key_name()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    proxy.script(&vec![ssm_error(500, "InternalServerError"); 3]);
    assert_eq!(keys.get(&key_name()).await.unwrap().expose(), "the.key");
    assert_eq!(proxy.request_count(), 3);
    // After the parameter is deleted, the expired key is no longer used.
    tokio::time::sleep(Duration::from_millis(60)).await;
    proxy.script(&[ssm_error(400, "ParameterNotFound")]);
    let error = keys.get(&key_name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretNotFound);
}
