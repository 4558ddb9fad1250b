//! Looks up the capabilities of the models that OpenAI, xAI, DeepSeek and compatible servers offer
//! through the chat completions API.

use crate::providers::bedrock::models::{self as bedrock, Family, foundation_model};
use crate::providers::capabilities::ModelRows;
use crate::providers::capabilities::models::OPENAI;
pub(crate) use crate::providers::capabilities::rows::OpenAiModel;

/// The prefix of the ids of OpenAI's models on Bedrock.
pub(crate) const BEDROCK_FAMILY: &str = "openai.";

const UNKNOWN: OpenAiModel = OPENAI.rows[OPENAI.rows.len() - 1];

/// Returns the row for a model in its provider's table, or the last row of `others`.
pub(crate) fn find_model(
    table: &ModelRows<[OpenAiModel]>,
    others: &ModelRows<[OpenAiModel]>,
    model: &str,
) -> OpenAiModel {
    let listed = table.find(base_model(model));
    listed.or_else(|| others.rows.last().copied()).unwrap_or(UNKNOWN)
}

/// Returns the name of the model whose row describes a model: a fine-tuned model (`ft:BASE:…`) uses
/// the row of its base model.
pub(crate) fn base_model(model: &str) -> &str {
    match model.strip_prefix("ft:") {
        Some(rest) => rest.split(':').next().unwrap_or(rest),
        None => model,
    }
}

/// Returns OpenAI's own name for a model, for example `gpt-6-sol` for `global.openai.gpt-6-sol`.
/// Returns an empty text, which no row describes, for the ARN of a resource of the account.
pub(crate) fn bedrock_name(id: &str) -> &str {
    let name = foundation_model(id).unwrap_or_default();
    name.split_once(BEDROCK_FAMILY).map_or(name, |(_, name)| name)
}

/// Returns whether the Bedrock runtime serves a model through chat completions, and whether through
/// the Responses API.
pub(crate) fn served_apis(id: &str) -> (bool, bool) {
    match bedrock::find_model(id, BEDROCK_FAMILY) {
        Family::Other(model) => (model.chat, model.responses),
        Family::Claude(_) => (false, false),
    }
}

#[cfg(test)]
mod tests {
    use super::bedrock_name;

    #[test]
    fn names_of_models_are_read_from_ids_and_arns() {
        for (id, expected) in [
            ("openai.gpt-6-sol", "gpt-6-sol"),
            ("global.openai.gpt-6-sol", "gpt-6-sol"),
            ("us-gov.openai.gpt-oss-120b-1:0", "gpt-oss-120b-1:0"),
            ("arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-5.5", "gpt-5.5"),
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.openai.gpt-5.5", "gpt-5.5"),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12", ""),
        ] {
            assert_eq!(bedrock_name(id), expected, "{id}");
        }
    }
}
