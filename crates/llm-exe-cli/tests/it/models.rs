//! Tests `llm-exe models`.

use serde_json::{Value, json};

use crate::harness::Folder;

/// The providers whose models are in the catalog.
const CATALOG_PROVIDERS: [&str; 6] = ["openai", "anthropic", "google", "xai", "deepseek", "amazon"];

async fn models(arguments: &[&str]) -> Value {
    let output = Folder::new().run(&[&["models", "--json"], arguments].concat()).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    output.json().clone()
}

#[tokio::test]
async fn all_models_are_listed_with_their_facts() {
    let all = models(&[]).await;
    let all = all.as_array().unwrap();
    assert!(all.len() > 400, "{}", all.len());
    for model in all {
        assert!(model["provider"].is_string() && model["effort"].is_string(), "{model}");
        // The models of other providers are rows of a table, which have neither a price nor a date.
        let is_in_catalog =
            CATALOG_PROVIDERS.contains(&model["provider"].as_str().unwrap_or_default());
        assert_eq!(model["source"].is_string(), is_in_catalog, "{model}");
        assert_eq!(model["date"].is_string(), is_in_catalog, "{model}");
    }
    let priced = all.iter().filter(|model| model["price"]["input"].is_string()).count();
    assert!(priced > 400, "{priced}");
}

#[tokio::test]
async fn models_are_selected_by_names_and_patterns() {
    let names = |models: &Value| -> Vec<String> {
        let name = |model: &Value| {
            [model["provider"].as_str().unwrap(), model["model"].as_str().unwrap()].join(":")
        };
        models.as_array().unwrap().iter().map(name).collect()
    };
    for pattern in ["claude-opus-5-5", "anthropic:claude-opus-5-5", "anthropic:*opus-5-5"] {
        assert_eq!(names(&models(&[pattern]).await), ["anthropic:claude-opus-5-5"], "{pattern}");
    }
    let profiles = names(&models(&["*anthropic.claude-opus-5-5"]).await);
    assert!(profiles.len() > 4 && profiles.contains(&"amazon:us.anthropic.claude-opus-5-5".into()));
    let google = names(&models(&["google"]).await);
    assert!(google.len() > 20 && google.iter().all(|name| name.starts_with("google:")));
    assert_eq!(names(&models(&["google:"]).await), google);
    let output = Folder::new().run(&["models", "xai:grok-4.*"]).await;
    assert!(output.stdout.lines().count() > 3 && output.stdout.starts_with("model "), "{output:?}");
    // The packages have different prices.
    let output = Folder::new().run(&["models", "amazon:openai.gpt-6-sol"]).await;
    for text in ["input 2,", "another source ", " genai-prices ", "input 2.2,"] {
        assert!(output.stdout.contains(text), "{text}: {output:?}");
    }
    let output = Folder::new().run(&["models", "claude-haiku-5-5"]).await;
    for text in ["above 100000 tokens", "input 0.5", "batch 0.5", "512", "litellm", "image, pdf"] {
        assert!(output.stdout.contains(text), "{text}: {output:?}");
    }
}

#[tokio::test]
async fn a_model_outside_the_catalog_has_capabilities_and_no_price() {
    let output = Folder::new().run(&["models", "--json", "openai:gpt-6-soll"]).await;
    let models = output.json();
    assert_eq!(
        (&models[0]["row"], &models[0]["price"]),
        (&json!("gpt-5.6* gpt-6-sol* gpt-6-luna* gpt-6.1-terra*"), &Value::Null)
    );
    assert!(output.stderr.contains("did you mean openai:gpt-6-sol?"), "{output:?}");
    for name in ["amazon:nova:amazon.nova-9", "ollama:qwen9", "amazon:arn:aws:bedrock:x"] {
        let output = Folder::new().run(&["models", name]).await;
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("not known"), "{output:?}");
    }
}

#[tokio::test]
async fn other_names_of_a_model_have_its_facts() {
    let profile = "us.anthropic.claude-opus-5-5";
    let arn = format!("amazon:arn:aws:bedrock:us-east-1:1:inference-profile/{profile}");
    for (name, listed) in [
        ("openai:gpt-6-sol-2026-09-22", "openai:gpt-6-sol"),
        ("google:models/gemini-3.8-flash", "google:gemini-3.8-flash"),
        (&*arn, &*format!("amazon:{profile}")),
        (&*format!("amazon:anthropic:{profile}"), &*format!("amazon:{profile}")),
    ] {
        let output = Folder::new().run(&["models", "--json", name]).await;
        assert_eq!(output.stderr, "", "{name}");
        let (found, expected) = (output.json()[0].clone(), models(&[listed]).await[0].clone());
        assert!(expected["price"]["input"].is_string(), "{expected}");
        for field in ["price", "context", "row", "source"] {
            assert_eq!(found[field], expected[field], "{name} {field}");
        }
    }
    // A deployment has the capabilities of the model with its name, but no list price.
    let deployment = models(&["azure:gpt-6-sol"]).await;
    let model = models(&["openai:gpt-6-sol"]).await;
    assert_eq!(deployment[0]["row"], model[0]["row"]);
    assert_eq!(deployment[0]["price"], Value::Null);
}

#[tokio::test]
async fn unknown_names_are_errors_with_suggestions() {
    for (pattern, message) in [
        ("opnai:gpt-4o", "unknown provider \"opnai\" (did you mean openai?)"),
        ("gpt6-sol", "no model is named \"gpt6-sol\" (did you mean gpt-6-sol?)"),
        ("nothing-like-it", "no model is named \"nothing-like-it\""),
        ("nothing*", "no model matches \"nothing*\""),
        ("azure", "no model is named \"azure\""),
        ("azure:my-deployment", "nothing is known about \"azure:my-deployment\""),
        ("", "no model is named \"\""),
    ] {
        let output = Folder::new().run(&["models", "--json", pattern]).await;
        assert_eq!(output.code, Some(2), "{output:?}");
        let found = output.error()["message"].as_str().unwrap().to_owned();
        assert!(found.starts_with(message), "{found}");
    }
}
