//! Keys from Parameter Store: decrypted, kept, shared by all who wait, fetched anew.

use std::time::Duration;

use llm_exe::{ErrorKind, KeyName, Keys};
use llm_exe_aws::SsmKeys;
use llm_exe_aws::ssm::Ssm;

use crate::proxy::{Action, Proxy};
use crate::server::Moto;
use crate::{REGION, aws, is_discreet};

const KEPT: Duration = Duration::from_secs(300);

fn keys(url: String, keep: Duration) -> SsmKeys {
    SsmKeys::new(Ssm::new(aws(), REGION.to_owned(), Some(url)), "Stack", keep)
}

fn name() -> KeyName {
    KeyName::new("KeyOpenAI", &["OPENAI_API_KEY"])
}

fn refused(status: u16, kind: &str) -> Action {
    let body = format!("{{\"__type\":\"com.amazonaws.ssm#{kind}\",\"Message\":\"no\"}}");
    Action::Answer(status, "content-type: application/x-amz-json-1.1\r\n".to_owned(), body)
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn one_request_serves_all_who_wait() {
    let moto = Moto::start().await;
    let proxy = Proxy::before(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key\r\n").await;
    let (keys, name) = (keys(proxy.url(), KEPT), name());
    proxy.will(&[Action::Slow(Duration::from_millis(300))]);
    let (a, b, c) = tokio::join!(keys.get(&name), keys.get(&name), keys.get(&name));
    for key in [a, b, c, keys.get(&name).await] {
        assert_eq!(key.unwrap().expose(), "the.key");
    }
    assert_eq!(proxy.journal().len(), 1);
    // A failure is shared, too, and not kept.
    let other = KeyName::new("KeyXAI", &["XAI_API_KEY"]);
    proxy.will(&[Action::Slow(Duration::from_millis(300))]);
    let (a, b) = tokio::join!(keys.get(&other), keys.get(&other));
    for error in [a.unwrap_err(), b.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::SecretNotFound);
        for told in ["XAI_API_KEY", "/Stack/Secret/KeyXAI", "npm run update-secrets"] {
            assert!(error.message().contains(told), "{error}");
        }
    }
    assert_eq!(proxy.journal().len(), 1);
    moto.secret("/Stack/Secret/KeyXAI", "later").await;
    assert_eq!(keys.get(&other).await.unwrap().expose(), "later");
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn a_replaced_key_is_fetched_anew_once() {
    let moto = Moto::start().await;
    let proxy = Proxy::before(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "first").await;
    let (keys, name) = (keys(proxy.url(), KEPT), name());
    let first = keys.get(&name).await.unwrap();
    moto.secret("/Stack/Secret/KeyOpenAI", "second").await;
    assert_eq!(keys.get(&name).await.unwrap().expose(), "first");
    proxy.will(&[]);
    let (a, b) = tokio::join!(keys.renewed(&name, &first), keys.renewed(&name, &first));
    for newer in [a, b] {
        assert_eq!(newer.unwrap().unwrap().expose(), "second");
    }
    let second = keys.get(&name).await.unwrap();
    assert_eq!(second.expose(), "second");
    // Nothing newer, and not asked for again at once.
    assert!(keys.renewed(&name, &second).await.unwrap().is_none());
    assert!(keys.renewed(&name, &second).await.unwrap().is_none());
    assert_eq!(proxy.journal().len(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn refusals_and_failures_are_told_apart() {
    let moto = Moto::start().await;
    let proxy = Proxy::before(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key").await;
    for (deeds, kind, told) in [
        (vec![refused(400, "AccessDeniedException")], "AccessDenied", "ssm:GetParameter on /Stack"),
        (vec![refused(400, "UnrecognizedClientException")], "AccessDenied", "credentials"),
        (vec![refused(400, "ExpiredTokenException")], "AccessDenied", "credentials"),
        (vec![refused(400, "ValidationException")], "SecretUnavailable", "ValidationException"),
        (vec![refused(400, "ThrottlingException"); 3], "SecretUnavailable", "Throttling"),
        (vec![refused(500, "InternalServerError"); 3], "SecretUnavailable", "500"),
        (vec![Action::Answer(200, String::new(), "{}".to_owned())], "SecretUnavailable", "read"),
        (vec![Action::Drop; 3], "SecretUnavailable", "connection"),
    ] {
        proxy.will(&deeds);
        let error = keys(proxy.url(), KEPT).get(&name()).await.unwrap_err();
        is_discreet(&format!("{error:?}"));
        assert_eq!(error.kind().name(), kind, "{deeds:?}: {error}");
        assert!(error.message().contains(told), "{deeds:?}: {error}");
        assert_eq!(proxy.journal().len(), deeds.len(), "{deeds:?}");
    }
    for deed in [refused(400, "ThrottlingException"), refused(503, ""), Action::Drop] {
        proxy.will(&[deed.clone(), deed.clone()]);
        let key = keys(proxy.url(), KEPT).get(&name()).await.unwrap();
        assert_eq!(key.expose(), "the.key", "{deed:?}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn a_known_key_is_used_on_while_the_store_fails() {
    let moto = Moto::start().await;
    let proxy = Proxy::before(moto.port).await;
    moto.secret("/Stack/Secret/KeyOpenAI", "the.key").await;
    let keys = keys(proxy.url(), Duration::from_millis(50));
    keys.get(&name()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    proxy.will(&vec![refused(500, "InternalServerError"); 3]);
    assert_eq!(keys.get(&name()).await.unwrap().expose(), "the.key");
    assert_eq!(proxy.journal().len(), 3);
    // Denied or deleted is another matter than failing.
    tokio::time::sleep(Duration::from_millis(60)).await;
    proxy.will(&[refused(400, "ParameterNotFound")]);
    let error = keys.get(&name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretNotFound);
}
