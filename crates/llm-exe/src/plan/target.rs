//! Whom to ask: the request's provider and model, and its fallbacks.

use super::{Problems, Rules, options};
use crate::chat::Sampling;
use crate::json;
use crate::providers::ProviderRow;
use crate::request::{Request, RequestFallback, RequestOptions, nearest};
use crate::transport::Policy;

/// A provider and a model, and how they are asked.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who is asked.
    pub provider: &'static ProviderRow,
    /// The provider's name of the model.
    pub model: String,
    /// What the model is tuned with.
    pub sampling: Sampling,
    /// How calls are tried.
    pub policy: Policy,
}

/// Where a field of a target stands in the request.
struct Place<'a> {
    /// Empty, or `fallbacks[0].`.
    prefix: &'a str,
    rules: &'a Rules,
}

/// Reads the request's own target and its fallbacks.
pub(crate) fn read(
    request: &Request,
    rules: &Rules,
    problems: &mut Problems,
) -> (Option<Target>, Vec<Target>) {
    let named = Named {
        provider: request.provider.as_deref(),
        providor: request.providor.as_deref(),
        model: request.model.as_deref(),
    };
    let base = request.options.clone().unwrap_or_default();
    let place = Place { prefix: "", rules };
    let first = place.target(&named, base.clone(), problems);
    let mut fallbacks = Vec::new();
    for (index, written) in request.fallbacks.iter().flatten().enumerate() {
        let prefix = format!("fallbacks[{index}].");
        let place = Place { prefix: &prefix, rules };
        let Some(written) = written else {
            problems.add(prefix.trim_end_matches('.'), "is null; expected {provider, model}");
            continue;
        };
        fallbacks.extend(place.fallback(written, &base, problems));
    }
    (first, fallbacks)
}

/// A target as written.
struct Named<'a> {
    provider: Option<&'a str>,
    providor: Option<&'a str>,
    model: Option<&'a str>,
}

impl Place<'_> {
    fn add(&self, problems: &mut Problems, field: &str, message: impl Into<String>) {
        problems.add(format!("{}{field}", self.prefix), message);
    }

    /// A fallback: what it does not say of its options is as the request says.
    fn fallback(
        &self,
        written: &RequestFallback,
        base: &RequestOptions,
        problems: &mut Problems,
    ) -> Option<Target> {
        let named = Named {
            provider: written.provider.as_deref(),
            providor: written.providor.as_deref(),
            model: written.model.as_deref(),
        };
        let own = written.options.clone().unwrap_or_default();
        let path = format!("{}options", self.prefix);
        // What is wrong with the request's own options is told once, where it stands.
        options::read(own.clone(), &path, self.rules, problems);
        let mut told_already = Problems::default();
        let merged = own.over(base.clone());
        let (sampling, policy) = options::read(merged, &path, self.rules, &mut told_already);
        let (provider, model) = self.whom(&named, problems)?;
        Some(Target { provider, model, sampling, policy })
    }

    fn target(
        &self,
        named: &Named<'_>,
        written: RequestOptions,
        problems: &mut Problems,
    ) -> Option<Target> {
        let asked = self.whom(named, problems);
        let (sampling, policy) = options::read(written, "options", self.rules, problems);
        let (provider, model) = asked?;
        Some(Target { provider, model, sampling, policy })
    }

    fn whom(
        &self,
        named: &Named<'_>,
        problems: &mut Problems,
    ) -> Option<(&'static ProviderRow, String)> {
        if let (Some(one), Some(other)) = (named.provider, named.providor)
            && one != other
        {
            let (one, other) = (json::quoted(one), json::quoted(other));
            let text = format!("{one} and providor {other} name two providers; give one");
            self.add(problems, "provider", text);
            return None;
        }
        let provider = self.provider(named.provider.or(named.providor), problems);
        let model = match (named.model, provider.and_then(|(_, model)| model)) {
            (Some(one), Some(other)) if one != other => {
                let (one, other) = (json::quoted(one), json::quoted(other));
                let text = format!("{one} differs from the model in provider, {other}; give one");
                self.add(problems, "model", text);
                return None;
            }
            (Some(model), _) | (None, Some(model)) => model,
            (None, None) => {
                let text = "missing; expected the provider's name of a model";
                self.add(problems, "model", text);
                return None;
            }
        };
        if let Some(fault) = model_fault(model) {
            self.add(problems, "model", format!("{} {fault}", json::quoted(model)));
            return None;
        }
        let (row, _) = provider?;
        let allowed = self.rules.allowed_models.as_ref();
        if allowed.is_some_and(|allowed| !allowed.allow(row.name, model)) {
            let model = json::quoted(model);
            let text =
                format!("{model} of {} is not allowed by the setting ALLOWED_MODELS", row.name);
            self.add(problems, "model", text);
            return None;
        }
        Some((row, model.to_owned()))
    }

    fn provider<'a>(
        &self,
        written: Option<&'a str>,
        problems: &mut Problems,
    ) -> Option<(&'static ProviderRow, Option<&'a str>)> {
        let providers = self.rules.providers;
        let names = || providers.all().map(|row| row.name).collect::<Vec<_>>();
        let Some(written) = written else {
            let text = format!("missing; expected one of {}", names().join(", "));
            self.add(problems, "provider", text);
            return None;
        };
        let found = providers.named(written);
        if found.is_none() {
            let known = names();
            let near = nearest(written, &known);
            let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            let (written, known) = (json::quoted(written), known.join(", "));
            let text = format!("unknown provider {written}; expected one of {known}{hint}");
            self.add(problems, "provider", text);
        }
        found
    }
}

/// Why a text can't be a model's name: it stands in URLs and logs.
fn model_fault(model: &str) -> Option<&'static str> {
    if model.is_empty() {
        return Some("is empty");
    }
    if model.len() > 256 {
        return Some("is longer than 256 characters");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
    if !model.bytes().all(allowed) {
        return Some("holds other characters than letters, digits and . _ : / @ + -");
    }
    model.contains("..").then_some("holds two dots in a row")
}
