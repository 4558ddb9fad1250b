//! The names of AWS Lambda functions, which tools may call.

use crate::json;
use crate::region::check_region;

/// Maximum length of the name of a function, without its account and region.
const MAX_NAME_LENGTH: usize = 64;

/// The name of a Lambda function: `name`, `account:function:name`, or an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// The region, if the name is an ARN.
    pub region: Option<String>,
    /// The id of the account, if the name contains one.
    pub account: Option<String>,
    /// The name within the account and region.
    pub name: String,
    /// The version or alias.
    pub qualifier: Option<String>,
}

impl FunctionName {
    /// Parses a name.
    ///
    /// # Errors
    /// The expected form and the received name.
    pub fn parse(text: &str) -> Result<FunctionName, String> {
        parse(text).filter(|parsed| is_name(&parsed.name)).ok_or_else(|| {
            format!("expected the name or the ARN of a Lambda function, got {}", json::quoted(text))
        })
    }

    /// Parses a pattern, which is a name that may end in `*`.
    ///
    /// # Errors
    /// The expected form and the received pattern.
    pub fn parse_pattern(text: &str) -> Result<FunctionName, String> {
        let is_pattern = |parsed: &FunctionName| {
            parsed.name == "*" || is_name(parsed.name.strip_suffix('*').unwrap_or(&parsed.name))
        };
        parse(text).filter(is_pattern).ok_or_else(|| {
            format!(
                "expected names or ARNs of Lambda functions, which may end in *, got {}",
                json::quoted(text)
            )
        })
    }

    /// Returns the name with the account and the region of `own` where it has none.
    fn within(&self, own: Option<&FunctionName>) -> FunctionName {
        let region = self.region.clone().or_else(|| own.and_then(|own| own.region.clone()));
        let account = self.account.clone().or_else(|| own.and_then(|own| own.account.clone()));
        FunctionName { region, account, ..self.clone() }
    }

    /// Returns whether two names are those of the same function, whatever its version. A name
    /// without account and region is that of a function next to `own`.
    pub fn is_same_function(&self, other: &FunctionName, own: Option<&FunctionName>) -> bool {
        let (first, second) = (self.within(own), other.within(own));
        (first.region, first.account, first.name) == (second.region, second.account, second.name)
    }

    /// Returns whether a pattern includes a function. A pattern without a version includes all
    /// versions.
    pub fn includes(&self, function: &FunctionName, own: Option<&FunctionName>) -> bool {
        let (pattern, function) = (self.within(own), function.within(own));
        let has_name = match pattern.name.strip_suffix('*') {
            Some(prefix) => function.name.starts_with(prefix),
            None => function.name == pattern.name,
        };
        let has_version = pattern.qualifier.is_none() || pattern.qualifier == function.qualifier;
        has_name
            && has_version
            && (pattern.region, pattern.account) == (function.region, function.account)
    }
}

fn parse(text: &str) -> Option<FunctionName> {
    let parts: Vec<&str> = text.split(':').collect();
    let owned = |part: &&str| (*part).to_owned();
    let (region, account, rest) = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", rest @ ..]
            if partition.starts_with("aws") =>
        {
            (Some(region), Some(account), rest)
        }
        [account, "function", rest @ ..] => (None, Some(account), rest),
        rest => (None, None, rest),
    };
    let is_region = |region: &&&str| check_region(region).is_ok();
    let is_account =
        |account: &&&str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if region.is_some_and(|region| !is_region(&region))
        || account.is_some_and(|account| !is_account(&account))
    {
        return None;
    }
    let (name, qualifier) = match rest {
        [name] => (name, None),
        [name, qualifier] if is_qualifier(qualifier) => (name, Some(owned(qualifier))),
        _ => return None,
    };
    let (region, account) = (region.map(owned), account.map(owned));
    Some(FunctionName { region, account, name: owned(name), qualifier })
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= MAX_NAME_LENGTH && name.bytes().all(is_plain)
}

/// Returns whether a text is a version or an alias.
pub(crate) fn is_qualifier(text: &str) -> bool {
    text == "$LATEST" || is_name(text)
}

#[cfg(test)]
mod tests {
    use super::FunctionName;

    const OWN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:llm";

    #[test]
    fn names_and_patterns_have_the_forms_of_lambda() {
        for (text, is_name, is_pattern) in [
            ("rates", true, true),
            ("rates:live", true, true),
            ("rates-*", false, true),
            ("*", false, true),
            ("123456789012:function:rates", true, true),
            ("arn:aws:lambda:eu-central-1:123456789012:function:rates:3", true, true),
            ("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:rates", true, true),
            ("arn:aws:lambda:eu-central-1:123456789012:function:ra*", false, true),
            ("arn:aws:lambda:eu-central-1:123456789012:layer:rates", false, false),
            ("arn:aws:lambda:x/y:123456789012:function:rates", false, false),
            ("12:function:rates", false, false),
            ("a*b", false, false),
            ("a/b", false, false),
            ("a:b:c", false, false),
            ("", false, false),
        ] {
            assert_eq!(FunctionName::parse(text).is_ok(), is_name, "{text}");
            assert_eq!(FunctionName::parse_pattern(text).is_ok(), is_pattern, "{text}");
        }
    }

    #[test]
    fn names_and_arns_of_the_own_account_are_compared() {
        let own = FunctionName::parse(OWN).unwrap();
        for (pattern, function, expected) in [
            ("rates", "rates", true),
            ("rates", "rates:live", true),
            ("rates:live", "rates", false),
            ("rates", "arn:aws:lambda:eu-central-1:123456789012:function:rates", true),
            ("arn:aws:lambda:eu-central-1:123456789012:function:ra*", "rates", true),
            ("rates", "arn:aws:lambda:us-east-1:123456789012:function:rates", false),
            ("*", "999999999999:function:rates", false),
            ("rat", "rates", false),
        ] {
            let pattern = FunctionName::parse_pattern(pattern).unwrap();
            let name = FunctionName::parse(function).unwrap();
            assert_eq!(pattern.includes(&name, Some(&own)), expected, "{pattern:?} {function}");
        }
        for (name, expected) in [
            ("llm", true),
            ("llm:live", true),
            ("123456789012:function:llm", true),
            ("999999999999:function:llm", false),
            ("llm2", false),
        ] {
            let name = FunctionName::parse(name).unwrap();
            assert_eq!(name.is_same_function(&own, Some(&own)), expected, "{name:?}");
        }
    }
}
