//! Tests that AWS credentials are read from environment variables and never printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use llm_exe::ports::{Signer, UnsignedRequest};
use llm_exe_aws::{CREDENTIAL_VARIABLES, CredentialSource, EnvironmentCredentials, SigV4Signer};

#[tokio::test]
async fn missing_variables_are_named() {
    for (set, expected) in [
        (&[][..], "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"),
        (&["AWS_ACCESS_KEY_ID"], "set AWS_SECRET_ACCESS_KEY in the environment"),
        (&["AWS_SECRET_ACCESS_KEY"], "set AWS_ACCESS_KEY_ID in the environment"),
    ] {
        let credentials = EnvironmentCredentials::new(move |name| {
            Some(if set.contains(&name) { "set".to_owned() } else { " ".to_owned() })
        });
        let error = credentials.credentials().await.unwrap_err();
        assert_eq!(error.kind().name(), "SecretNotFound");
        assert!(error.message().ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn invalid_value_is_not_shown() {
    let credentials = EnvironmentCredentials::new(|_| Some("two words".to_owned()));
    let error = credentials.credentials().await.unwrap_err();
    assert!(error.message().contains("AWS_ACCESS_KEY_ID"), "{error}");
    assert!(!error.message().contains("two words"), "{error}");
}

#[tokio::test]
async fn environment_is_read_once_and_lazily() {
    static READS: AtomicUsize = AtomicUsize::new(0);
    let credentials = Arc::new(EnvironmentCredentials::new(|name| {
        READS.fetch_add(1, Ordering::Relaxed);
        Some(format!("secret-{name}"))
    }));
    let signer = SigV4Signer::new(Arc::clone(&credentials) as Arc<dyn CredentialSource>);
    assert_eq!(READS.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        let request = UnsignedRequest {
            url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse",
            headers: &[],
            body: b"{}",
            service: "bedrock",
            region: "us-east-1",
        };
        let headers = signer.sign(request).await.unwrap();
        assert!(!format!("{headers:?}").contains("secret-"), "{headers:?}");
        assert_eq!(READS.load(Ordering::Relaxed), CREDENTIAL_VARIABLES.len());
    }
    let value = credentials.credentials().await.unwrap();
    assert!(!format!("{value:?} {credentials:?} {signer:?}").contains("secret-"));
}
