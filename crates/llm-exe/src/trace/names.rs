//! The names of OpenTelemetry's conventions for generative AI, version 0.1.0, and our own names for
//! what the conventions do not cover.
//! <https://github.com/open-telemetry/semantic-conventions-genai/tree/v0.1.0/docs/gen-ai>

/// The URL of the general conventions, on which those for generative AI depend.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

pub(crate) const INVOKE_WORKFLOW: &str = "invoke_workflow";
pub(crate) const CHAT: &str = "chat";
pub(crate) const EXECUTE_TOOL: &str = "execute_tool";

pub(crate) const ERROR_TYPE: &str = "error.type";
pub(crate) const SERVER_ADDRESS: &str = "server.address";
pub(crate) const SERVER_PORT: &str = "server.port";
pub(crate) const OPERATION_NAME: &str = "gen_ai.operation.name";
pub(crate) const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// Also the name of a workflow, since version 0.1.0.
pub(crate) const AGENT_NAME: &str = "gen_ai.agent.name";
pub(crate) const OUTPUT_TYPE: &str = "gen_ai.output.type";
pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(crate) const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
pub(crate) const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
pub(crate) const REQUEST_TOP_P: &str = "gen_ai.request.top_p";
pub(crate) const REQUEST_TOP_K: &str = "gen_ai.request.top_k";
pub(crate) const REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
pub(crate) const REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
pub(crate) const REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
pub(crate) const REQUEST_SEED: &str = "gen_ai.request.seed";
pub(crate) const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub(crate) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(crate) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(crate) const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(crate) const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(crate) const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(crate) const USAGE_CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
pub(crate) const USAGE_CACHE_CREATION: &str = "gen_ai.usage.cache_creation.input_tokens";
pub(crate) const USAGE_REASONING: &str = "gen_ai.usage.reasoning.output_tokens";
pub(crate) const TOOL_NAME: &str = "gen_ai.tool.name";
pub(crate) const TOOL_TYPE: &str = "gen_ai.tool.type";
pub(crate) const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";

/// The messages of the prompt.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// The reply of the model.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// The arguments of a call of a tool.
pub const TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// The result of a call of a tool.
pub const TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";

/// The cost of the calls in US dollars, if it is known.
pub(crate) const COST: &str = "llm_exe.cost.usd";
/// The number of requests that were sent to the provider.
pub(crate) const ATTEMPTS: &str = "llm_exe.attempts";
/// The number of requests for a correction of the reply.
pub(crate) const REPAIRS: &str = "llm_exe.repairs";
/// The hash of the prompt before it is rendered.
pub(crate) const PROMPT_HASH: &str = "llm_exe.prompt.hash";
/// The start of the names of attributes for the tags of a request.
pub(crate) const TAG: &str = "llm_exe.tag.";
/// The turn of a conversation with tools, counted from 1.
pub(crate) const TURN: &str = "llm_exe.turn";
/// The index of an item of a step, counted from 0.
pub(crate) const ITEM: &str = "llm_exe.item";

/// The names of attributes that contain prompts, replies, or arguments and results of tools.
pub const CONTENT_ATTRIBUTES: [&str; 4] =
    [INPUT_MESSAGES, OUTPUT_MESSAGES, TOOL_CALL_ARGUMENTS, TOOL_CALL_RESULT];

/// Returns the name of a provider in the conventions. Those that it does not list keep the name of
/// this project.
pub(crate) fn provider_name(name: &str) -> &str {
    match name {
        name if name.split(':').next() == Some("amazon") => "aws.bedrock",
        "azure" => "azure.ai.openai",
        "google" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        name => name,
    }
}
