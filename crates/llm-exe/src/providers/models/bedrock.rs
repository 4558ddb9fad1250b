//! Models on Amazon Bedrock: what they refuse and offer through Converse, and which of Anthropic's
//! models is meant by an id.

use super::{ClaudeModel, claude, matches};

/// How a model can be held to a tool. A choice of any tool does the same where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    /// `toolChoice: {"tool": {"name"}}`.
    Tool,
    /// The same, with a schema whose root says `type`, `properties` and `required` alone.
    PlainTool,
    /// `toolChoice: {"any": {}}`.
    Any,
    /// It can't be.
    No,
}

/// Where `topK` goes in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopK {
    /// `inferenceConfig.topK`.
    Nested,
    /// There is no such option.
    No,
}

/// A model behind Converse that is not Anthropic's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConverseModel {
    pub(crate) pattern: &'static str,
    /// Takes `system`.
    pub(crate) system: bool,
    /// Takes `inferenceConfig.stopSequences`.
    pub(crate) stop: bool,
    /// `outputConfig.textFormat`.
    pub(crate) json_schema: bool,
    pub(crate) force: Force,
    pub(crate) top_k: TopK,
    /// Takes `reasoning_effort` of low, medium and high.
    pub(crate) effort: bool,
}

/// A model behind Converse.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Family {
    /// Anthropic's.
    Claude(ClaudeModel),
    /// Anybody else's.
    Other(ConverseModel),
}

/// What a model is that nothing is known of: it gets the common parameters and the prompt.
const fn plain(pattern: &'static str) -> ConverseModel {
    ConverseModel {
        pattern,
        system: true,
        stop: true,
        json_schema: false,
        force: Force::No,
        top_k: TopK::No,
        effort: false,
    }
}

const fn without_system(pattern: &'static str) -> ConverseModel {
    ConverseModel { system: false, ..plain(pattern) }
}

const fn nova(pattern: &'static str) -> ConverseModel {
    ConverseModel { force: Force::PlainTool, top_k: TopK::Nested, ..plain(pattern) }
}

const fn with_schema(pattern: &'static str, force: Force, stop: bool) -> ConverseModel {
    ConverseModel { json_schema: true, force, stop, ..plain(pattern) }
}

const fn forced_to_any(pattern: &'static str) -> ConverseModel {
    ConverseModel { force: Force::Any, ..plain(pattern) }
}

/// From the user guide's tables (features of Converse, tool choice, structured output) and from
/// refusals that users met. Llama 2 to 4 take tools at most unforced.
pub(crate) const CONVERSE: &[ConverseModel] = &[
    nova("amazon.nova*"),
    ConverseModel { stop: false, ..without_system("amazon.titan*") },
    plain("meta.llama*"),
    without_system("mistral.mistral-7b*"),
    without_system("mistral.mixtral*"),
    with_schema("mistral.mistral-large-3*", Force::Any, true),
    forced_to_any("mistral.mistral-large*"),
    forced_to_any("mistral.pixtral-large*"),
    plain("mistral.*"),
    without_system("cohere.command-text*"),
    without_system("cohere.command-light*"),
    plain("cohere.*"),
    without_system("ai21.j2*"),
    plain("ai21.*"),
    plain("deepseek.r1*"),
    with_schema("deepseek.*", Force::Any, true),
    ConverseModel { effort: true, ..with_schema("openai.gpt-oss*", Force::No, false) },
    with_schema("qwen.*", Force::No, false),
    plain("*"),
];

/// Of Anthropic's models those that the user guide lists for structured output.
const CLAUDE_WITH_SCHEMA: &[&str] =
    &["claude-opus-4-5*", "claude-opus-4-6*", "claude-sonnet-4-5*", "claude-haiku-4-5*"];

/// The row for an id; one that names no model is taken for `opaque`, its family's newest.
pub(crate) fn converse(id: &str, opaque: &str) -> Family {
    let name = foundation(id).unwrap_or(opaque);
    let bare = without_region(name);
    if [name, bare].iter().any(|name| name.starts_with("anthropic.")) {
        return Family::Claude(claude_on_bedrock(id));
    }
    let fits = |row: &&ConverseModel| matches(row.pattern, name) || matches(row.pattern, bare);
    Family::Other(CONVERSE.iter().find(fits).copied().unwrap_or(plain("*")))
}

/// The row for one of Anthropic's models, less what Bedrock does not offer for it.
pub(crate) fn claude_on_bedrock(id: &str) -> ClaudeModel {
    let name = claude_name(id);
    let json_schema = CLAUDE_WITH_SCHEMA.iter().any(|pattern| matches(pattern, &name));
    ClaudeModel { json_schema, ..claude(&name) }
}

/// Whether an id is of a family, by the beginning of its models' names. An id that tells no model
/// may be.
pub(crate) fn may_be_of(id: &str, family: &str) -> bool {
    let of = |name: &str| name.starts_with(family) || without_region(name).starts_with(family);
    foundation(id).is_none_or(of)
}

/// Anthropic's own name of a model: `us.anthropic.claude-opus-4-20250514-v1:0` is
/// `claude-opus-4-20250514`.
fn claude_name(id: &str) -> String {
    let name = foundation(id).unwrap_or_default();
    let name = name.split_once("anthropic.").map_or(name, |(_, name)| name);
    // The oldest are named by version alone: `claude-v2:1`.
    if let Some(version) = name.strip_prefix("claude-v") {
        return format!("claude-{}", version.replace(':', "."));
    }
    let is_version = |tail: &str| tail.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match name.rsplit_once("-v") {
        Some((name, version)) if is_version(version) => name.to_owned(),
        _ => name.to_owned(),
    }
}

/// The id of the foundation model, region prefix included, if the id tells it: an ARN of
/// something that an account has made does not.
fn foundation(id: &str) -> Option<&str> {
    if !id.starts_with("arn:") {
        return Some(id);
    }
    // arn:PARTITION:bedrock:REGION:ACCOUNT:KIND/NAME, of which the name may hold colons.
    let (kind, name) = id.splitn(6, ':').nth(5)?.split_once('/')?;
    matches!(kind, "foundation-model" | "inference-profile").then_some(name)
}

/// An inference profile's id less its region: `eu.meta.llama4-…`, `us-gov.anthropic.claude-…`.
fn without_region(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::{Family, claude_name, converse};

    #[test]
    fn claude_is_found_behind_prefixes_arns_and_versions() {
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
    fn families_are_found_behind_prefixes_and_arns() {
        for (id, pattern) in [
            ("meta.llama3-1-70b-instruct-v1:0", "meta.llama*"),
            ("us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama*"),
            ("apac.amazon.nova-lite-v1:0", "amazon.nova*"),
            ("amazon.titan-text-express-v1", "amazon.titan*"),
            ("arn:aws:bedrock:us-east-1::foundation-model/qwen.qwen3-32b-v1:0", "qwen.*"),
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.deepseek.r1-v1:0", "deepseek.r1*"),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12", "amazon.nova*"),
            ("somebody.new-model-v1:0", "*"),
        ] {
            match converse(id, "amazon.nova") {
                Family::Other(model) => assert_eq!(model.pattern, pattern, "{id}"),
                Family::Claude(model) => panic!("{id}: {}", model.pattern),
            }
        }
        let claude = converse("eu.anthropic.claude-sonnet-4-6", "amazon.nova");
        assert!(matches!(claude, Family::Claude(model) if !model.json_schema));
    }
}
