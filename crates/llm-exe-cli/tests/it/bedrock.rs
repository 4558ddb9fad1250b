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
    ("amazon:openai", "global.openai.gpt-6-sol"),
    ("amazon:openai", "openai.gpt-oss-120b-1:0"),
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
async fn render_and_validate_need_no_region() {
    let folder = Folder::new();
    let file = folder.file("request.json", request("amazon", "a.b-v1:0").to_string());
    let output = folder.run(&["render", &file]).await;
    let url = "https://bedrock-runtime.REGION.amazonaws.com/model/a.b-v1%3A0/converse";
    assert!(output.code == Some(0) && output.stdout.contains(url), "{output:?}");
    let output = folder.run(&["validate", &file]).await;
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let output = folder.run_with(&[("AWS_REGION", "eu-west-1")], &["render", &file]).await;
    let url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1%3A0/converse";
    assert!(output.stdout.contains(url), "{output:?}");
    // A call needs a region.
    let credentials = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let output = folder.run_with(&credentials, &["invoke", &file]).await;
    assert!(output.code == Some(3) && output.stderr.contains("set AWS_REGION"), "{output:?}");
}

#[tokio::test]
async fn region_is_read_from_environment_then_env_file_then_profile() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let url = simulator.bedrock_base_url();
    let file =
        folder.file("request.json", request("amazon:nova", "amazon.nova-pro-v1:0").to_string());
    folder.file(
        "conf",
        format!(
            "[default]\nregion=eu-west-1\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n\
             [profile other]\nregion=eu-west-2\n"
        ),
    );
    let base = [("AWS_ENDPOINT_URL", url.as_str()), ("AWS_CONFIG_FILE", "conf")];
    for (env_file, variables, region) in [
        ("", &[][..], "eu-west-1"),
        ("", &[("AWS_PROFILE", "default")], "eu-west-1"),
        ("AWS_DEFAULT_REGION=ap-south-1\n", &[], "ap-south-1"),
        ("AWS_DEFAULT_REGION=ap-south-1\nAWS_REGION=ap-south-2", &[], "ap-south-2"),
        ("AWS_REGION=ap-south-1\n", &[("AWS_DEFAULT_REGION", "ca-west-1")], "ca-west-1"),
        ("AWS_REGION=ap-south-1\n", &[("AWS_REGION", "us-west-2")], "us-west-2"),
    ] {
        simulator.clear();
        folder.file(".env", env_file);
        let variables = [&base[..], variables].concat();
        let output = folder.run_with(&variables, &["invoke", &file]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        let rendered = folder.run_with(&variables, &["render", "--json", &file]).await;
        assert_eq!(rendered.code, Some(0), "{rendered:?}");
        let url = rendered.json()["url"].to_string();
        assert!(url.contains(&simulator.url()) || url.contains(region), "{url} {region}");
    }
    folder.file(".env", "AWS_REGION=eu west\n");
    let output = folder.run_with(&base, &["invoke", &file]).await;
    assert!(output.code == Some(2) && output.stderr.contains("line 1: the value of AWS_REGION"));
}

#[tokio::test]
async fn misspelled_profile_is_named_with_the_existing_ones() {
    let folder = Folder::new();
    let file =
        folder.file("request.json", request("amazon:nova", "amazon.nova-pro-v1:0").to_string());
    folder.file("conf", "[default]\nregion=eu-west-1\n[profile work]\nregion=eu-west-2\n");
    for config in ["conf", "missing"] {
        let variables = [
            ("AWS_CONFIG_FILE", config),
            ("AWS_SHARED_CREDENTIALS_FILE", "missing"),
            ("AWS_PROFILE", "nosuch"),
            ("AWS_REGION", "us-east-1"),
        ];
        let output = folder.run_with(&variables, &["invoke", "--json", &file]).await;
        assert_eq!((output.code, &output.error()["type"]), (Some(3), &json!("SecretNotFound")));
        let message = output.error()["message"].to_string();
        assert!(message.contains("nosuch") && message.contains("AWS_CONFIG_FILE"), "{message}");
        let existing = if config == "conf" { "default, work" } else { "there are no profiles" };
        assert!(message.contains(existing), "{message}");
    }
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
