//! Who called over HTTP, as far as AWS vouches for it: what an authorizer left in the event, and
//! the name that it gives to the caller.

use serde_json::{Map, Value, json};

use crate::shapes::said;

/// The caller whom nobody vouches for.
const ANONYMOUS: &str = "anonymous";

/// What API Gateway itself puts beside an authorizer's context.
const NOT_OF_THE_CALLER: &[&str] = &["integrationLatency"];

/// Claims that differ from token to token of one caller.
const OF_THE_TOKEN: &[&str] =
    &["auth_time", "event_id", "exp", "iat", "jti", "nbf", "origin_jti", "scope"];

/// AWS's word that somebody was let in by more than an open door.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proof<'a> {
    /// A signature: the IAM user's or role's ARN, or another part of the identity.
    Iam(&'a str),
    /// A signature with credentials of an identity pool, whose users share a role.
    Cognito(&'a str),
    /// The claims of a token that was verified.
    Jwt(&'a Map<String, Value>),
    /// What a Lambda authorizer says.
    Context(&'a Map<String, Value>),
}

/// The caller's name; names of different kinds never are the same.
pub(crate) fn name(proof: Option<&Proof<'_>>) -> String {
    match proof {
        None => ANONYMOUS.to_owned(),
        Some(Proof::Iam(arn)) => format!("iam:{}", without_session(arn)),
        Some(Proof::Cognito(identity)) => format!("cognito:{identity}"),
        Some(Proof::Jwt(claims)) => match (claims.get("iss"), claims.get("sub")) {
            (issuer, Some(subject)) => format!("jwt:{}", json!([issuer, subject])),
            _ => format!("claims:{}", sorted(claims, OF_THE_TOKEN)),
        },
        Some(Proof::Context(context)) => match context.get("principalId").and_then(Value::as_str) {
            Some(principal) => format!("principal:{principal}"),
            None => format!("context:{}", sorted(context, NOT_OF_THE_CALLER)),
        },
    }
}

/// The proof in a REST API's `requestContext.identity`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>
pub(crate) fn identity(identity: Option<&Value>) -> Option<Proof<'_>> {
    let arn = said(identity?, "/userArn")?;
    Some(said(identity?, "/cognitoIdentityId").map_or(Proof::Iam(arn), Proof::Cognito))
}

/// The proof in `requestContext.authorizer`, of either payload format.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
pub(crate) fn authorizer(authorizer: Option<&Value>) -> Option<Proof<'_>> {
    let context = authorizer?.as_object()?;
    if let Some(iam) = authorizer?.get("iam").filter(|iam| is_said(iam)) {
        let names = ["/userArn", "/userId", "/callerId", "/accessKey"];
        let signed = names.iter().find_map(|name| said(iam, name)).map(Proof::Iam);
        let pooled = said(iam, "/cognitoIdentity/identityId").map(Proof::Cognito);
        return pooled.or(signed).or_else(|| iam.as_object().map(Proof::Context));
    }
    let tokens = [authorizer?.pointer("/jwt/claims"), context.get("claims")];
    if let Some(claims) = tokens.into_iter().flatten().find_map(Value::as_object)
        && !claims.is_empty()
    {
        return Some(Proof::Jwt(claims));
    }
    if let Some(lambda) = context.get("lambda").filter(|lambda| is_said(lambda)) {
        return Some(Proof::Context(lambda.as_object().unwrap_or(context)));
    }
    let is_the_callers = |(name, value): (&String, &Value)| {
        is_said(value) && !NOT_OF_THE_CALLER.contains(&name.as_str())
    };
    context.iter().any(is_the_callers).then_some(Proof::Context(context))
}

/// An authorizer that said nothing leaves an empty context or null behind.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => fields.values().any(is_said),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// A role's sessions are one caller.
fn without_session(arn: &str) -> &str {
    let Some((_, resource)) = arn.split_once(":assumed-role/") else { return arn };
    match resource.split_once('/') {
        Some((_, session)) => arn.strip_suffix(session).unwrap_or(arn).trim_end_matches('/'),
        None => arn,
    }
}

/// The fields but for some, as JSON that does not depend on their order.
fn sorted(fields: &Map<String, Value>, without: &[&str]) -> String {
    let kept = fields.iter().filter(|(name, _)| !without.contains(&name.as_str()));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    let mut value = Value::Object(kept.collect());
    value.sort_all_objects();
    value.to_string()
}
