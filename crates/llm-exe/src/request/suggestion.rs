//! Creates "did you mean" suggestions for misspelled names and for the names that other APIs use.

use crate::word_list::contains_word;

/// Maximum length in bytes of a name to compare with known names. Comparing two names takes time
/// proportional to the product of their lengths.
const MAX_NAME_LENGTH: usize = 40;

/// Maximum number of known names to compare a name with.
const MAX_COMPARED: usize = 1_000;

/// Names of providers, options, fields, roles and outputs, each followed by names with the same
/// meaning in other APIs, in lower case and without `-` and `_`. A line applies only if its first
/// name is one of the known names, so a word can be in several lines.
const SYNONYMS: &str = "\
openai gpt chatgpt oai
anthropic claude
google gemini googleai googlegemini generativelanguage gemma
xai grok x.ai
amazon bedrock aws awsbedrock amazonbedrock
amazon:anthropic bedrock:anthropic bedrock:claude amazon:claude aws:anthropic anthropic:bedrock
amazon:meta bedrock:meta bedrock:llama amazon:llama aws:meta
amazon:nova bedrock:nova nova aws:nova
maxTokens maxcompletiontokens maxoutputtokens maxnewtokens maxtokenstosample maxgenlen numpredict
topP nucleus
stopSequences stop stopwords stoptokens
effort reasoningeffort reasoning thinking thinkinglevel thinkingbudget thinkingconfig budgettokens
temperature temp
seed randomseed
timeout timeoutms timeoutseconds requesttimeout
numOfAttempts retries maxretries numretries numofretries attempts maxattempts numattempts
maxDelay backoff maxbackoff retrydelay
maxCost maxusd budget costlimit maxprice maxbudget
provider vendor
model modelid modelname engine deployment
message prompt messages contents system systemprompt systeminstruction instructions
output responseformat format parser outputformat
outputOptions parseroptions
schema jsonschema responseschema outputschema responsejsonschema
data variables vars context
options settings generationconfig modeloptions
fallbacks fallbackmodels
idempotencyKey clienttoken
traceparent tracecontext traceid
run runs execute exec target call invoke
lambda function functionname functionarn lambdaarn lambdafunction arn handler
request executor subrequest
parameters inputschema argumentsschema
when if condition runif onlyif
each foreach map forall items itemspath
needs dependson after waitsfor requires
repeat loop until while
onItemError onerror itemerror
dataFrom inputs inputfrom
concurrency maxconcurrency
content text parts
image_url image imageuri
system developer
user human
assistant model ai bot
string str text plain
list array
array list
json object jsonobject
object dict map
boolean bool
integer int long
number integer int long float double
";

/// Returns ` (did you mean NAME?)` if a known name is similar to `name` or means the same, and an
/// empty string otherwise. Messages append it to the quoted name.
pub fn suggestion<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    nearest(name, known).map(did_you_mean).unwrap_or_default()
}

/// Returns the same text as [`suggestion`], but only for a name that is equal to a known one or
/// means the same.
pub(crate) fn synonym_suggestion<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    equivalent(name, known).map(did_you_mean).unwrap_or_default()
}

pub(super) fn did_you_mean(name: impl std::fmt::Display) -> String {
    format!(" (did you mean {name}?)")
}

/// Returns the known name that differs only in case and separators, or means the same in another
/// API, or else differs by at most two edits.
pub(super) fn nearest<'a, S: AsRef<str>>(name: &str, known: &'a [S]) -> Option<&'a str> {
    if name.len() > MAX_NAME_LENGTH {
        return None;
    }
    equivalent(name, known).or_else(|| similar(name, known))
}

/// Returns the known name that differs only in case and separators, or means the same.
fn equivalent<'a, S: AsRef<str>>(name: &str, known: &'a [S]) -> Option<&'a str> {
    let normalized = normalize(name);
    let known = || known.iter().map(AsRef::as_ref).take(MAX_COMPARED);
    if let Some(same) = known().find(|known| normalize(known) == normalized) {
        return Some(same);
    }
    let lines = SYNONYMS.lines().filter_map(|line| line.split_once(' '));
    let mut meant = lines.filter(|(_, synonyms)| contains_word(synonyms, &normalized));
    meant.find_map(|(name, _)| known().find(|known| *known == name))
}

fn similar<'a, S: AsRef<str>>(name: &str, known: &'a [S]) -> Option<&'a str> {
    let normalized = normalize(name);
    let known = known.iter().map(AsRef::as_ref).take(MAX_COMPARED);
    known
        .filter(|known: &&str| known.len() <= 2 * MAX_NAME_LENGTH)
        .map(|known: &str| (strsim::damerau_levenshtein(&normalize(known), &normalized), known))
        .filter(|(distance, known)| *distance <= 2 && *distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn normalize(name: &str) -> String {
    name.replace(['_', '-'], "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{SYNONYMS, suggestion};

    #[test]
    fn synonyms_are_suggested_for_known_names() {
        let providers = ["openai", "google", "amazon", "amazon:anthropic"];
        for (name, expected) in [
            ("gemini", "google"),
            ("GPT", "openai"),
            ("aws-bedrock", "amazon"),
            ("bedrock:anthropic", "amazon:anthropic"),
        ] {
            assert_eq!(suggestion(name, &providers), format!(" (did you mean {expected}?)"));
        }
        assert_eq!(suggestion("claude", &providers), "", "anthropic is not among the names");
        assert_eq!(suggestion("text", &["string", "json"]), " (did you mean string?)");
        assert_eq!(suggestion("text", &["role", "content"]), " (did you mean content?)");
        assert_eq!(suggestion("text", &["content", "Text"]), " (did you mean Text?)");
        let types = ["object", "array", "string", "number", "integer", "boolean", "null"];
        for (name, expected) in [
            ("int", "integer"),
            ("long", "integer"),
            ("float", "number"),
            ("list", "array"),
            ("str", "string"),
            ("dict", "object"),
        ] {
            assert_eq!(suggestion(name, &types), format!(" (did you mean {expected}?)"));
        }
        assert_eq!(suggestion("int", &["string", "number"]), " (did you mean number?)");
        assert_eq!(suggestion("array", &["string", "list"]), " (did you mean list?)");
    }

    #[test]
    fn synonyms_are_in_the_form_that_they_are_compared_in() {
        for line in SYNONYMS.lines() {
            let (_, synonyms) = line.split_once(' ').unwrap();
            assert!(!synonyms.contains(['_', '-']), "{line}");
            assert_eq!(synonyms, synonyms.to_lowercase(), "{line}");
        }
    }

    #[test]
    fn similar_names_are_suggested() {
        let known = ["system", "user", "maxTokens"];
        assert_eq!(suggestion("sytem", &known), " (did you mean system?)");
        assert_eq!(suggestion("max_tokens", &known), " (did you mean maxTokens?)");
        assert_eq!(suggestion("robot", &known), "");
        assert_eq!(suggestion(&"system".repeat(10), &known), "");
    }
}
