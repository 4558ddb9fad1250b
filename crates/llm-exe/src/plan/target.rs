//! Validates the targets of a request: its own provider and model, and its fallbacks.

use std::borrow::Cow;

use super::options;
use super::problems::Problems;
use super::rules::Rules;
use crate::chat::Sampling;
use crate::json;
use crate::providers::Provider;
use crate::request::{MAX_FALLBACKS, Request, RequestFallback, RequestOptions, too_many_items};
use crate::transport::Policy;

/// Maximum length of a model name.
const MAX_MODEL_LENGTH: usize = 256;

/// A provider and a model, with the options for calling them.
#[derive(Debug, Clone)]
pub struct Target {
    /// The provider to call.
    pub provider: Provider,
    /// The model name, as the provider spells it.
    pub model: String,
    /// The sampling options, such as the temperature.
    pub sampling: Sampling,
    /// When and how often a failed call is retried.
    pub policy: Policy,
}

/// Validates the request's own target and its fallbacks. Returns the valid ones.
pub(super) fn check_targets(
    request: &mut Request,
    rules: &Rules,
    problems: &mut Problems,
) -> (Option<Target>, Vec<Target>) {
    let names = TargetNames {
        provider: request.provider.as_deref(),
        providor: request.providor.as_deref(),
        model: request.model.take().map(Cow::Owned),
    };
    let options = request.options.clone().unwrap_or_default();
    let first =
        TargetValidator { prefix: "", rules }.check_target(names, options.clone(), problems);
    let mut fallbacks = Vec::new();
    let count = request.fallbacks.as_ref().map_or(0, Vec::len);
    if count > MAX_FALLBACKS {
        problems.add("fallbacks", too_many_items(MAX_FALLBACKS, "fallbacks", count));
    }
    let checked = request.fallbacks.iter().flatten().take(MAX_FALLBACKS);
    for (index, fallback) in checked.enumerate() {
        let prefix = format!("fallbacks[{index}].");
        let Some(fallback) = fallback else {
            problems.add(prefix.trim_end_matches('.'), "is null; expected {provider, model}");
            continue;
        };
        let validator = TargetValidator { prefix: &prefix, rules };
        fallbacks.extend(validator.check_fallback(fallback, &options, problems));
    }
    (first, fallbacks)
}

/// The provider and model names of a target, as the request spells them.
struct TargetNames<'a> {
    provider: Option<&'a str>,
    providor: Option<&'a str>,
    model: Option<Cow<'a, str>>,
}

/// Validates one target.
struct TargetValidator<'a> {
    /// The prefix of the target's field paths, such as `fallbacks[0].`. Empty for the request's own
    /// target.
    prefix: &'a str,
    rules: &'a Rules,
}

impl TargetValidator<'_> {
    fn add(&self, problems: &mut Problems, field: &str, message: impl Into<String>) {
        problems.add(format!("{}{field}", self.prefix), message);
    }

    fn check_target(
        &self,
        names: TargetNames<'_>,
        written: RequestOptions,
        problems: &mut Problems,
    ) -> Option<Target> {
        let provider_and_model = self.check_names(names, problems);
        let (sampling, policy) = options::check_options(written, "options", self.rules, problems);
        let (provider, model) = provider_and_model?;
        Some(Target { provider, model, sampling, policy })
    }

    /// Validates a fallback. Options that the fallback does not set are taken from the request.
    fn check_fallback(
        &self,
        fallback: &RequestFallback,
        defaults: &RequestOptions,
        problems: &mut Problems,
    ) -> Option<Target> {
        let names = TargetNames {
            provider: fallback.provider.as_deref(),
            providor: fallback.providor.as_deref(),
            model: fallback.model.as_deref().map(Cow::Borrowed),
        };
        let written = fallback.options.clone().unwrap_or_default();
        let path = format!("{}options", self.prefix);
        options::check_options(written.clone(), &path, self.rules, problems);
        // Problems in the request's own options have already been reported, so these are discarded.
        let mut reported = Problems::default();
        let merged = written.with_defaults(defaults.clone());
        let (sampling, policy) = options::check_options(merged, &path, self.rules, &mut reported);
        let (provider, model) = self.check_names(names, problems)?;
        Some(Target { provider, model, sampling, policy })
    }

    fn check_names(
        &self,
        names: TargetNames<'_>,
        problems: &mut Problems,
    ) -> Option<(Provider, String)> {
        if let (Some(provider), Some(providor)) = (names.provider, names.providor)
            && provider != providor
        {
            let (provider, providor) = (json::quoted(provider), json::quoted(providor));
            let text =
                format!("{provider} differs from the providor {providor}; set only provider");
            self.add(problems, "provider", text);
            return None;
        }
        let provider = self.find_provider(names.provider.or(names.providor), problems);
        let model = match (names.model, provider.as_ref().and_then(|(_, model)| *model)) {
            (Some(model), Some(other)) if model != other => {
                let (model, other) = (json::quoted(&model), json::quoted(other));
                let text = format!(
                    "{model} differs from the model {other} in provider; set only one of them"
                );
                self.add(problems, "model", text);
                return None;
            }
            (Some(model), _) => model,
            (None, Some(model)) => Cow::Borrowed(model),
            (None, None) => {
                self.add(problems, "model", "missing; expected a model name");
                return None;
            }
        };
        if let Err(message) = check_model(&model) {
            self.add(problems, "model", message);
            return None;
        }
        let (provider, _) = provider?;
        let allowed = self.rules.allowed_models.as_ref();
        if allowed.is_some_and(|allowed| !allowed.allow(provider.name(), &model)) {
            let (model, provider) = (json::quoted(&model), provider.name());
            let text =
                format!("{model} of {provider} is not allowed by the setting ALLOWED_MODELS");
            self.add(problems, "model", text);
            return None;
        }
        Some((provider, model.into_owned()))
    }

    /// Looks up a provider by name. Also returns the model if the name contains one, as in
    /// `openai.gpt-4o-mini`.
    fn find_provider<'a>(
        &self,
        name: Option<&'a str>,
        problems: &mut Problems,
    ) -> Option<(Provider, Option<&'a str>)> {
        let providers = &self.rules.providers;
        let known = || providers.all().map(|known| known.name().to_owned()).collect::<Vec<_>>();
        let Some(name) = name else {
            let text = format!("missing; expected one of {}", known().join(", "));
            self.add(problems, "provider", text);
            return None;
        };
        let provider = providers.named(name);
        if provider.is_none() {
            let (received, hint) = (json::quoted(name), providers.suggestion(name));
            let known = known().join(", ");
            let text = format!("unknown provider {received}{hint}; expected one of {known}");
            self.add(problems, "provider", text);
        }
        provider
    }
}

/// Checks a model name, because it becomes part of URLs and logs.
fn check_model(model: &str) -> Result<(), String> {
    if model.is_empty() {
        return Err("is empty; expected a model name".to_owned());
    }
    let received = || json::quoted(model);
    if model.len() > MAX_MODEL_LENGTH {
        let received = received();
        return Err(format!("expected at most {MAX_MODEL_LENGTH} characters, got {received}"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
    if !model.bytes().all(allowed) {
        let received = received();
        return Err(format!("expected only letters, digits and . _ : / @ + -, got {received}"));
    }
    if model.contains("..") {
        return Err(format!("must not contain two dots in a row, got {}", received()));
    }
    Ok(())
}
