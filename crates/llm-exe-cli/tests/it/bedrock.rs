//! Tests that the program can call simulated Amazon Bedrock models, and where it reads the
//! credentials and the region from.

use llm_exe_simulator::{ScriptedResponse, Simulator, Step};
use serde_json::{Value, json};

use crate::harness::Folder;

const MODELS: &[(&str, &str)] = &[
    ("amazon:anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("amazon:anthropic.chat.v1", "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12"),
    ("amazon:meta", "us.meta.llama4-scout-17b-instruct-v1:0"),
    ("amazon:nova", "amazon.nova-pro-v1:0"),
    ("amazon", "mistral.mistral-large-2407-v1:0"),
    ("amazon", "us.anthropic.claude-opus-4-8"),
    ("amazon", "example.new-model-v1:0"),
];
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn request(provider: &str, model: &str) -> Value {
    json!({ "provider": provider, "model": model, "message": "Say hello." })
}

#[tokio::test]
async fn simulator_accepts_signatures_for_every_model() {
    let folder = Folder::new();
    for (provider, model) in MODELS {
        let mut request = request(provider, model);
        let file = folder.file("request.json", request.to_string());
        let output = folder.run(&["invoke", "--simulate", &file]).await;
        let expected = format!("Simulated reply from {model} to: \"Say hello.\"\n");
        assert_eq!((output.code, &output.stdout), (Some(0), &expected), "{output:?}");
        request["output"] = json!("json");
        request["schema"] = json!({
            "type": "object",
            "properties": { "n": { "type": "integer", "enum": [7] } },
            "required": ["n"]
        });
        let file = folder.file("request.json", request.to_string());
        for variables in [&[][..], &[("AWS_REGION", "cn-north-1"), ("AWS_ACCESS_KEY_ID", "x")]] {
            let output =
                folder.run_with(variables, &["invoke", "--simulate", "--json", &file]).await;
            assert_eq!(output.code, Some(0), "{model}: {output:?}");
            assert_eq!(output.json(), json!({ "n": 7 }), "{model}: {output:?}");
        }
    }
}

#[tokio::test]
async fn credentials_are_not_mixed_from_environment_and_env_file() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let url = simulator.bedrock_base_url();
    let file =
        folder.file("request.json", request("amazon:nova", "amazon.nova-pro-v1:0").to_string());
    let arguments = ["invoke", file.as_str()];
    let base = [("AWS_ENDPOINT_URL", url.as_str()), ("AWS_DEFAULT_REGION", "eu-west-1")];
    let with = |credentials: &[(&'static str, &'static str)]| [&base[..], credentials].concat();

    let output = folder.run_with(&with(&[]), &arguments).await;
    assert_eq!(output.code, Some(3), "{output:?}");
    let expected = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
    assert!(output.stderr.contains(expected) && output.stderr.contains(".env"), "{output:?}");
    assert!(simulator.journal().is_empty());

    let valid = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let output = folder.run_with(&with(&valid), &arguments).await;
    assert_eq!(output.code, Some(0), "{output:?}");

    let wrong = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", "wrong-secret")];
    let output = folder.run_with(&with(&wrong), &arguments).await;
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.stderr.contains("AWS rejected the credentials (403)"), "{output:?}");
    assert!(!output.stderr.contains("wrong-secret"), "{output:?}");

    folder.file(".env", format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"));
    let output = folder.run_with(&with(&[]), &arguments).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    // If the credentials in the environment are incomplete, the missing parts are not read from the
    // file.
    let output = folder.run_with(&with(&valid[..1]), &arguments).await;
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("set AWS_SECRET_ACCESS_KEY"), "{output:?}");
}

#[tokio::test]
async fn render_needs_a_region() {
    let folder = Folder::new();
    let file = folder.file("request.json", request("amazon", "a.b-v1:0").to_string());
    let output = folder.run(&["render", &file]).await;
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(
        output.stderr.contains("set AWS_REGION") && !output.stderr.contains(".env"),
        "{output:?}"
    );
    let output = folder.run_with(&[("AWS_REGION", "eu-west-1")], &["render", &file]).await;
    let url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1%3A0/converse";
    assert!(output.stdout.contains(url), "{output:?}");
}

#[tokio::test]
async fn credentials_that_an_error_quotes_are_removed() {
    const KEY_ID: &str = "MYACCESSKEYID0001";
    const TOKEN: &str = "a-session-token-of-several-words";
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let url = simulator.bedrock_base_url();
    let model = "us.amazon.nova-2-lite-v1:0";
    let file = folder.file("request.json", request("amazon", model).to_string());
    let variables = [
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", TOKEN),
    ];
    for message in [
        format!("x-amz-security-token:{TOKEN}"),
        json!({ "headers": { "x-amz-security-token": TOKEN } }).to_string(),
        format!("the secret is {SECRET}"),
        format!("Credential={KEY_ID}/20261127/us-east-1/bedrock/aws4_request"),
    ] {
        simulator.clear();
        simulator.script(vec![Step::new(ScriptedResponse::Status {
            status: 400,
            headers: Vec::new(),
            body: Some(json!({ "message": message })),
        })]);
        let output = folder.run_with(&variables, &["invoke", "--json", &file]).await;
        assert_ne!(output.code, Some(0), "{output:?}");
        let text = output.error()["message"].to_string();
        assert!(text.contains("[redacted]"), "{text}");
        for secret in [KEY_ID, SECRET, TOKEN] {
            assert!(!output.stderr.contains(secret), "{text}");
        }
    }
}
