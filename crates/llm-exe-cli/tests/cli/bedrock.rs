//! Amazon Bedrock: every row through the simulator, and where credentials and the region come from.

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::harness::Folder;

const ROWS: &[(&str, &str)] = &[
    ("amazon:anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("amazon:anthropic.chat.v1", "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12"),
    ("amazon:meta", "us.meta.llama4-scout-17b-instruct-v1:0"),
    ("amazon:nova", "amazon.nova-pro-v1:0"),
    ("amazon", "mistral.mistral-large-2407-v1:0"),
    ("amazon", "us.anthropic.claude-opus-4-8"),
    ("amazon", "somebody.new-model-v1:0"),
];
const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn request(provider: &str, model: &str) -> Value {
    json!({ "provider": provider, "model": model, "message": "Say hello." })
}

#[tokio::test]
async fn every_row_is_simulated_with_verified_signatures() {
    let folder = Folder::new();
    for (provider, model) in ROWS {
        let mut request = request(provider, model);
        let file = folder.file("request.json", request.to_string());
        let done = folder.run(&["invoke", "--simulate", &file]).await;
        let expected = format!("Simulated reply from {model} to: \"Say hello.\"\n");
        assert_eq!((done.code, &done.stdout), (Some(0), &expected), "{done:?}");
        request["output"] = json!("json");
        request["schema"] = json!({
            "type": "object",
            "properties": { "n": { "type": "integer", "enum": [7] } },
            "required": ["n"]
        });
        let file = folder.file("request.json", request.to_string());
        for more in [&[][..], &[("AWS_REGION", "cn-north-1"), ("AWS_ACCESS_KEY_ID", "x")]] {
            let done = folder.run_with(more, &["invoke", "--simulate", "--json", &file]).await;
            assert_eq!(done.code, Some(0), "{model}: {done:?}");
            assert_eq!(done.json(), json!({ "n": 7 }), "{model}: {done:?}");
        }
    }
}

#[tokio::test]
async fn credentials_are_all_of_the_environment_or_all_of_the_file() {
    let folder = Folder::new();
    let simulator = Simulator::start().await.unwrap();
    let url = simulator.bedrock_base_url();
    let file =
        folder.file("request.json", request("amazon:nova", "amazon.nova-pro-v1:0").to_string());
    let arguments = ["invoke", file.as_str()];
    let place = [("AWS_ENDPOINT_URL", url.as_str()), ("AWS_DEFAULT_REGION", "eu-west-1")];
    let with = |more: &[(&'static str, &'static str)]| [&place[..], more].concat();

    let done = folder.run_with(&with(&[]), &arguments).await;
    assert_eq!(done.code, Some(3), "{done:?}");
    let told = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
    assert!(done.stderr.contains(told) && done.stderr.contains(".env"), "{done:?}");
    assert!(simulator.journal().is_empty());

    let good = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let done = folder.run_with(&with(&good), &arguments).await;
    assert_eq!(done.code, Some(0), "{done:?}");

    let wrong = [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", "wrong-secret")];
    let done = folder.run_with(&with(&wrong), &arguments).await;
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.stderr.contains("the AWS credentials were not accepted (403)"), "{done:?}");
    assert!(!done.stderr.contains("wrong-secret"), "{done:?}");

    folder.file(".env", format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"));
    let done = folder.run_with(&with(&[]), &arguments).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    // Half of them in the environment is not completed from the file.
    let done = folder.run_with(&with(&good[..1]), &arguments).await;
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains("set AWS_SECRET_ACCESS_KEY"), "{done:?}");
}

#[tokio::test]
async fn a_region_is_needed_to_render() {
    let folder = Folder::new();
    let file = folder.file("request.json", request("amazon", "a.b-v1:0").to_string());
    let done = folder.run(&["render", &file]).await;
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.stderr.contains("set AWS_REGION") && !done.stderr.contains(".env"), "{done:?}");
    let done = folder.run_with(&[("AWS_REGION", "eu-west-1")], &["render", &file]).await;
    let url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1%3A0/converse";
    assert!(done.stdout.contains(url), "{done:?}");
}
