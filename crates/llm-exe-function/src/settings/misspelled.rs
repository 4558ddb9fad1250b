//! Finds environment variables that are probably misspelled settings. A misspelled limit would not
//! limit anything.

use llm_exe::providers::PROVIDERS;
use llm_exe::suggestion;

use super::REGION_VARIABLES;
use super::rows::ROWS;

/// The beginning of the names of variables that AWS defines. Lambda sets about 15 of them. Some
/// have names similar to those of settings.
const AWS_PREFIX: &str = "AWS_";

/// The beginning of the names of settings that look like variables of AWS.
const S3_FILES_PREFIX: &str = "AWS_S3_";

/// The end of the names of API keys, some of which are similar to the name of a base URL.
const KEY_SUFFIX: &str = "_API_KEY";

/// Maximum difference between the lengths of a misspelled name and the name of the setting.
const MAX_EDITS: usize = 2;

/// Whether a setting has a name that begins with this byte. Most variables fail this check, which
/// is cheaper than comparing names.
const IS_FIRST_LETTER: [bool; 256] = {
    let mut letters = [false; 256];
    let mut index = 0;
    while index < ROWS.len() {
        letters[first_byte(ROWS[index].name)] = true;
        index += 1;
    }
    index = 0;
    while index < PROVIDERS.len() {
        letters[first_byte(PROVIDERS[index].base_url_setting)] = true;
        index += 1;
    }
    index = 0;
    while index < REGION_VARIABLES.len() {
        letters[first_byte(REGION_VARIABLES[index])] = true;
        index += 1;
    }
    letters
};

const fn first_byte(name: &str) -> usize {
    name.as_bytes()[0] as usize
}

/// Returns a warning for each variable whose name is similar to that of a setting. The function
/// calls this at its start, so names that are too different are skipped without an exact
/// comparison.
pub fn misspelled_settings<'a>(variables: impl Iterator<Item = &'a str>) -> Vec<String> {
    let other = REGION_VARIABLES.iter().copied();
    let base_urls = PROVIDERS.iter().map(|provider| provider.base_url_setting);
    let settings = || ROWS.iter().map(|row| row.name).chain(base_urls.clone()).chain(other.clone());
    let mut warnings = Vec::new();
    let is_known = |name: &str| {
        name.ends_with(KEY_SUFFIX)
            || name.starts_with(AWS_PREFIX) && !name.starts_with(S3_FILES_PREFIX)
    };
    for name in variables.filter(|name| !is_known(name)) {
        // A name that is misspelled in its first letter is not found.
        let Some(first) = name.bytes().next().map(|byte| byte.to_ascii_uppercase()) else {
            continue;
        };
        if !IS_FIRST_LETTER[usize::from(first)] {
            continue;
        }
        let mut similar = Vec::new();
        settings().for_each(|setting| {
            if setting.as_bytes().first() == Some(&first) && may_be_similar(name, setting) {
                similar.push(setting);
            }
        });
        if similar.is_empty() || similar.contains(&name) {
            continue;
        }
        let suggestion = suggestion(name, &similar);
        if !suggestion.is_empty() {
            warnings.push(format!("the environment variable {name} is not a setting{suggestion}"));
        }
    }
    warnings
}

/// Returns whether the names have similar lengths, and the same beginning and end for at least half
/// of the length. Short names must differ in one place only, because many other words are similar.
fn may_be_similar(name: &str, setting: &str) -> bool {
    if name.len().abs_diff(setting.len()) > MAX_EDITS {
        return false;
    }
    let is_same = |(a, b): &(u8, u8)| a.eq_ignore_ascii_case(b);
    let start = name.bytes().zip(setting.bytes()).take_while(is_same).count();
    let end = name.bytes().rev().zip(setting.bytes().rev()).take_while(is_same).count();
    let min_same =
        if setting.len() < 12 { setting.len().saturating_sub(2) } else { setting.len() / 2 };
    start + end >= min_same
}

#[cfg(test)]
mod tests {
    use super::super::REGION_VARIABLES;
    use super::{IS_FIRST_LETTER, PROVIDERS, ROWS, misspelled_settings};

    #[test]
    fn first_letters_of_all_settings_are_known() {
        let base_urls = PROVIDERS.iter().map(|provider| provider.base_url_setting);
        let others = REGION_VARIABLES.iter().copied();
        for name in ROWS.iter().map(|row| row.name).chain(base_urls).chain(others) {
            assert!(IS_FIRST_LETTER[usize::from(name.as_bytes()[0])], "{name}");
        }
    }

    #[test]
    fn similar_names_cause_a_warning() {
        for (name, setting) in [
            ("ALOWED_MODELS", "ALLOWED_MODELS"),
            ("ALLOWED_MODEL", "ALLOWED_MODELS"),
            ("ALLOWEDMODELS", "ALLOWED_MODELS"),
            ("allowed_models", "ALLOWED_MODELS"),
            ("MAX_TOKEN_CEILING", "MAX_TOKENS_CEILING"),
            ("MAX_TOKENS_CIELING", "MAX_TOKENS_CEILING"),
            ("ENDPOINT_AUHT", "ENDPOINT_AUTH"),
            ("CONFIG_BUCKET", "CONFIG_BUCKETS"),
            ("AWS_S3_FILE_BUCKET_NAME", "AWS_S3_FILES_BUCKET_NAME"),
            ("OPENAI_BASEURL", "OPENAI_BASE_URL"),
            ("TOOL_FUNCTION", "TOOL_FUNCTIONS"),
            ("STCAK_NAME", "STACK_NAME"),
            ("LOGLEVEL", "LOG_LEVEL"),
        ] {
            let expected = format!(
                "the environment variable {name} is not a setting (did you mean {setting}?)"
            );
            assert_eq!(misspelled_settings([name].into_iter()), [expected]);
        }
    }

    #[test]
    fn other_names_cause_no_warning() {
        let names = [
            "ALLOWED_MODELS",
            "AWS_DEFAULT_REGION",
            "AWS_REGION",
            "AWS_PROFILE",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_SESSION_TOKEN",
            "AWS_EXECUTION_ENV",
            "AWS_ENDPOINT_URL_SNS",
            "OPENAI_API_KEY",
            "OPENAI_API_BASE",
            "XAI_API_KEY",
            "LD_LIBRARY_PATH",
            "_HANDLER",
            "HOSTNAME",
            "TASK_NAME",
            "PATH",
            "LANG",
            "",
        ];
        assert_eq!(misspelled_settings(names.into_iter()), Vec::<String>::new());
    }
}
