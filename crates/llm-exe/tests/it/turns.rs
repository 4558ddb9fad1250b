//! Tests that the turns of a model are sent back as it requires. The simulator creates the turns
//! with their reasoning and signatures, and rejects them if anything in them or before them has
//! changed.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::chat::{Chat, Message, RawTurn, Role, Tool, ToolContent, ToolResult};
use llm_exe::providers::{Dialect, ProviderRow, provider};
use llm_exe::{Deadline, Rules, Runner};
use llm_exe_simulator::{Simulator, Step};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::common;

/// The models to test: the provider, with the name of its API if it is not the main one, the model
/// and the effort.
pub(crate) const MODELS: &[(&str, &str, Option<&str>)] = &[
    ("anthropic", "claude-opus-5-5", None),
    ("anthropic", "claude-fable-5-2", Some("low")),
    ("anthropic", "claude-opus-4-7", Some("low")),
    ("anthropic", "claude-sonnet-4-5", Some("low")),
    ("amazon:anthropic", "us.anthropic.claude-opus-5-5", None),
    ("amazon:anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("low")),
    ("amazon", "us.anthropic.claude-opus-5-5", None),
    ("amazon", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("low")),
    ("amazon", "amazon.nova-lite-v1:0", None),
    ("amazon", "mistral.mistral-large-2402-v1:0", None),
    ("google", "gemini-4-argon", None),
    ("google", "gemini-3.5-flash", Some("low")),
    ("google", "gemini-2.5-flash", None),
    ("deepseek", "deepseek-v4-flash", Some("high")),
    ("openai", "gpt-4o", None),
    ("openai", "gpt-6-sol", Some("high")),
    ("openai responses", "gpt-4o", None),
    ("openai responses", "gpt-5-mini", Some("minimal")),
    ("openai responses", "gpt-6-sol", Some("max")),
    ("openai responses", "gpt-6.2-astra", None),
    ("openai responses", "gpt-5.4-pro", Some("high")),
    ("azure responses", "gpt-6-sol", Some("high")),
    ("amazon:openai responses", "global.openai.gpt-6-sol", Some("max")),
    ("xai", "grok-4.3", None),
    ("xai responses", "grok-4.7", Some("xhigh")),
    ("xai responses", "grok-4-1-fast-non-reasoning", None),
    ("ollama", "qwen3", Some("low")),
    ("azure", "gpt-4o", None),
    ("amazon:openai", "us.openai.gpt-6-sol", Some("high")),
    ("amazon:openai", "openai.gpt-oss-120b-1:0", Some("low")),
    ("mistral", "mistral-large-4", Some("high")),
    ("groq", "openai/gpt-oss-120b", Some("low")),
    ("openrouter", "anthropic/claude-opus-5", Some("low")),
    ("together", "openai/gpt-oss-20b", Some("low")),
    ("fireworks", "accounts/fireworks/models/glm-5", Some("low")),
    ("cerebras", "gpt-oss-120b", Some("low")),
    ("perplexity", "sonar-pro", None),
];

/// Returns the provider and the dialect for a name in [`MODELS`].
pub(crate) fn api(name: &str) -> (&'static ProviderRow, &'static dyn Dialect) {
    let (name, api) = name.split_once(' ').map_or((name, None), |(name, api)| (name, Some(api)));
    let row = provider(name).unwrap();
    (row, common::dialect(row, api))
}

/// Runs a conversation in which the model calls a tool twice. Returns it without the third reply.
async fn converse(
    simulator: &Simulator,
    (row, dialect): (&'static ProviderRow, &'static dyn Dialect),
    model: &str,
    effort: Option<&str>,
) -> Chat {
    let arguments = json!({"cur": "EUR", "days": 1.0});
    simulator.script(vec![Step::tool_call("get_rate", arguments).times(2)]);
    let messages = vec![Message::text(Role::System, "s"), Message::text(Role::User, "hi")];
    let mut chat = Chat::new(model, messages);
    chat.sampling.effort = effort.map(str::to_owned);
    chat.tools = vec![
        Tool::new("get_rate", json!({"type": "object", "properties": {}}))
            .with_description("Returns a rate."),
    ];
    for _ in 0..2 {
        let response = common::send(simulator, row, dialect, &chat).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{} {model}: {body}", row.name);
        let reply = dialect.read_reply(&response, &chat).unwrap();
        let results: Vec<ToolResult> = reply
            .tool_calls()
            .map(|call| ToolResult::new(call, ToolContent::Text("1.1".to_owned())))
            .collect();
        assert_eq!(results.len(), 1, "{} {model}: {body}", row.name);
        chat.messages.extend([reply.to_message(), Message::tool_results(results)]);
    }
    chat
}

/// Replaces a text in the JSON of a turn. Returns whether the turn contains it.
/// Instead of a text, so that `change_turn` removes the field with this name from the parts.
const REMOVED: &str = "";

fn change_turn(message: &mut Message, from: &str, to: &str) -> bool {
    let Some(raw) = &message.raw else { return false };
    let changed = match to {
        REMOVED => without_field(raw.json.get(), from),
        to => raw.json.get().replacen(from, to, 1),
    };
    let is_changed = changed != raw.json.get();
    let json = RawValue::from_string(changed).unwrap();
    message.raw = Some(RawTurn::new(&raw.dialect, &raw.model, json));
    is_changed
}

/// Removes a field of the parts of a turn of Gemini.
fn without_field(turn: &str, name: &str) -> String {
    let mut turn: Value = serde_json::from_str(turn).unwrap();
    let parts = turn["parts"].as_array_mut().unwrap();
    parts.iter_mut().for_each(|part| drop(part.as_object_mut().unwrap().shift_remove(name)));
    turn.to_string()
}

#[tokio::test]
async fn turns_come_back_unchanged() {
    for (name, model, effort) in MODELS {
        let simulator = Simulator::start().await.unwrap();
        let (row, dialect) = api(name);
        let chat = converse(&simulator, (row, dialect), model, *effort).await;
        let response = common::send(&simulator, row, dialect, &chat).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{name} {model}: {body}");
        let reply = dialect.read_reply(&response, &chat).unwrap();
        assert!(reply.text().contains("Simulated reply"), "{name} {model}: {body}");
    }
}

/// Shows that `turns_come_back_unchanged` can fail.
#[tokio::test]
async fn simulator_rejects_changed_turns() {
    // The index of a message, a text in its raw turn, and the text to replace it with. REMOVED
    // stands for a part without the field.
    const TEXT: (usize, &str, &str) = (2, "Simulated thinking.", "Edited thinking.");
    const SIGNATURE: (usize, &str, &str) = (2, "c2ltdWxhdGVk", "c2ltdWxhdGVk0");
    for (name, model, (index, from, to), expected) in [
        ("anthropic", "claude-opus-5-5", TEXT, "Invalid `signature` in `thinking` block"),
        ("anthropic", "claude-sonnet-4-5", SIGNATURE, "Invalid `signature` in `thinking` block"),
        ("amazon:anthropic", "us.anthropic.claude-opus-5-5", SIGNATURE, "Invalid `signature`"),
        ("amazon", "us.anthropic.claude-opus-5-5", TEXT, "Invalid `signature`"),
        ("amazon", "us.anthropic.claude-opus-5-5", SIGNATURE, "Invalid `signature`"),
        (
            "google",
            "gemini-4-argon",
            (2, "IHRob3VnaHQg", "IHRob3VnaHQg00"),
            "Corrupted thought signature.",
        ),
        ("google", "gemini-3.5-flash", (2, "EUR", "GBP"), "Corrupted thought signature."),
        (
            "google",
            "gemini-3.5-flash",
            (2, "thoughtSignature", REMOVED),
            "missing a thought_signature",
        ),
        (
            "openai responses",
            "gpt-6-sol",
            (2, "gAAAAsim", "gAAAAsim0"),
            "The encrypted content for item rs_sim",
        ),
        (
            "xai responses",
            "grok-4.7",
            (2, "rs_sim", "rs_other"),
            "The encrypted content for item rs_other",
        ),
        (
            "deepseek",
            "deepseek-v4-flash",
            (2, "reasoning_content", "unknown"),
            "Missing `reasoning_content` field",
        ),
    ] {
        let simulator = Simulator::start().await.unwrap();
        let (row, dialect) = api(name);
        let effort = (!name.starts_with("google")).then_some("low");
        let mut chat = converse(&simulator, (row, dialect), model, effort).await;
        assert!(change_turn(&mut chat.messages[index], from, to), "{name} {model}");
        let response = common::send(&simulator, row, dialect, &chat).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 400, "{name} {model}: {body}");
        assert!(body.contains(expected), "{name} {model}: {body}");
    }
}

/// A model with preserved thinking also rejects its thinking after a change before it.
#[tokio::test]
async fn simulator_rejects_preserved_thinking_after_a_change() {
    type Change = fn(&mut Chat);
    let changes: [(&str, Change); 4] = [
        ("system", |chat| chat.messages[0] = Message::text(Role::System, "t")),
        ("tools", |chat| chat.tools.push(Tool::new("now", json!({"type": "object"})))),
        ("message", |chat| chat.messages[1] = Message::text(Role::User, "ho")),
        ("dropped thinking", |chat| chat.messages[2].raw = None),
    ];
    for (name, model) in [
        ("anthropic", "claude-opus-5-5"),
        ("anthropic", "claude-fable-5-2"),
        ("amazon:anthropic", "us.anthropic.claude-opus-5-5"),
        ("amazon", "us.anthropic.claude-opus-5-5"),
    ] {
        let (row, dialect) = api(name);
        for (change_name, change) in &changes {
            let simulator = Simulator::start().await.unwrap();
            let mut chat = converse(&simulator, (row, dialect), model, None).await;
            change(&mut chat);
            let response = common::send(&simulator, row, dialect, &chat).await;
            let body = String::from_utf8_lossy(&response.body);
            assert_eq!(response.status, 400, "{name} {model} {change_name}: {body}");
            assert!(body.contains("bound to a different conversation"), "{body}");
        }
    }
}

#[tokio::test]
async fn repairs_send_the_reasoning_back() {
    for (name, model) in [
        ("anthropic", "claude-opus-5-5"),
        ("anthropic", "claude-sonnet-4-5"),
        ("amazon:anthropic", "us.anthropic.claude-opus-5-5"),
        ("amazon", "us.anthropic.claude-opus-5-5"),
    ] {
        let simulator = Simulator::start().await.unwrap();
        simulator.script(vec![Step::text("2 or 3").times(2), Step::text("3")]);
        let endpoints = common::endpoints(&simulator);
        let runner = Runner::new(endpoints, Arc::new(common::FixedKey), Rules::default())
            .with_signer(common::signer());
        let request = json!({
            "provider": name, "model": model, "message": "hi", "output": "number",
            "outputOptions": {"repairs": 2}, "options": {"effort": "low", "maxTokens": 4000},
        });
        let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
        assert_eq!(run.outcome.unwrap(), 3, "{name} {model}");
        // The simulator accepts the third request only if the second one has not changed.
        let calls = simulator.journal();
        for turn in [1, 3] {
            let block = &calls[2].body["messages"][turn]["content"][0];
            let reasoning = block.get("thinking").or(block.get("reasoningContent"));
            assert!(reasoning.is_some(), "{name} {model}: {block}");
        }
    }
}
