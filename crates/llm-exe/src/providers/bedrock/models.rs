//! The capabilities of models on Amazon Bedrock, which are looked up by model id or ARN.

use crate::glob::matches;
use crate::providers::anthropic::models::{self as anthropic, ClaudeModel};

/// How a model can be forced to call a tool. Because a request contains only one tool, `any` has
/// the same effect as naming that tool.
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

/// How a model accepts `topK` in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopK {
    /// The model accepts the nested field `inferenceConfig.topK`.
    Nested,
    /// The model does not support `topK`.
    Unsupported,
}

/// The capabilities of a model from a vendor other than Anthropic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConverseModel {
    /// The pattern for model names, in which `*` matches any string.
    pub(crate) pattern: &'static str,
    /// Whether the model accepts images.
    pub(crate) images: bool,
    /// Whether the model can call tools.
    pub(crate) tools: bool,
    /// Whether the model supports the field `system`.
    pub(crate) system: bool,
    /// Whether the model supports `inferenceConfig.stopSequences`.
    pub(crate) stop: bool,
    /// Whether the model supports `outputConfig.textFormat`.
    pub(crate) json_schema: bool,
    /// How the model can be forced to call a tool.
    pub(crate) tool_choice: ToolChoice,
    /// Whether and where `topK` is sent.
    pub(crate) top_k: TopK,
    /// Whether the model supports `reasoning_effort` with the values `low`, `medium` and `high`.
    pub(crate) effort: bool,
    /// Whether the model supports the `status` of a tool result.
    pub(crate) result_status: bool,
    /// Whether the model accepts only ids of tool calls with exactly nine letters and digits.
    pub(crate) short_ids: bool,
}

/// The capabilities of a model from Anthropic or from another vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Family {
    /// A model from Anthropic.
    Claude(ClaudeModel),
    /// A model from another vendor.
    Other(ConverseModel),
}

/// Creates a row for models that support only the common parameters, and that receive the schema in
/// the prompt.
const fn plain(pattern: &'static str) -> ConverseModel {
    ConverseModel {
        pattern,
        images: true,
        tools: true,
        system: true,
        stop: true,
        json_schema: false,
        tool_choice: ToolChoice::Unsupported,
        top_k: TopK::Unsupported,
        effort: false,
        result_status: false,
        short_ids: false,
    }
}

const fn without_images(model: ConverseModel) -> ConverseModel {
    ConverseModel { images: false, ..model }
}

/// Creates a row for models that accept only text and can't call tools.
const fn text_only(pattern: &'static str) -> ConverseModel {
    ConverseModel { tools: false, ..without_images(plain(pattern)) }
}

const fn without_system(model: ConverseModel) -> ConverseModel {
    ConverseModel { system: false, ..model }
}

const fn nova(pattern: &'static str) -> ConverseModel {
    ConverseModel {
        tool_choice: ToolChoice::ToolWithPlainRoot,
        top_k: TopK::Nested,
        result_status: true,
        ..plain(pattern)
    }
}

const fn with_schema(pattern: &'static str, tool_choice: ToolChoice, stop: bool) -> ConverseModel {
    ConverseModel { json_schema: true, tool_choice, stop, ..plain(pattern) }
}

const fn with_any_tool(pattern: &'static str) -> ConverseModel {
    ConverseModel { tool_choice: ToolChoice::Any, ..plain(pattern) }
}

/// Marks a row for models of Mistral.
const fn mistral(model: ConverseModel) -> ConverseModel {
    ConverseModel { short_ids: true, ..model }
}

/// The capabilities of models from vendors other than Anthropic. Sources: the user guide's tables
/// of Converse features (system prompts, vision, tool use), tool choice and structured output, and
/// error responses that users reported. Llama 2 to 4 cannot be forced to call a tool.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
pub(crate) const CONVERSE: &[ConverseModel] = &[
    without_images(nova("amazon.nova-micro*")),
    nova("amazon.nova*"),
    ConverseModel { stop: false, ..without_system(text_only("amazon.titan*")) },
    text_only("meta.llama2*"),
    without_images(plain("meta.llama3-1*")),
    plain("meta.llama3-2-11b*"),
    plain("meta.llama3-2-90b*"),
    // The table does not list Llama 3.3, which calls tools (JetBrains/koog#1211).
    without_images(plain("meta.llama3-3*")),
    text_only("meta.llama3*"),
    plain("meta.llama*"),
    mistral(without_system(text_only("mistral.mistral-7b*"))),
    mistral(without_system(text_only("mistral.mixtral*"))),
    mistral(with_schema("mistral.mistral-large-3*", ToolChoice::Any, true)),
    mistral(without_images(with_any_tool("mistral.mistral-large*"))),
    mistral(with_any_tool("mistral.pixtral-large*")),
    mistral(plain("mistral.*")),
    without_system(text_only("cohere.command-text*")),
    without_system(text_only("cohere.command-light*")),
    without_images(plain("cohere.*")),
    without_system(text_only("ai21.j2*")),
    text_only("ai21.jamba-instruct*"),
    without_images(plain("ai21.*")),
    text_only("deepseek.r1*"),
    without_images(with_schema("deepseek.*", ToolChoice::Any, true)),
    without_images(ConverseModel {
        effort: true,
        ..with_schema("openai.gpt-oss*", ToolChoice::Unsupported, false)
    }),
    with_schema("qwen.*", ToolChoice::Unsupported, false),
    plain("*"),
];

/// The Anthropic models that support structured output on Bedrock. Recorded responses of these
/// models have the status 200.
const CLAUDE_WITH_SCHEMA: &[&str] = &[
    "claude-opus-4-5*",
    "claude-opus-4-6*",
    "claude-sonnet-4-5*",
    "claude-sonnet-4-6*",
    "claude-haiku-4-5*",
];

/// The newer Anthropic models that do not support structured output on Bedrock, not even through an
/// inference profile: "output_config.format: Extra inputs are not permitted".
const CLAUDE_WITHOUT_SCHEMA: &[&str] =
    &["claude-opus-4-7*", "claude-fable-5", "claude-fable-5-20*"];

/// Returns the capabilities of a model. An id without a model name is treated as a model of
/// `default_family`.
pub(crate) fn find_model(id: &str, default_family: &str) -> Family {
    let name = foundation_model(id).unwrap_or(default_family);
    let without_prefix = strip_region(name);
    if [name, without_prefix].iter().any(|name| name.starts_with("anthropic.")) {
        return Family::Claude(find_claude(id));
    }
    let is_match =
        |row: &&ConverseModel| matches(row.pattern, name) || matches(row.pattern, without_prefix);
    Family::Other(CONVERSE.iter().find(is_match).copied().unwrap_or(plain("*")))
}

/// Returns whether a model rejects the ids that Bedrock gives to its calls.
pub(crate) fn has_short_ids(id: &str, default_family: &str) -> bool {
    matches!(find_model(id, default_family), Family::Other(model) if model.short_ids)
}

/// Returns the capabilities of an Anthropic model, excluding those that Bedrock does not offer.
pub(crate) fn find_claude(id: &str) -> ClaudeModel {
    let name = claude_name(id);
    let model = anthropic::find_model(&name);
    ClaudeModel { json_schema: model.json_schema && supports_schema(id, &name), ..model }
}

/// Returns whether Bedrock supports structured output for an Anthropic model. The newest models
/// support it only through an inference profile, whose id has a region prefix.
fn supports_schema(id: &str, name: &str) -> bool {
    let is_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, name));
    let is_profile = foundation_model(id).is_some_and(|id| !id.starts_with("anthropic."));
    is_one_of(CLAUDE_WITH_SCHEMA) || is_profile && !is_one_of(CLAUDE_WITHOUT_SCHEMA)
}

/// Returns whether a model id may belong to a family. `family` is a prefix of model names. An id
/// without a model name may belong to any family.
pub(crate) fn may_belong_to(id: &str, family: &str) -> bool {
    foundation_model(id)
        .is_none_or(|name| name.starts_with(family) || strip_region(name).starts_with(family))
}

/// Returns Anthropic's own name for a model on Bedrock, for example `claude-opus-4-20250514` for
/// the id `us.anthropic.claude-opus-4-20250514-v1:0`.
fn claude_name(id: &str) -> String {
    let name = foundation_model(id).unwrap_or_default();
    let name = name.split_once("anthropic.").map_or(name, |(_, name)| name);
    // The oldest models are named only by a version, such as `claude-v2:1`.
    if let Some(version) = name.strip_prefix("claude-v") {
        return format!("claude-{}", version.replace(':', "."));
    }
    let is_version = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match name.rsplit_once("-v") {
        Some((name, version)) if is_version(version) => name.to_owned(),
        _ => name.to_owned(),
    }
}

/// Returns the id of the foundation model, including its region prefix. Returns `None` for the ARN
/// of a resource that an account created, because it does not contain a model name.
fn foundation_model(id: &str) -> Option<&str> {
    if !id.starts_with("arn:") {
        return Some(id);
    }
    // An ARN has the format arn:PARTITION:bedrock:REGION:ACCOUNT:KIND/NAME, where NAME may contain
    // colons.
    let (kind, name) = id.splitn(6, ':').nth(5)?.split_once('/')?;
    matches!(kind, "foundation-model" | "inference-profile").then_some(name)
}

/// Strips the region prefix from the id of an inference profile, for example `us-gov` from
/// `us-gov.anthropic.claude-…`.
fn strip_region(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::{Family, claude_name, find_model};

    #[test]
    fn claude_names_are_read_from_ids_and_arns() {
        for (id, name) in [
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
            ("us.anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4-20250514"),
            ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
            ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
            ("anthropic.claude-v2:1", "claude-2.1"),
            ("anthropic.claude-instant-v1", "claude-instant"),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-7-v1:0",
                "claude-opus-4-7",
            ),
            (
                "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/\
                 us-gov.anthropic.claude-3-haiku-20240307-v1:0",
                "claude-3-haiku-20240307",
            ),
            ("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12", ""),
        ] {
            assert_eq!(claude_name(id), name, "{id}");
        }
    }

    #[test]
    fn models_are_found_by_ids_and_arns() {
        for (id, pattern) in [
            ("meta.llama3-1-70b-instruct-v1:0", "meta.llama3-1*"),
            ("meta.llama3-70b-instruct-v1:0", "meta.llama3*"),
            ("us.meta.llama3-2-90b-instruct-v1:0", "meta.llama3-2-90b*"),
            ("us.meta.llama3-2-3b-instruct-v1:0", "meta.llama3*"),
            ("us.meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3*"),
            ("us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama*"),
            ("apac.amazon.nova-lite-v1:0", "amazon.nova*"),
            ("amazon.titan-text-express-v1", "amazon.titan*"),
            ("arn:aws:bedrock:us-east-1::foundation-model/qwen.qwen3-32b-v1:0", "qwen.*"),
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.deepseek.r1-v1:0", "deepseek.r1*"),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12", "amazon.nova*"),
            ("example.new-model-v1:0", "*"),
        ] {
            match find_model(id, "amazon.nova") {
                Family::Other(model) => assert_eq!(model.pattern, pattern, "{id}"),
                Family::Claude(model) => panic!("{id}: {}", model.pattern),
            }
        }
    }

    #[test]
    fn new_claude_models_support_schemas_through_profiles() {
        let profile = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5";
        for (id, json_schema) in [
            ("anthropic.claude-sonnet-4-6", true),
            ("eu.anthropic.claude-sonnet-4-6", true),
            ("us.anthropic.claude-opus-4-7-v1:0", false),
            ("us.anthropic.claude-opus-4-1-20250805-v1:0", false),
            ("us.anthropic.claude-opus-4-8", true),
            ("anthropic.claude-opus-4-8", false),
            ("global.anthropic.claude-opus-5-5", true),
            ("anthropic.claude-opus-5-5", false),
            ("us.anthropic.claude-fable-5", false),
            ("us.anthropic.claude-fable-5-1", true),
            (profile, true),
            ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab12", false),
        ] {
            let model = find_model(id, "anthropic.");
            let claude = matches!(model, Family::Claude(model) if model.json_schema == json_schema);
            assert!(claude, "{id}: {model:?}");
        }
    }
}
