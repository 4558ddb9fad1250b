//! Fetches the hosted configs that the requests of tools and the steps of chains point to, before
//! anything is paid for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::access::HostedRules;
use super::origin::{ConfigSource, Origin};
use super::resolve::{Resolved, resolve};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Problem};
use crate::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use crate::request::{MAX_NESTED_REQUESTS, MAX_STEPS, MAX_TOOLS, POINTER_FIELDS, STEP_FIELDS};

/// The fields that a step inherits from its chain.
const INHERITED_FIELDS: &[&str] =
    &["provider", "model", "options", "fallbacks", "tools", "strictVariables", "strict", "tags"];
/// Maximum number of pointers in the tools and steps of a request and of its nested requests.
const MAX_POINTERS: usize = 50;

/// The hosted configs of the requests of tools.
#[derive(Default)]
pub(crate) struct NestedConfigs {
    pub(crate) origins: Vec<NestedOrigin>,
    /// Whether one of the configs is pinned.
    pub(crate) has_pinned: bool,
    /// The steps with a pinned config: the path of the step, and the `data` that its author wrote.
    pub(crate) pinned_steps: Vec<(String, Arc<Map<String, Value>>)>,
    /// The warnings of the configs, each with the path of its request.
    pub(crate) warnings: Vec<String>,
}

/// The hosted config of the request of a tool: the path of the request, and the origin of its
/// fields.
pub(crate) type NestedOrigin = (String, Origin);

/// Replaces the pointers in the requests of tools and in steps with the fields of their hosted
/// configs. Returns the origins of the fields.
///
/// # Errors
/// Those of fetching a hosted config, and `ConfigInvalid` if a config points to itself or if there
/// are too many configs.
pub(crate) async fn resolve_nested(
    request: &mut Value,
    source: Option<&ConfigSource>,
    store: Option<&dyn DocumentStore>,
    rules: &HostedRules,
    deadline: Deadline,
) -> Result<NestedConfigs, Error> {
    let store = store.map(DocumentCache::new);
    let store = store.as_ref().map(|store| store as &dyn DocumentStore);
    let (configs, pointers) = (NestedConfigs::default(), 0);
    let mut resolver = NestedResolver { store, rules, deadline, pointers, configs };
    let documents: Vec<ConfigSource> = source.cloned().into_iter().collect();
    resolver.resolve_inside(request, String::new(), (documents, 0)).await?;
    Ok(resolver.configs)
}

struct NestedResolver<'a> {
    store: Option<&'a dyn DocumentStore>,
    rules: &'a HostedRules,
    deadline: Deadline,
    /// The number of pointers so far.
    pointers: usize,
    configs: NestedConfigs,
}

impl NestedResolver<'_> {
    /// Resolves the requests of the tools and the steps of a request. `path` is the path of the
    /// request. `place` contains the configs that lead to it, and the number of requests around it.
    fn resolve_inside<'s>(
        &'s mut self,
        request: &'s mut Value,
        path: String,
        (documents, depth): (Vec<ConfigSource>, usize),
    ) -> PortFuture<'s, Result<(), Error>> {
        Box::pin(async move {
            // The validation reports requests that are too deep, or have too many tools or steps.
            if depth >= MAX_NESTED_REQUESTS {
                return Ok(());
            }
            let place = |documents: &Vec<ConfigSource>| (documents.clone(), depth + 1);
            let tools = request.get_mut("tools").and_then(Value::as_array_mut);
            let tools = tools.filter(|tools| tools.len() <= MAX_TOOLS);
            for (index, tool) in tools.into_iter().flatten().enumerate() {
                let Some(run) = tool.get_mut("run").and_then(Value::as_object_mut) else {
                    continue;
                };
                move_pointer(run);
                let Some(nested) = run.get_mut("request") else { continue };
                let path = format!("{path}tools[{index}].run.request");
                self.resolve_request(nested, path, place(&documents)).await?;
            }
            let steps = request.get_mut("steps").and_then(Value::as_array_mut);
            let steps = steps.filter(|steps| steps.len() <= MAX_STEPS);
            for (index, step) in steps.into_iter().flatten().enumerate() {
                let path = format!("{path}steps[{index}]");
                self.resolve_step(step, path, place(&documents)).await?;
            }
            Ok(())
        })
    }

    /// Resolves a step. Its own fields, such as `name`, are not those of a hosted config.
    async fn resolve_step(
        &mut self,
        step: &mut Value,
        path: String,
        place: (Vec<ConfigSource>, usize),
    ) -> Result<(), Error> {
        let Some(fields) = step.as_object_mut() else { return Ok(()) };
        let has_pointer = POINTER_FIELDS.iter().any(|name| fields.contains_key(*name));
        let own = STEP_FIELDS.iter().filter_map(|name| fields.shift_remove_entry(*name));
        let own: Vec<(String, Value)> = own.collect();
        let written = fields.get("data").and_then(Value::as_object).cloned();
        let is_pinned = self.resolve_request(step, path.clone(), place).await?;
        let Some(fields) = step.as_object_mut() else { return Ok(()) };
        if has_pointer {
            for name in STEP_FIELDS.iter().filter(|name| **name != "concurrency") {
                fields.shift_remove(*name);
            }
        }
        if is_pinned {
            self.configs.pinned_steps.push((path, Arc::new(written.unwrap_or_default())));
            // A null is not inherited. The caller must not add tools, for example.
            for name in INHERITED_FIELDS {
                fields.entry(*name).or_insert(Value::Null);
            }
        }
        fields.extend(own);
        Ok(())
    }

    /// Resolves a request, and those inside of it. Returns whether its hosted config is pinned.
    async fn resolve_request(
        &mut self,
        request: &mut Value,
        path: String,
        (mut documents, depth): (Vec<ConfigSource>, usize),
    ) -> Result<bool, Error> {
        self.count_pointer(request)?;
        // Documents that were fetched already are ready at once, and other requests must run too.
        tokio::task::yield_now().await;
        let mut tried = None;
        let resolved =
            resolve(request.take(), self.store, self.rules, self.deadline, &mut tried).await;
        let Resolved { request: merged, hosted, is_pinned, warnings } =
            resolved.map_err(|error| at_path(&error, &path))?;
        *request = merged;
        let warnings = warnings.iter().map(|text| format!("{path}: {text}"));
        self.configs.warnings.extend(warnings);
        if let Some((source, origin)) = hosted {
            let is_same = |known: &ConfigSource| {
                (&known.location, &known.version) == (&source.location, &source.version)
            };
            let is_loop = documents.iter().any(is_same);
            documents.push(source);
            if is_loop {
                let locations: Vec<&str> =
                    documents.iter().map(|source| &*source.location).collect();
                let text = format!("the config leads to itself: {}", locations.join(" -> "));
                return Err(Error::new(ErrorKind::ConfigInvalid, text).in_context(&path));
            }
            self.configs.has_pinned |= is_pinned;
            self.configs.origins.push((path.clone(), origin));
        }
        self.resolve_inside(request, format!("{path}."), (documents, depth)).await?;
        Ok(is_pinned)
    }
}

impl NestedResolver<'_> {
    /// Counts a request that points to a config, because each pointer is parsed and merged.
    ///
    /// # Errors
    /// `ConfigInvalid` if there are too many pointers, and `Timeout` after the deadline.
    fn count_pointer(&mut self, request: &Value) -> Result<(), Error> {
        let has_pointer = POINTER_FIELDS.iter().any(|name| request.get(name).is_some());
        self.pointers += usize::from(has_pointer);
        if self.pointers > MAX_POINTERS {
            return Err(too_many_configs());
        }
        if self.deadline.left().is_zero() {
            let text = "the time limit passed while the configs of tools and steps were fetched";
            return Err(Error::new(ErrorKind::Timeout, text));
        }
        Ok(())
    }
}

fn too_many_configs() -> Error {
    let text = format!(
        "expected at most {MAX_POINTERS} hosted configs in the tools and steps of a request"
    );
    Error::new(ErrorKind::ConfigInvalid, text)
}

/// Moves a pointer in `run` into a request that consists of the pointer.
fn move_pointer(run: &mut Map<String, Value>) {
    let has_pointer = run.keys().any(|name| POINTER_FIELDS.contains(&name.as_str()));
    // The validation reports a pointer next to a request.
    if !has_pointer || run.contains_key("request") || run.contains_key("lambda") {
        return;
    }
    let mut request = Map::new();
    for name in POINTER_FIELDS {
        if let Some(value) = run.shift_remove(*name) {
            request.insert((*name).to_owned(), value);
        }
    }
    run.insert("request".to_owned(), Value::Object(request));
}

/// Puts an error, or each of its problems, at the path of a request.
fn at_path(error: &Error, path: &str) -> Error {
    if error.problems().is_empty() {
        return error.clone().in_context(path);
    }
    let problems = error.problems().iter();
    let problems = problems
        .map(|problem| Problem { path: format!("{path}.{}", problem.path), ..problem.clone() });
    Error::from_problems(problems.collect())
}

/// A store that fetches each document once, for the pointers of one request.
struct DocumentCache<'a> {
    store: &'a dyn DocumentStore,
    documents: Mutex<HashMap<DocumentLocation, Document>>,
}

impl<'a> DocumentCache<'a> {
    fn new(store: &'a dyn DocumentStore) -> Self {
        DocumentCache { store, documents: Mutex::default() }
    }
}

impl DocumentStore for DocumentCache<'_> {
    fn fetch<'a>(
        &'a self,
        place: &'a DocumentLocation,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(async move {
            let fetched = || self.documents.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(document) = fetched().get(place) {
                return Ok(Some(document.clone()));
            }
            let document = self.store.fetch(place, known, deadline).await?;
            if let Some(document) = &document {
                fetched().insert(place.clone(), document.clone());
            }
            Ok(document)
        })
    }
}
