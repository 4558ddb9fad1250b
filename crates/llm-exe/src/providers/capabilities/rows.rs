//! The types of the rows in the capability tables.
//!
//! A row contains what its dialect needs to know about a model. `max_output` is the maximum number
//! of output tokens, or 0 if it is not known.

use super::efforts::Efforts;

/// When a model supports a feature: sampling options such as `temperature`, or tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeatureSupport {
    /// The feature is always supported.
    Always,
    /// Either `temperature` or `topP` is accepted, but not both together.
    OneOf,
    /// The feature is supported unless the request has an effort other than `none`.
    WithoutEffort,
    /// The feature is supported only if reasoning is turned off with `effort: "none"`.
    WithoutReasoning,
    /// The feature is never supported.
    Never,
}

/// A model that is called through chat completions or the Responses API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAiModel {
    /// Whether the chat completions API serves the model.
    pub(crate) chat: bool,
    /// Whether the Responses API serves the model.
    pub(crate) responses: bool,
    /// Whether the Responses API is preferred for all requests, or is the only API.
    pub(crate) prefers_responses: bool,
    /// Whether the model reasons. Some models reason but have no effort setting.
    pub(crate) reasons: bool,
    /// The values of `effort` that the model supports.
    pub(crate) efforts: Efforts,
    /// Whether the Responses API also accepts the effort `max`.
    pub(crate) responses_max: bool,
    /// When the model accepts `temperature` and `top_p`.
    pub(crate) sampling: FeatureSupport,
    /// Whether the model accepts `frequency_penalty` and `presence_penalty`.
    pub(crate) penalties: bool,
    /// Whether the model supports `stop`.
    pub(crate) stop: bool,
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// When the model can call tools in chat completions.
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
    pub(crate) max_output: u32,
}

/// How a Claude model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// The model does not reason.
    No,
    /// The model reasons within a token budget.
    Budget,
    /// The model decides how much to reason, based on an effort level.
    Adaptive,
}

/// How a request turns the thinking of a Claude model off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThinkingOff {
    /// The model thinks only if a request has the field `thinking`.
    Omit,
    /// The request has `thinking: {"type": "disabled"}`.
    Disabled,
    /// The request has `thinking: {"type": "between_tools"}`: the model thinks only between calls
    /// of tools.
    BetweenTools,
    /// The model always thinks.
    Never,
}

/// Whether Bedrock supports `output_config.format` for a Claude model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BedrockJson {
    /// With every id of the model.
    Always,
    /// Through inference profiles, whose ids have a region prefix.
    Profiles,
    /// With no id.
    Never,
}

/// A model of Anthropic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaudeModel {
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// How the model reasons.
    pub(crate) thinking: Thinking,
    /// How a request turns thinking off.
    pub(crate) off: ThinkingOff,
    /// Whether the model thinks if a request has no field `thinking`.
    pub(crate) thinks_by_default: bool,
    /// The values of `output_config.effort` that the model supports.
    pub(crate) efforts: Efforts,
    /// When the model accepts `temperature`, `top_p` and `top_k` in requests without thinking.
    pub(crate) sampling: FeatureSupport,
    /// Whether the model supports `output_config.format`.
    pub(crate) json_schema: bool,
    /// Whether the model supports `output_config.format` on Bedrock.
    pub(crate) bedrock_json: BedrockJson,
    /// Whether the model can be forced to call a tool.
    pub(crate) forced_tool: bool,
    /// Whether the conversation may end with an assistant message, which the model continues.
    pub(crate) prefill: bool,
    pub(crate) max_output: u32,
    /// The maximum on Bedrock, or 0 if it is the same.
    pub(crate) max_output_bedrock: u32,
}

/// How a Gemini model reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiThinking {
    /// The model does not reason, and rejects `thinkingConfig`.
    No,
    /// The model reasons within a token budget.
    Budget {
        /// The minimum number of tokens while reasoning is on.
        min: u64,
        /// The maximum number of tokens.
        max: u64,
        /// Whether a budget of 0 turns reasoning off.
        can_be_off: bool,
    },
    /// The model supports these values of `effort` as reasoning levels.
    Levels(Efforts),
}

/// How a Gemini model supports JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiJson {
    /// The model accepts a schema in `responseJsonSchema`.
    Schema,
    /// The model supports JSON through `responseMimeType`, but does not accept a schema.
    Mode,
    /// The model does not support JSON output.
    No,
}

/// A Gemini or Gemma model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeminiModel {
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// How the model reasons.
    pub(crate) thinking: GeminiThinking,
    /// How the model supports JSON output.
    pub(crate) json: GeminiJson,
    /// Whether the model supports tools and JSON output in one request.
    pub(crate) json_with_tools: bool,
    /// Whether function calls of the current turn must have a signature.
    pub(crate) signed_calls: bool,
    /// Whether the model supports `systemInstruction`.
    pub(crate) system: bool,
    /// Whether the model accepts the frequency and presence penalties.
    pub(crate) penalties: bool,
    /// Whether `temperature`, `topP` and `topK` have an effect.
    pub(crate) sampling: bool,
    pub(crate) max_output: u32,
}

/// The values that an Ollama model supports for the request field `think`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Think {
    /// No value is supported, because the model does not reason.
    No,
    /// `true` and `false`, which turn reasoning on and off.
    Switch,
    /// These values of `effort`. Reasoning cannot be turned off.
    Levels(Efforts),
}

/// An Ollama model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OllamaModel {
    /// The supported values of `think`.
    pub(crate) think: Think,
    /// Whether the model's template has a place for tools. Without it, the server rejects a request
    /// with tools.
    pub(crate) tools: bool,
}

/// How a model on Bedrock can be forced to call a tool. Because a request contains only one tool,
/// `any` has the same effect as naming that tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    /// The model accepts `toolChoice: {"tool": {"name"}}`.
    Tool,
    /// Like `Tool`, but the root of the tool's schema may have only `type`, `properties` and
    /// `required`.
    ToolWithPlainRoot,
    /// The model accepts `toolChoice: {"any": {}}`.
    Any,
    /// The model cannot be forced to call a tool.
    Unsupported,
}

/// The field of `additionalModelRequestFields` that contains the effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EffortField {
    /// The model has no such field.
    None,
    /// `reasoning_effort: EFFORT`.
    ReasoningEffort,
    /// `reasoning: {"effort": EFFORT}`.
    Reasoning,
    /// `reasoningConfig: {"type": "enabled", "maxReasoningEffort": EFFORT}`. Without it, the model
    /// does not reason.
    ReasoningConfig,
}

/// A model on Bedrock from a vendor other than Anthropic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConverseModel {
    /// Whether Converse serves the model.
    pub(crate) converse: bool,
    /// Whether the chat completions API of the Bedrock runtime serves the model.
    pub(crate) chat: bool,
    /// Whether the Responses API of the Bedrock runtime serves the model.
    pub(crate) responses: bool,
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// Whether the model supports the field `system`.
    pub(crate) system: bool,
    /// Whether the model accepts `temperature` and `topP`.
    pub(crate) sampling: bool,
    /// Whether the model supports `inferenceConfig.stopSequences`.
    pub(crate) stop: bool,
    /// Whether the model supports `outputConfig.textFormat`.
    pub(crate) json_schema: bool,
    /// How the model can be forced to call a tool.
    pub(crate) tool_choice: ToolChoice,
    /// Whether the model supports `inferenceConfig.topK` in `additionalModelRequestFields`.
    pub(crate) top_k: bool,
    /// The field that contains the effort.
    pub(crate) effort_field: EffortField,
    /// The values of that field that the model supports.
    pub(crate) efforts: Efforts,
    /// Whether the model supports the `status` of a tool result.
    pub(crate) result_status: bool,
    /// Whether the model accepts only ids of tool calls with exactly nine letters and digits.
    pub(crate) short_ids: bool,
    pub(crate) max_output: u32,
}
