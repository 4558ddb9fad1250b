//! The capabilities of all models. This file is written by scripts/models from the file
//! data/models.toml, which also states the sources.

use super::efforts::{Efforts, HIGH, LOW, MAX, MEDIUM, MINIMAL, NONE, XHIGH};
use super::model_rows::ModelRows;
use super::rows::{
    BedrockJson, ClaudeModel, ConverseModel, EffortField, FeatureSupport, GeminiJson, GeminiModel,
    GeminiThinking, OllamaModel, OpenAiModel, Think, Thinking, ThinkingOff, ToolChoice,
};

/// OpenAI's models.
pub(crate) const OPENAI: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
gpt-4o-2024-05-13\n\
gpt-4o-search-preview* gpt-4o-mini-search-preview*\n\
gpt-4o*\n\
gpt-4.1*\n\
gpt-5-chat*\n\
gpt-*codex* codex-*\n\
gpt-5*-pro*\n\
o1-pro* o3-pro* o*-deep-research*\n\
computer-use*\n\
gpt-5.*-chat*\n\
gpt-5-search*\n\
gpt-5 gpt-5-*\n\
gpt-5.1*\n\
gpt-5.2* gpt-5.3*\n\
gpt-5.4* gpt-5.5*\n\
gpt-5.6* gpt-6-sol* gpt-6-luna* gpt-6.1-terra*\n\
gpt-6-astra* gpt-6-rosalind* gpt-6.1-sol* gpt-6.2*\n\
gpt-oss*\n\
o3-mini*\n\
o1* o3* o4*\n\
gpt-3.5-turbo-instruct*\n\
gpt-3.5-turbo-0613\n\
gpt-3.5*\n\
gpt-4 gpt-4-0* gpt-4-32k*\n\
gpt-4-*\n\
chatgpt-4o*\n\
gpt-4*\n\
gpt-* chat-latest\n\
*",
    rows: [
        // gpt-4o-2024-05-13
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 4_096,
        },
        // gpt-4o-search-preview* gpt-4o-mini-search-preview*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // gpt-4o*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // gpt-4.1*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 32_768,
        },
        // gpt-5-chat*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // gpt-*codex* codex-*
        OpenAiModel {
            chat: false,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5*-pro*
        OpenAiModel {
            chat: false,
            reasons: true,
            efforts: Efforts(MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // o1-pro* o3-pro* o*-deep-research*
        OpenAiModel {
            chat: false,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 100_000,
        },
        // computer-use*
        OpenAiModel {
            chat: false,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 1_024,
        },
        // gpt-5.*-chat*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // gpt-5-search*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Never,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5 gpt-5-*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(MINIMAL | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5.1*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5.2* gpt-5.3*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5.4* gpt-5.5*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::WithoutEffort,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-5.6* gpt-6-sol* gpt-6-luna* gpt-6.1-terra*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::WithoutReasoning,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-6-astra* gpt-6-rosalind* gpt-6.1-sol* gpt-6.2*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Never,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 128_000,
        },
        // gpt-oss*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // o3-mini*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: false,
            reasoning_turns: false,
            max_output: 100_000,
        },
        // o1* o3* o4*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: false,
            reasoning_turns: false,
            max_output: 100_000,
        },
        // gpt-3.5-turbo-instruct*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Never,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // gpt-3.5-turbo-0613
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 4_096,
        },
        // gpt-3.5*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 4_096,
        },
        // gpt-4 gpt-4-0* gpt-4-32k*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // gpt-4-*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 4_096,
        },
        // chatgpt-4o*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Never,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // gpt-4*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // gpt-* chat-latest
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// xAI's models.
pub(crate) const XAI: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
grok-2*\n\
grok-3-mini*\n\
grok-3*\n\
grok-4*non-reasoning*\n\
grok-4.20-multi-agent*\n\
grok-4.20*\n\
grok-4 grok-4-* grok-code*\n\
grok-4.3*\n\
grok-4.5*\n\
grok-4.6* grok-4.7*\n\
grok-*\n\
*",
    rows: [
        // grok-2*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-3-mini*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-3*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4*non-reasoning*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4.20-multi-agent*
        OpenAiModel {
            chat: false,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4.20*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4 grok-4-* grok-code*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4.3*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4.5*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-4.6* grok-4.7*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // grok-*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: false,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// DeepSeek's models.
pub(crate) const DEEPSEEK: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
deepseek-chat*\n\
deepseek-reasoner*\n\
deepseek-v4-flash* deepseek-flash*\n\
deepseek-v4-pro*\n\
deepseek-*\n\
*",
    rows: [
        // deepseek-chat*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: false,
            reasoning_turns: false,
            max_output: 8_192,
        },
        // deepseek-reasoner*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Never,
            penalties: false,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Never,
            parallel_switch: false,
            reasoning_turns: false,
            max_output: 65_536,
        },
        // deepseek-v4-flash* deepseek-flash*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | HIGH | MAX),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::WithoutReasoning,
            parallel_switch: false,
            reasoning_turns: true,
            max_output: 393_216,
        },
        // deepseek-v4-pro*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | HIGH | MAX),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::WithoutReasoning,
            parallel_switch: false,
            reasoning_turns: true,
            max_output: 393_216,
        },
        // deepseek-*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | HIGH | MAX),
            sampling: FeatureSupport::WithoutReasoning,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::WithoutReasoning,
            parallel_switch: false,
            reasoning_turns: true,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: true,
            max_output: 0,
        },
    ],
};

/// Mistral's models.
pub(crate) const MISTRAL: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
codestral-mamba*\n\
mistral-large-4* mistral-medium* mistral-small* devstral*\n\
magistral*\n\
mistral-large* ministral* codestral*\n\
*",
    rows: [
        // codestral-mamba*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // mistral-large-4* mistral-medium* mistral-small* devstral*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // magistral*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // mistral-large* ministral* codestral*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Groq's models.
pub(crate) const GROQ: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
openai/gpt-oss*\n\
qwen/qwen3.8*\n\
llama-*\n\
*",
    rows: [
        // openai/gpt-oss*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 65_536,
        },
        // qwen/qwen3.8*
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 16_384,
        },
        // llama-*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: false,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Together's models.
pub(crate) const TOGETHER: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
*",
    rows: [
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: false,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Fireworks' models.
pub(crate) const FIREWORKS: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
*",
    rows: [
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Cerebras' models.
pub(crate) const CEREBRAS: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
llama*\n\
*",
    rows: [
        // llama*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: false,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Perplexity's models.
pub(crate) const PERPLEXITY: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
sonar-pro*\n\
*",
    rows: [
        // sonar-pro*
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
        // *
        OpenAiModel {
            chat: true,
            reasons: true,
            efforts: Efforts(MINIMAL | LOW | MEDIUM | HIGH),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// The models of a configured server that supports `json_schema`.
pub(crate) const ANY_WITH_JSON_SCHEMA: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
*",
    rows: [
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: true,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// The models of a configured server that supports `json_object`.
pub(crate) const ANY_WITH_JSON_MODE: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
*",
    rows: [
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: true,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// The models of a configured server that supports neither `json_schema` nor `json_object`.
pub(crate) const ANY_WITH_PROMPT_ONLY: &ModelRows<[OpenAiModel]> = &ModelRows {
    patterns: "\
*",
    rows: [
        // *
        OpenAiModel {
            chat: true,
            reasons: false,
            efforts: Efforts(NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            penalties: true,
            stop: true,
            images: true,
            tools: FeatureSupport::Always,
            json_schema: false,
            json_mode: false,
            forced_tool: FeatureSupport::Always,
            parallel_switch: true,
            reasoning_turns: false,
            max_output: 0,
        },
    ],
};

/// Anthropic's models.
pub(crate) const CLAUDE: &ModelRows<[ClaudeModel]> = &ModelRows {
    patterns: "\
claude-2* claude-v2* claude-instant*\n\
claude-3-7*\n\
claude-3-5*\n\
claude-3*\n\
claude-opus-4-1*\n\
claude-opus-4 claude-opus-4-0* claude-opus-4-2*\n\
claude-sonnet-4 claude-sonnet-4-0* claude-sonnet-4-2*\n\
claude-opus-4-5* claude-sonnet-4-5* claude-haiku-4-5*\n\
claude-opus-4-6*\n\
claude-sonnet-4-6*\n\
claude-opus-4-7*\n\
claude-opus-4-8*\n\
claude-opus-5 claude-opus-5-20*\n\
claude-sonnet-5 claude-sonnet-5-20*\n\
claude-haiku-5-5*\n\
claude-sonnet-5-5*\n\
claude-fable-5 claude-fable-5-20*\n\
claude-mythos-5 claude-mythos-5-20*\n\
claude-*\n\
*",
    rows: [
        // claude-2* claude-v2* claude-instant*
        ClaudeModel {
            images: false,
            tools: false,
            thinking: Thinking::No,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: false,
            prefill: true,
            max_output: 0,
            max_output_bedrock: 0,
        },
        // claude-3-7*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Budget,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 64_000,
            max_output_bedrock: 0,
        },
        // claude-3-5*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::No,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 8_192,
            max_output_bedrock: 0,
        },
        // claude-3*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::No,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 4_096,
            max_output_bedrock: 0,
        },
        // claude-opus-4-1*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Budget,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::OneOf,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 32_000,
            max_output_bedrock: 0,
        },
        // claude-opus-4 claude-opus-4-0* claude-opus-4-2*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Budget,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 32_000,
            max_output_bedrock: 0,
        },
        // claude-sonnet-4 claude-sonnet-4-0* claude-sonnet-4-2*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Budget,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::Always,
            json_schema: false,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: true,
            max_output: 64_000,
            max_output_bedrock: 0,
        },
        // claude-opus-4-5* claude-sonnet-4-5* claude-haiku-4-5*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Budget,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(0),
            sampling: FeatureSupport::OneOf,
            json_schema: true,
            bedrock_json: BedrockJson::Always,
            forced_tool: true,
            prefill: true,
            max_output: 64_000,
            max_output_bedrock: 0,
        },
        // claude-opus-4-6*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(LOW | MEDIUM | HIGH | MAX),
            sampling: FeatureSupport::OneOf,
            json_schema: true,
            bedrock_json: BedrockJson::Always,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-sonnet-4-6*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(LOW | MEDIUM | HIGH | MAX),
            sampling: FeatureSupport::OneOf,
            json_schema: true,
            bedrock_json: BedrockJson::Always,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 64_000,
        },
        // claude-opus-4-7*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-opus-4-8*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Omit,
            thinks_by_default: false,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-opus-5 claude-opus-5-20*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Disabled,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-sonnet-5 claude-sonnet-5-20*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Disabled,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-haiku-5-5*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Disabled,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-sonnet-5-5*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::BetweenTools,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: false,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-fable-5 claude-fable-5-20*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Never,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Never,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-mythos-5 claude-mythos-5-20*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Never,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: true,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // claude-*
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Never,
            thinks_by_default: true,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Never,
            json_schema: true,
            bedrock_json: BedrockJson::Profiles,
            forced_tool: false,
            prefill: false,
            max_output: 128_000,
            max_output_bedrock: 0,
        },
        // *
        ClaudeModel {
            images: true,
            tools: true,
            thinking: Thinking::Adaptive,
            off: ThinkingOff::Disabled,
            thinks_by_default: false,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            sampling: FeatureSupport::Always,
            json_schema: true,
            bedrock_json: BedrockJson::Always,
            forced_tool: true,
            prefill: true,
            max_output: 0,
            max_output_bedrock: 0,
        },
    ],
};

/// Google's models.
pub(crate) const GEMINI: &ModelRows<[GeminiModel]> = &ModelRows {
    patterns: "\
gemini-1.0*\n\
gemini-1.5*\n\
gemini-2.0*\n\
gemini-2.5-pro*\n\
gemini-2.5-flash-lite*\n\
gemini-2.5*\n\
gemini-3-pro*\n\
gemini-3.5-flash-lite*\n\
gemini-3-flash* gemini-3.1-flash-lite* gemini-3.5*\n\
gemini-3.6*\n\
gemini-3.7* gemini-3.8* gemini-flash*\n\
gemini-3*\n\
gemini-4-hydrogen*\n\
gemma-3*\n\
gemma-4*\n\
gemini-*\n\
*",
    rows: [
        // gemini-1.0*
        GeminiModel {
            tools: true,
            json: GeminiJson::No,
            json_with_tools: false,
            signed_calls: false,
            system: false,
            penalties: true,
            sampling: true,
            max_output: 0,
            thinking: GeminiThinking::No,
        },
        // gemini-1.5*
        GeminiModel {
            tools: true,
            json: GeminiJson::Mode,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: true,
            sampling: true,
            max_output: 8_192,
            thinking: GeminiThinking::No,
        },
        // gemini-2.0*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: true,
            sampling: true,
            max_output: 8_192,
            thinking: GeminiThinking::No,
        },
        // gemini-2.5-pro*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Budget { min: 128, max: 32_768, can_be_off: false },
        },
        // gemini-2.5-flash-lite*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Budget { min: 512, max: 24_576, can_be_off: true },
        },
        // gemini-2.5*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Budget { min: 1, max: 24_576, can_be_off: true },
        },
        // gemini-3-pro*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(LOW | HIGH)),
        },
        // gemini-3.5-flash-lite*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: false,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(MINIMAL | LOW | MEDIUM | HIGH)),
        },
        // gemini-3-flash* gemini-3.1-flash-lite* gemini-3.5*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(MINIMAL | LOW | MEDIUM | HIGH)),
        },
        // gemini-3.6*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: false,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(MINIMAL | LOW | MEDIUM | HIGH)),
        },
        // gemini-3.7* gemini-3.8* gemini-flash*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: false,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(LOW | MEDIUM | HIGH)),
        },
        // gemini-3*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 65_536,
            thinking: GeminiThinking::Levels(Efforts(LOW | MEDIUM | HIGH)),
        },
        // gemini-4-hydrogen*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: false,
            max_output: 0,
            thinking: GeminiThinking::Levels(Efforts(LOW | MEDIUM | HIGH | XHIGH)),
        },
        // gemma-3*
        GeminiModel {
            tools: false,
            json: GeminiJson::No,
            json_with_tools: false,
            signed_calls: false,
            system: false,
            penalties: true,
            sampling: true,
            max_output: 8_192,
            thinking: GeminiThinking::No,
        },
        // gemma-4*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: false,
            signed_calls: false,
            system: true,
            penalties: false,
            sampling: true,
            max_output: 32_768,
            thinking: GeminiThinking::Levels(Efforts(MINIMAL | HIGH)),
        },
        // gemini-*
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: false,
            sampling: false,
            max_output: 0,
            thinking: GeminiThinking::Levels(Efforts(LOW | MEDIUM | HIGH)),
        },
        // *
        GeminiModel {
            tools: true,
            json: GeminiJson::Schema,
            json_with_tools: true,
            signed_calls: true,
            system: true,
            penalties: true,
            sampling: true,
            max_output: 0,
            thinking: GeminiThinking::Levels(Efforts(MINIMAL | LOW | MEDIUM | HIGH | XHIGH)),
        },
    ],
};

/// Ollama's models.
pub(crate) const OLLAMA: &ModelRows<[OllamaModel]> = &ModelRows {
    patterns: "\
gpt-oss*\n\
qwen3-coder* qwen2* qwen\n\
llama2*\n\
llama*\n\
codellama* tinyllama* llava* bakllava*\n\
mistral* mixtral* ministral* codestral* devstral*\n\
gemma4*\n\
gemma2 gemma3\n\
gemma*\n\
codegemma*\n\
phi4-reasoning* phi4-mini-reasoning*\n\
phi3* phi4\n\
phi* command-r*\n\
deepseek-coder* deepseek-v2* starcoder*\n\
deepseek-r1\n\
*",
    rows: [
        // gpt-oss*
        OllamaModel { tools: true, think: Think::Levels(Efforts(LOW | MEDIUM | HIGH)) },
        // qwen3-coder* qwen2* qwen
        OllamaModel { tools: true, think: Think::No },
        // llama2*
        OllamaModel { tools: false, think: Think::No },
        // llama*
        OllamaModel { tools: true, think: Think::No },
        // codellama* tinyllama* llava* bakllava*
        OllamaModel { tools: false, think: Think::No },
        // mistral* mixtral* ministral* codestral* devstral*
        OllamaModel { tools: true, think: Think::No },
        // gemma4*
        OllamaModel { tools: true, think: Think::Switch },
        // gemma2 gemma3
        OllamaModel { tools: false, think: Think::No },
        // gemma*
        OllamaModel { tools: true, think: Think::No },
        // codegemma*
        OllamaModel { tools: false, think: Think::No },
        // phi4-reasoning* phi4-mini-reasoning*
        OllamaModel { tools: true, think: Think::Switch },
        // phi3* phi4
        OllamaModel { tools: false, think: Think::No },
        // phi* command-r*
        OllamaModel { tools: true, think: Think::No },
        // deepseek-coder* deepseek-v2* starcoder*
        OllamaModel { tools: false, think: Think::No },
        // deepseek-r1
        OllamaModel { tools: false, think: Think::Switch },
        // *
        OllamaModel { tools: true, think: Think::Switch },
    ],
};

/// The models on Bedrock, without Anthropic's.
pub(crate) const CONVERSE: &ModelRows<[ConverseModel]> = &ModelRows {
    patterns: "\
amazon.nova-2*\n\
amazon.nova-micro*\n\
amazon.nova-lite* amazon.nova-pro* amazon.nova-premier*\n\
amazon.nova*\n\
amazon.titan*\n\
meta.llama2*\n\
meta.llama3-1*\n\
meta.llama3-2-11b* meta.llama3-2-90b*\n\
meta.llama3-3*\n\
meta.llama3*\n\
meta.llama4*\n\
meta.llama*\n\
mistral.mistral-7b* mistral.mixtral*\n\
mistral.mistral-large-3*\n\
mistral.mistral-large*\n\
mistral.pixtral-large*\n\
mistral.*\n\
cohere.command-text* cohere.command-light*\n\
cohere.*\n\
ai21.j2*\n\
ai21.jamba-instruct*\n\
ai21.*\n\
deepseek.r1*\n\
deepseek.*\n\
openai.gpt-oss*\n\
openai.gpt-5.4* openai.gpt-5.5*\n\
openai.gpt-5.6* openai.gpt-6-sol* openai.gpt-6-luna* openai.gpt-6.1-terra*\n\
openai.*\n\
xai.*\n\
qwen.*\n\
google.gemma*\n\
minimax.* zai.*\n\
nvidia.*\n\
*",
    rows: [
        // amazon.nova-2*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::ToolWithPlainRoot,
            top_k: true,
            effort_field: EffortField::ReasoningConfig,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            result_status: true,
            short_ids: false,
            max_output: 64_000,
        },
        // amazon.nova-micro*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::ToolWithPlainRoot,
            top_k: true,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: true,
            short_ids: false,
            max_output: 10_000,
        },
        // amazon.nova-lite* amazon.nova-pro* amazon.nova-premier*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::ToolWithPlainRoot,
            top_k: true,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: true,
            short_ids: false,
            max_output: 10_000,
        },
        // amazon.nova*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::ToolWithPlainRoot,
            top_k: true,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: true,
            short_ids: false,
            max_output: 0,
        },
        // amazon.titan*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: false,
            sampling: true,
            stop: false,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama2*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama3-1*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama3-2-11b* meta.llama3-2-90b*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama3-3*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama3*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama4*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // meta.llama*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // mistral.mistral-7b* mistral.mixtral*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: false,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: true,
            max_output: 0,
        },
        // mistral.mistral-large-3*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: true,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: true,
            max_output: 0,
        },
        // mistral.mistral-large*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: true,
            max_output: 0,
        },
        // mistral.pixtral-large*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: true,
            max_output: 0,
        },
        // mistral.*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: true,
            max_output: 0,
        },
        // cohere.command-text* cohere.command-light*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: false,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // cohere.*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // ai21.j2*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: false,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // ai21.jamba-instruct*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // ai21.*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // deepseek.r1*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: false,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // deepseek.*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: true,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // openai.gpt-oss*
        ConverseModel {
            converse: true,
            chat: true,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: false,
            json_schema: true,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::ReasoningEffort,
            efforts: Efforts(LOW | MEDIUM | HIGH),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // openai.gpt-5.4* openai.gpt-5.5*
        ConverseModel {
            converse: false,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 128_000,
        },
        // openai.gpt-5.6* openai.gpt-6-sol* openai.gpt-6-luna* openai.gpt-6.1-terra*
        ConverseModel {
            converse: true,
            chat: true,
            images: true,
            tools: true,
            system: true,
            sampling: false,
            stop: false,
            json_schema: false,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::Reasoning,
            efforts: Efforts(NONE | LOW | MEDIUM | HIGH | XHIGH | MAX),
            result_status: false,
            short_ids: false,
            max_output: 128_000,
        },
        // openai.*
        ConverseModel {
            converse: true,
            chat: true,
            images: true,
            tools: true,
            system: true,
            sampling: false,
            stop: false,
            json_schema: false,
            tool_choice: ToolChoice::Any,
            top_k: false,
            effort_field: EffortField::Reasoning,
            efforts: Efforts(LOW | MEDIUM | HIGH | XHIGH | MAX),
            result_status: false,
            short_ids: false,
            max_output: 128_000,
        },
        // xai.*
        ConverseModel {
            converse: true,
            chat: true,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: false,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // qwen.*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: false,
            json_schema: true,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // google.gemma*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: true,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // minimax.* zai.*
        ConverseModel {
            converse: true,
            chat: false,
            images: false,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: true,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // nvidia.*
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: true,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
        // *
        ConverseModel {
            converse: true,
            chat: false,
            images: true,
            tools: true,
            system: true,
            sampling: true,
            stop: true,
            json_schema: false,
            tool_choice: ToolChoice::Unsupported,
            top_k: false,
            effort_field: EffortField::None,
            efforts: Efforts(0),
            result_status: false,
            short_ids: false,
            max_output: 0,
        },
    ],
};
