//! The capabilities of models on Amazon Bedrock, which are looked up by model id or ARN.

use crate::providers::anthropic::models::{
    self as anthropic, BedrockJson, ClaudeModel, ThinkingOff,
};
use crate::providers::capabilities::models::{CLAUDE, CONVERSE};
pub(crate) use crate::providers::capabilities::rows::{ConverseModel, EffortField, ToolChoice};

/// The prefix of the ids of Anthropic's models.
const ANTHROPIC: &str = "anthropic.";

/// A name that only the row of the newest models matches.
const UNKNOWN_CLAUDE: &str = "claude-";

/// The capabilities of a model from Anthropic or from another vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Family {
    /// A model from Anthropic.
    Claude(ClaudeModel),
    /// A model from another vendor.
    Other(ConverseModel),
}

const UNKNOWN: ConverseModel = CONVERSE.rows[CONVERSE.rows.len() - 1];

/// Returns the capabilities of a model. An id without a model name is treated as a model of
/// `default_family`.
pub(crate) fn find_model(id: &str, default_family: &str) -> Family {
    match row_index(id, default_family) {
        RowIndex::Claude => Family::Claude(find_claude(id)),
        RowIndex::Other(index) => {
            let row = index.and_then(|index| CONVERSE.rows.get(index));
            Family::Other(row.copied().unwrap_or(UNKNOWN))
        }
    }
}

/// Returns the provider whose table contains a model, and the patterns of the matching row.
pub(crate) fn find_patterns(id: &str, default_family: &str) -> (&'static str, &'static str) {
    match row_index(id, default_family) {
        RowIndex::Claude => {
            let name = foundation_model(id).map_or(UNKNOWN_CLAUDE, |_| claude_name(id));
            ("anthropic", CLAUDE.patterns_of(CLAUDE.index(name)))
        }
        RowIndex::Other(index) => ("amazon", CONVERSE.patterns_of(index)),
    }
}

/// The table with the row of a model.
enum RowIndex {
    /// Anthropic's table.
    Claude,
    /// The index in `CONVERSE`.
    Other(Option<usize>),
}

fn row_index(id: &str, default_family: &str) -> RowIndex {
    let name = foundation_model(id).unwrap_or(default_family);
    let without_prefix = strip_region(name);
    if [name, without_prefix].iter().any(|name| name.starts_with(ANTHROPIC)) {
        return RowIndex::Claude;
    }
    let indexes = [name, without_prefix].into_iter().filter_map(|name| CONVERSE.index(name));
    RowIndex::Other(indexes.min())
}

/// Returns whether a model rejects the ids that Bedrock gives to its calls.
pub(crate) fn has_short_ids(id: &str, default_family: &str) -> bool {
    matches!(find_model(id, default_family), Family::Other(model) if model.short_ids)
}

/// Returns the capabilities that an Anthropic model has on Bedrock.
pub(crate) fn find_claude(id: &str) -> ClaudeModel {
    let Some(name) = foundation_model(id) else {
        let model = anthropic::find_model(UNKNOWN_CLAUDE);
        // The model can be an old one, which rejects fields that only new models need.
        let off = ThinkingOff::Omit;
        return ClaudeModel { json_schema: false, thinks_by_default: false, off, ..model };
    };
    let model = anthropic::find_model(claude_name(id));
    let json_schema = match model.bedrock_json {
        BedrockJson::Always => true,
        BedrockJson::Profiles => !name.starts_with(ANTHROPIC),
        BedrockJson::Never => false,
    };
    let max_output = match model.max_output_bedrock {
        0 => model.max_output,
        maximum => maximum,
    };
    ClaudeModel { json_schema, max_output, ..model }
}

/// Returns whether a model id may belong to a family. `family` is a prefix of model names. An id
/// without a model name may belong to any family.
pub(crate) fn may_belong_to(id: &str, family: &str) -> bool {
    foundation_model(id)
        .is_none_or(|name| name.starts_with(family) || strip_region(name).starts_with(family))
}

/// Returns Anthropic's own name for a model on Bedrock, for example `claude-opus-4-20250514` for
/// the id `us.anthropic.claude-opus-4-20250514-v1:0`.
fn claude_name(id: &str) -> &str {
    let name = foundation_model(id).unwrap_or_default();
    let name = name.split_once(ANTHROPIC).map_or(name, |(_, name)| name);
    // The oldest models have only a version, such as `claude-v2:1`, which is part of their name.
    let is_version = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match name.rsplit_once("-v") {
        Some((base, version)) if is_version(version) && base.contains('-') => base,
        _ => name,
    }
}

/// Returns the id of the foundation model, including its region prefix. Returns `None` for the ARN
/// of a resource that an account created, because it does not contain a model name.
pub(crate) fn foundation_model(id: &str) -> Option<&str> {
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
    use super::{Family, claude_name, find_model, find_patterns};

    #[test]
    fn claude_names_are_read_from_ids_and_arns() {
        for (id, name) in [
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
            ("us.anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4-20250514"),
            ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
            ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
            ("anthropic.claude-v2:1", "claude-v2:1"),
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
            ("us.meta.llama3-2-90b-instruct-v1:0", "meta.llama3-2-11b* meta.llama3-2-90b*"),
            ("us.meta.llama3-2-3b-instruct-v1:0", "meta.llama3*"),
            ("us.meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3*"),
            ("us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama4*"),
            (
                "apac.amazon.nova-lite-v1:0",
                "amazon.nova-lite* amazon.nova-pro* amazon.nova-premier*",
            ),
            ("amazon.titan-text-express-v1", "amazon.titan*"),
            ("arn:aws:bedrock:us-east-1::foundation-model/qwen.qwen3-32b-v1:0", "qwen.*"),
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.deepseek.r1-v1:0", "deepseek.r1*"),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12", "amazon.nova*"),
            ("example.new-model-v1:0", "*"),
        ] {
            assert_eq!(find_patterns(id, "amazon.nova"), ("amazon", pattern), "{id}");
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
