//! Reads the identity that AWS or an authorizer added to an HTTP event, and derives the caller's
//! name from it.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::shapes::{field, non_empty_string};

/// The name for callers whose identity is unknown.
const ANONYMOUS: &str = "anonymous";

/// Fields that API Gateway itself adds to the context of a Lambda authorizer.
const GATEWAY_FIELDS: &[&str] = &["integrationLatency"];

/// JWT claims that differ between tokens of the same caller, so they can't identify the caller.
const TOKEN_CLAIMS: &[&str] =
    &["auth_time", "event_id", "exp", "iat", "jti", "nbf", "origin_jti", "scope"];

/// The identity of a caller that AWS or an authorizer has authenticated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallerIdentity<'a> {
    /// The request was signed with IAM credentials. Contains the ARN of the IAM user or role, or
    /// another identifier if the ARN is missing.
    Iam(&'a str),
    /// The request was signed with credentials of a Cognito identity pool. Contains the identity
    /// id, because all users of the pool share one role.
    Cognito(&'a str),
    /// The claims of a verified JWT.
    Jwt(&'a Map<String, Value>),
    /// The context object that a Lambda authorizer returned.
    Context(&'a Map<String, Value>),
}

/// Returns a name that identifies the caller. It begins with the kind of identity, so that
/// identities of different kinds never share a name.
pub(crate) fn caller_name(identity: Option<&CallerIdentity<'_>>) -> Cow<'static, str> {
    let Some(identity) = identity else { return Cow::Borrowed(ANONYMOUS) };
    Cow::Owned(match identity {
        CallerIdentity::Iam(arn) => format!("iam:{}", without_session(arn)),
        CallerIdentity::Cognito(identity) => format!("cognito:{identity}"),
        CallerIdentity::Jwt(claims) => match (claims.get("iss"), claims.get("sub")) {
            (issuer, Some(subject)) => format!("jwt:{}", json!([issuer, subject])),
            _ => format!("claims:{}", sorted_json(claims, TOKEN_CLAIMS)),
        },
        CallerIdentity::Context(context) => {
            match context.get("principalId").and_then(Value::as_str) {
                Some(principal) => format!("principal:{principal}"),
                None => format!("context:{}", sorted_json(context, GATEWAY_FIELDS)),
            }
        }
    })
}

/// Reads the identity from a REST API's `requestContext.identity`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>
pub(crate) fn from_identity(identity: Option<&Value>) -> Option<CallerIdentity<'_>> {
    let arn = non_empty_string(identity?, "/userArn")?;
    let cognito = non_empty_string(identity?, "/cognitoIdentityId");
    Some(cognito.map_or(CallerIdentity::Iam(arn), CallerIdentity::Cognito))
}

/// Reads the identity from `requestContext.authorizer`, in payload format 1.0 or 2.0.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
pub(crate) fn from_authorizer(authorizer: Option<&Value>) -> Option<CallerIdentity<'_>> {
    let context = authorizer?.as_object()?;
    if let Some(iam) = authorizer?.get("iam").filter(|iam| has_content(iam)) {
        let names = ["/userArn", "/userId", "/callerId", "/accessKey"];
        let signed = names.iter().find_map(|name| non_empty_string(iam, name));
        let pooled = non_empty_string(iam, "/cognitoIdentity/identityId");
        return pooled
            .map(CallerIdentity::Cognito)
            .or(signed.map(CallerIdentity::Iam))
            .or_else(|| iam.as_object().map(CallerIdentity::Context));
    }
    let tokens = [field(authorizer?, "/jwt/claims"), context.get("claims")];
    if let Some(claims) = tokens.into_iter().flatten().find_map(Value::as_object)
        && !claims.is_empty()
    {
        return Some(CallerIdentity::Jwt(claims));
    }
    if let Some(lambda) = context.get("lambda").filter(|lambda| has_content(lambda)) {
        return Some(CallerIdentity::Context(lambda.as_object().unwrap_or(context)));
    }
    let is_from_authorizer = |(name, value): (&String, &Value)| {
        has_content(value) && !GATEWAY_FIELDS.contains(&name.as_str())
    };
    context.iter().any(is_from_authorizer).then_some(CallerIdentity::Context(context))
}

/// Returns true if the value is neither null nor empty. API Gateway sends null or an empty context
/// if an authorizer returned nothing.
fn has_content(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => fields.values().any(has_content),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Removes the session name from an ARN, because all sessions of a role count as the same caller.
fn without_session(arn: &str) -> &str {
    let Some((_, resource)) = arn.split_once(":assumed-role/") else { return arn };
    match resource.split_once('/') {
        Some((_, session)) => arn.strip_suffix(session).unwrap_or(arn).trim_end_matches('/'),
        None => arn,
    }
}

/// Serializes the fields as JSON, sorted by name and without the excluded ones.
fn sorted_json(fields: &Map<String, Value>, excluded: &[&str]) -> String {
    let included = fields.iter().filter(|(name, _)| !excluded.contains(&name.as_str()));
    let included = included.map(|(name, value)| (name.clone(), value.clone()));
    let mut value = Value::Object(included.collect());
    value.sort_all_objects();
    value.to_string()
}
