//! The capabilities of the models that OpenAI, xAI, DeepSeek and compatible servers offer through
//! the chat completions API.

use crate::glob::matches;
use crate::providers::capabilities::{EFFORTS, FeatureSupport};

/// The capabilities of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAiModel {
    /// The pattern for model names, in which `*` matches any string.
    pub(crate) pattern: &'static str,
    /// Whether the model reasons. Some models reason but have no effort setting.
    pub(crate) reasons: bool,
    /// The values of `effort` that the model supports, in ascending order.
    pub(crate) efforts: &'static [&'static str],
    /// When the model accepts `temperature` and `top_p`.
    pub(crate) sampling: FeatureSupport,
    /// When the model accepts `frequency_penalty` and `presence_penalty`.
    pub(crate) penalties: FeatureSupport,
    /// Whether the model supports `stop`.
    pub(crate) stop: bool,
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// When the model can call tools.
    pub(crate) tools: FeatureSupport,
    /// Whether the model supports a `response_format` of type `json_schema`.
    pub(crate) json_schema: bool,
    /// Whether the model supports a `response_format` of type `json_object`.
    pub(crate) json_mode: bool,
    /// When the model accepts a `tool_choice` that requires a call.
    pub(crate) forced_tool: FeatureSupport,
    /// Whether the model accepts `parallel_tool_calls`.
    pub(crate) parallel_switch: bool,
    /// Whether every assistant turn must contain `reasoning_content` in requests with tools.
    pub(crate) reasoning_turns: bool,
}

const fn chat(pattern: &'static str, json_schema: bool, json_mode: bool) -> OpenAiModel {
    OpenAiModel {
        pattern,
        reasons: false,
        efforts: &[],
        sampling: FeatureSupport::Always,
        penalties: FeatureSupport::Always,
        stop: true,
        images: true,
        tools: FeatureSupport::Always,
        json_schema,
        json_mode,
        forced_tool: FeatureSupport::Always,
        parallel_switch: true,
        reasoning_turns: false,
    }
}

const fn without_tools(model: OpenAiModel) -> OpenAiModel {
    OpenAiModel { tools: FeatureSupport::Never, ..model }
}

const fn reasoning(
    pattern: &'static str,
    efforts: &'static [&'static str],
    sampling: FeatureSupport,
) -> OpenAiModel {
    let model = chat(pattern, true, true);
    // These models reject `stop` even with effort "none" (huggingface/smolagents#1868, #1893).
    OpenAiModel { reasons: true, efforts, sampling, penalties: sampling, stop: false, ..model }
}

const fn o_series(pattern: &'static str) -> OpenAiModel {
    let model = reasoning(pattern, &["low", "medium", "high"], FeatureSupport::Never);
    // These models reject `parallel_tool_calls` with both values (run-llama/llama_index#20865).
    OpenAiModel { parallel_switch: false, ..model }
}

/// Creates a row for models whose reasoning can't be combined with tools in this API.
const fn tools_without_reasoning(pattern: &'static str) -> OpenAiModel {
    let model = reasoning(pattern, GPT_5_2, FeatureSupport::WithoutReasoning);
    OpenAiModel { tools: FeatureSupport::WithoutReasoning, ..model }
}

/// Creates a row for models that always reason, and therefore can't call tools in this API.
const fn always_reasoning(pattern: &'static str) -> OpenAiModel {
    let model = reasoning(pattern, LOW_TO_XHIGH, FeatureSupport::Never);
    OpenAiModel { tools: FeatureSupport::Never, ..model }
}

const LOW_TO_XHIGH: &[&str] = &["low", "medium", "high", "xhigh"];
const GPT_5: &[&str] = &["minimal", "low", "medium", "high"];
const GPT_5_1: &[&str] = &["none", "low", "medium", "high"];
const GPT_5_2: &[&str] = &["none", "low", "medium", "high", "xhigh"];

/// The capabilities of OpenAI's models. Source: the model pages, the type definitions of the npm
/// package `openai` 6.49, and error responses that users reported, such as "Function tools with
/// reasoning_effort are not supported for MODEL in /v1/chat/completions" (onyx-dot-app/onyx#15008).
pub(crate) const OPENAI: &[OpenAiModel] = &[
    without_tools(chat("gpt-3.5-turbo-instruct*", false, false)),
    chat("gpt-3.5-turbo-0613", false, false),
    chat("gpt-3.5*", false, true),
    chat("gpt-4", false, false),
    chat("gpt-4-0*", false, false),
    chat("gpt-4-32k*", false, false),
    chat("gpt-4-*", false, true),
    chat("gpt-4o-2024-05-13", false, true),
    without_tools(chat("chatgpt-4o*", false, false)),
    chat("gpt-4*", true, true),
    chat("gpt-5-chat*", true, true),
    reasoning("gpt-5", GPT_5, FeatureSupport::Never),
    reasoning("gpt-5-*", GPT_5, FeatureSupport::Never),
    reasoning("gpt-5.1", GPT_5_1, FeatureSupport::WithoutReasoning),
    reasoning("gpt-5.1-2*", GPT_5_1, FeatureSupport::WithoutReasoning),
    reasoning("gpt-5.2*", GPT_5_2, FeatureSupport::WithoutReasoning),
    reasoning("gpt-5.3*", GPT_5_2, FeatureSupport::WithoutReasoning),
    tools_without_reasoning("gpt-5.6*"),
    tools_without_reasoning("gpt-6-sol*"),
    tools_without_reasoning("gpt-6-luna*"),
    tools_without_reasoning("gpt-6.1-terra*"),
    always_reasoning("gpt-6-astra*"),
    always_reasoning("gpt-6.1-sol*"),
    always_reasoning("gpt-6.2*"),
    o_series("o1*"),
    OpenAiModel { stop: true, ..o_series("o3-mini*") },
    o_series("o3*"),
    o_series("o4*"),
    reasoning("*", EFFORTS, FeatureSupport::WithoutReasoning),
];

const fn grok(pattern: &'static str, efforts: &'static [&'static str]) -> OpenAiModel {
    OpenAiModel {
        penalties: FeatureSupport::Never,
        ..reasoning(pattern, efforts, FeatureSupport::Always)
    }
}

/// The capabilities of xAI's models. Source: the model pages and the npm package `@ai-sdk/xai` 3.0.
pub(crate) const XAI: &[OpenAiModel] = &[
    chat("grok-2*", true, true),
    grok("grok-3-mini*", &["low", "high"]),
    chat("grok-3*", true, true),
    chat("grok-4-fast-non-reasoning*", true, true),
    chat("grok-4-1-fast-non-reasoning*", true, true),
    chat("grok-4.20-0309-non-reasoning*", true, true),
    grok("grok-4", &[]),
    grok("grok-4-*", &[]),
    grok("grok-code*", &[]),
    grok("*", &["none", "low", "medium", "high", "xhigh"]),
];

const fn deepseek(
    pattern: &'static str,
    efforts: &'static [&'static str],
    sampling: FeatureSupport,
) -> OpenAiModel {
    OpenAiModel {
        json_schema: false,
        images: false,
        penalties: FeatureSupport::Never,
        stop: true,
        forced_tool: sampling,
        parallel_switch: false,
        ..reasoning(pattern, efforts, sampling)
    }
}

const fn deepseek_v4(pattern: &'static str) -> OpenAiModel {
    let model = deepseek(pattern, DEEPSEEK_V4, FeatureSupport::WithoutReasoning);
    OpenAiModel { reasoning_turns: true, ..model }
}

const DEEPSEEK_V4: &[&str] = &["none", "low", "high", "max"];

/// The capabilities of DeepSeek's models. Source: the API documentation and the npm package
/// `@ai-sdk/deepseek` 3.0.
pub(crate) const DEEPSEEK: &[OpenAiModel] = &[
    OpenAiModel { images: false, parallel_switch: false, ..chat("deepseek-chat*", false, true) },
    deepseek("deepseek-reasoner*", &[], FeatureSupport::Never),
    OpenAiModel { images: true, ..deepseek_v4("deepseek-v4-flash-vision*") },
    deepseek_v4("*"),
];

/// Creates a row that matches every model of a configured server. It allows every option, because
/// the server's models are unknown.
const fn any(json_schema: bool, json_mode: bool) -> OpenAiModel {
    OpenAiModel { efforts: EFFORTS, ..chat("*", json_schema, json_mode) }
}

/// The capability table for a configured server that supports `json_schema`.
pub(crate) const ANY_WITH_JSON_SCHEMA: &[OpenAiModel] = &[any(true, true)];
/// The capability table for a configured server that supports `json_object`.
pub(crate) const ANY_WITH_JSON_MODE: &[OpenAiModel] = &[any(false, true)];
/// The capability table for a configured server that supports neither `json_schema` nor
/// `json_object`.
pub(crate) const ANY_WITH_PROMPT_ONLY: &[OpenAiModel] = &[any(false, false)];

/// Returns the row for a model in its provider's table. A fine-tuned model (`ft:BASE:…`) uses the
/// row of its base model.
pub(crate) fn find_model(table: &'static [OpenAiModel], model: &str) -> OpenAiModel {
    let base = match model.strip_prefix("ft:") {
        Some(rest) => rest.split(':').next().unwrap_or(rest),
        None => model,
    };
    let newest = reasoning("*", EFFORTS, FeatureSupport::WithoutReasoning);
    table.iter().find(|row| matches(row.pattern, base)).copied().unwrap_or(newest)
}
