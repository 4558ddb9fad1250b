//! Validates the steps of a chain, and finds out which step waits for which.
//!
//! The types are generic over the plan `P` of the request of a step, because that plan can have
//! steps as well.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::messages::compile_template;
use super::problems::Problems;
use super::rules::Rules;
use super::scope::{
    INDEX, ITEM, ITERATION, LAST_RESULT, PREVIOUS, RESULTS, StepScope, find_inside,
};
use super::tools::{FIELDS_NOT_ALLOWED_IN_TOOLS, ToolPlan, at, too_many_nested};
use crate::error::{Error, ErrorKind, Problem};
use crate::json;
use crate::prompt::{Template, VariableUse};
use crate::request::{
    MAX_NESTED_REQUESTS, MAX_STEPS, ParsedRequest, Request, RequestOptions, RequestRepeat,
    RequestStep, suggestion,
};

/// Maximum length of the name of a step.
const MAX_NAME_LENGTH: usize = 64;
/// Default number of items of a step that run at the same time.
const DEFAULT_CONCURRENCY: usize = 5;
/// Maximum number of items of a step that run at the same time.
const MAX_CONCURRENCY: u64 = 50;
/// Maximum number of runs of a step with `repeat`.
const MAX_RUNS: u64 = 20;

/// Maximum length in bytes of a text in `data` that is compared with a template.
const MAX_WARNED_LENGTH: usize = 1_000;

/// Maximum number of texts in `data` of a step or a chain that are compared with a template.
const MAX_WARNED_TEXTS: usize = 200;

/// What a plan has besides a single prompt: its steps, or its place in a chain.
#[derive(Debug, Clone)]
pub(crate) struct ChainPlan<P> {
    /// The steps, if the plan is a chain.
    pub(crate) steps: Arc<[StepPlan<P>]>,
    /// The variables of the chain around the plan, once it runs as a step.
    pub(crate) scope: Option<Arc<StepScope>>,
}

/// A step of a chain.
#[derive(Debug, Clone)]
pub(crate) struct StepPlan<P> {
    pub(crate) name: String,
    pub(crate) plan: P,
    pub(crate) when: Option<Template>,
    /// The variables that are copied into `data`, each with the path of its value.
    pub(crate) data_from: Vec<(String, DataPath)>,
    pub(crate) each: Option<EachItem>,
    pub(crate) repeat: Option<Repeat>,
    /// The indexes of the steps that end before this one starts.
    pub(crate) waits_for: Vec<usize>,
    /// Whether the tools are those of the chain.
    pub(crate) inherits_tools: bool,
}

/// The path of a value in scope, as a list of names.
pub(crate) type DataPath = Vec<String>;

/// How a step runs for each item of a list.
#[derive(Debug, Clone)]
pub(crate) struct EachItem {
    pub(crate) path: DataPath,
    /// Maximum number of items that run at the same time.
    pub(crate) concurrency: usize,
    /// Whether the result of a failed item is null.
    pub(crate) maps_errors_to_null: bool,
}

/// Until when a step runs again.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    pub(crate) until: Template,
    /// Maximum number of runs.
    pub(crate) max: u64,
}

/// Builds the plan of the request of a step. Adds its warnings, and the variables to which its
/// templates refer, to the lists.
pub(super) type BuildStep<'a, P> =
    dyn Fn(ParsedRequest, &mut Vec<String>, &mut Vec<VariableUse>) -> Result<P, Error> + 'a;

/// The parts of a plan that the checks of its steps depend on.
pub(super) struct ChainContext<'a, P> {
    /// The number of requests around the chain.
    pub(super) depth: usize,
    /// The fields that steps inherit.
    pub(super) outer: &'a Request,
    /// The tools that steps inherit.
    pub(super) tools: Option<&'a Arc<ToolPlan<P>>>,
    pub(super) rules: &'a Rules,
    /// Whether messages do not suggest names of variables.
    pub(super) hides_names: bool,
    /// The number of steps so far, those of nested chains included.
    pub(super) count: &'a Cell<usize>,
    pub(super) build: &'a BuildStep<'a, P>,
}

/// A step of a chain, for programs that show the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainStep {
    /// The name of the step.
    pub name: String,
    /// The names of the steps that end before this one starts.
    pub waits_for: Vec<String>,
    /// Whether the step can be skipped.
    pub is_conditional: bool,
    /// The path of the list for whose items the step runs.
    pub each: Option<String>,
    /// Maximum number of runs, for a step that repeats.
    pub max_runs: Option<u64>,
    /// The steps of a chain inside of the step.
    pub steps: Vec<ChainStep>,
}

/// Describes steps. `inner` returns the steps of a plan.
pub(super) fn describe_steps<P>(
    steps: &[StepPlan<P>],
    inner: &dyn Fn(&P) -> Vec<ChainStep>,
) -> Vec<ChainStep> {
    let described = steps.iter().map(|step| {
        let waits_for = step.waits_for.iter().filter_map(|at| Some(steps.get(*at)?.name.clone()));
        ChainStep {
            name: step.name.clone(),
            waits_for: waits_for.collect(),
            is_conditional: step.when.is_some(),
            each: step.each.as_ref().map(|each| each.path.join(".")),
            max_runs: step.repeat.as_ref().map(|repeat| repeat.max),
            steps: inner(&step.plan),
        }
    });
    described.collect()
}

/// A reference to a step by its name.
struct Reference {
    /// The path of the field that contains the reference.
    path: String,
    name: String,
    /// Whether it is an error if there is no step with the name.
    is_certain: bool,
}

/// The steps to which a step refers.
#[derive(Default)]
struct References {
    names: Vec<Reference>,
    /// Whether the step can refer to any step before it.
    has_all: bool,
    /// Whether the step can refer to `previous`.
    has_previous: bool,
    /// The paths of the fields that refer to `previous`.
    previous: Vec<String>,
}

/// Validates the steps of a chain.
pub(super) fn check_steps<P>(
    written: Vec<Option<Map<String, Value>>>,
    context: &ChainContext<'_, P>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Vec<StepPlan<P>> {
    if written.is_empty() {
        problems.add("steps", "is an empty list; expected at least one step");
    }
    context.count.set(context.count.get() + written.len());
    if context.count.get() > MAX_STEPS {
        let text = format!("expected at most {MAX_STEPS} steps, those of nested chains included");
        problems.add("steps", text);
        return Vec::new();
    }
    if context.depth + 1 >= MAX_NESTED_REQUESTS {
        problems.add("steps", too_many_nested());
        return Vec::new();
    }
    let names: Vec<Option<String>> = written.iter().map(name_of).collect();
    let mut steps = Vec::with_capacity(written.len());
    let mut references = Vec::with_capacity(written.len());
    for (index, fields) in written.into_iter().enumerate() {
        let path = format!("steps[{index}]");
        let Some(fields) = fields else {
            problems.add(path, "is null; expected a request with a name");
            references.push(References::default());
            continue;
        };
        let mut checker = StepChecker {
            path,
            context,
            own_data: Map::new(),
            has_each: false,
            is_repeated: false,
            problems,
            warnings,
        };
        let mut found = References::default();
        let earlier = names.get(..index).unwrap_or_default();
        steps.extend(checker.check_step(fields, earlier, &mut found));
        references.push(found);
    }
    let waits = resolve_references(&names, &references, problems);
    for (step, waits_for) in steps.iter_mut().zip(waits) {
        step.waits_for = waits_for;
    }
    steps
}

fn name_of(fields: &Option<Map<String, Value>>) -> Option<String> {
    fields.as_ref()?.get("name")?.as_str().map(str::to_owned)
}

/// Converts references to the indexes of steps, and rejects those that can't be resolved. Unless
/// there are problems, each list belongs to the step with the same index.
fn resolve_references(
    names: &[Option<String>],
    references: &[References],
    problems: &mut Problems,
) -> Vec<Vec<usize>> {
    let known: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
    let index_of = |name: &str| names.iter().position(|known| known.as_deref() == Some(name));
    let targets: Vec<Vec<usize>> = references
        .iter()
        .map(|found| {
            let mut indexes: Vec<usize> =
                found.names.iter().filter_map(|reference| index_of(&reference.name)).collect();
            indexes.sort_unstable();
            indexes.dedup();
            indexes
        })
        .collect();
    let mut waits = Vec::with_capacity(references.len());
    for (index, found) in references.iter().enumerate() {
        let mut waits_for: Vec<usize> = match (found.has_all, found.has_previous) {
            (true, _) => (0..index).collect(),
            (false, true) => index.checked_sub(1).into_iter().collect(),
            (false, false) => Vec::new(),
        };
        for path in found.previous.iter().filter(|_| index == 0) {
            problems.add_another(path.clone(), "there is no step before this one");
        }
        let mut reported = HashSet::new();
        for Reference { path, name, is_certain } in &found.names {
            let shown = json::quoted(name);
            let text = match index_of(name) {
                Some(other) if other < index => {
                    waits_for.push(other);
                    continue;
                }
                _ if !is_certain || problems.is_full() || !reported.insert((path, name)) => {
                    continue;
                }
                None => format!("there is no step {shown}{}", suggestion(name, &known)),
                Some(other) if other == index => {
                    format!("the step {shown} refers to itself; lastResult is its last result")
                }
                Some(other) => match find_cycle(other, index, &targets) {
                    Some(cycle) => {
                        let shown = cycle.iter().filter_map(|at| names.get(*at)?.as_deref());
                        let shown: Vec<&str> = shown.collect();
                        format!("steps refer to each other: {}", shown.join(" -> "))
                    }
                    None => format!("the step {shown} comes later; move it before this one"),
                },
            };
            problems.add_another(path.clone(), text);
        }
        waits_for.sort_unstable();
        waits_for.dedup();
        waits.push(waits_for);
    }
    waits
}

/// Returns the indexes of the steps on a way from one step to another, and back to the first.
fn find_cycle(from: usize, to: usize, targets: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut ways = vec![vec![to, from]];
    let mut seen = vec![from];
    while let Some(way) = ways.pop() {
        for next in targets.get(*way.last()?)?.iter().copied() {
            if next == to {
                return Some(way.into_iter().chain([to]).collect());
            }
            if !seen.contains(&next) {
                seen.push(next);
                ways.push(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

/// Checks one step.
struct StepChecker<'a, 'c, P> {
    /// The path of the step, such as `steps[1]`.
    path: String,
    context: &'a ChainContext<'c, P>,
    /// The `data` of the step.
    own_data: Map<String, Value>,
    /// Whether the step has `each`.
    has_each: bool,
    /// Whether the step has `repeat`.
    is_repeated: bool,
    problems: &'a mut Problems,
    warnings: &'a mut Vec<String>,
}

impl<P> StepChecker<'_, '_, P> {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.problems.add(format!("{}.{field}", self.path), message);
    }

    fn check_name(&mut self, name: Option<&str>, earlier: &[Option<String>]) {
        let Some(name) = name else {
            return self.add("name", "missing; expected a name such as outline");
        };
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let is_valid = name.bytes().next().is_some_and(is_letter)
            && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
            && name.len() <= MAX_NAME_LENGTH;
        let shown = json::quoted(name);
        if !is_valid {
            let text = format!(
                "expected at most {MAX_NAME_LENGTH} letters a-z and A-Z, digits and _, of which \
                 the first is a letter or _, got {shown}"
            );
            self.add("name", text);
        } else if earlier.iter().flatten().any(|other| other == name) {
            self.add("name", format!("another step has the name {shown} too"));
        }
    }

    fn check_step(
        &mut self,
        mut fields: Map<String, Value>,
        earlier: &[Option<String>],
        references: &mut References,
    ) -> Option<StepPlan<P>> {
        let (step, step_problems) = RequestStep::take_from(&mut fields);
        let at_step = |problem: &Problem| at(&self.path, problem);
        let step_problems = step_problems.iter().map(at_step).collect();
        self.problems.extend(step_problems);
        let RequestStep { name, when, data_from, each, on_item_error, repeat, needs, .. } = step;
        (self.has_each, self.is_repeated) = (each.is_some(), repeat.is_some());
        self.own_data = fields
            .get_mut("data")
            .and_then(Value::as_object_mut)
            .map(std::mem::take)
            .unwrap_or_default();
        self.check_name(name.as_deref(), earlier);
        let concurrency = self.check_concurrency(step.concurrency, each.is_some(), &fields);
        for name in needs.into_iter().flatten() {
            let path = format!("{}.needs", self.path);
            references.names.push(Reference { path, name, is_certain: true });
        }
        let when = self.check_template("when", when, references);
        let data_from = self.check_data_from(data_from, references);
        let each = self.check_each(each, on_item_error, concurrency, references);
        let repeat = self.check_repeat(repeat, references);
        self.warn_hidden(&data_from);
        warn_templates(&self.own_data, &format!("{}.", self.path), self.warnings);
        if let Some(data) = fields.get_mut("data").and_then(Value::as_object_mut) {
            *data = std::mem::take(&mut self.own_data);
        }
        let inherits_tools = self.context.tools.is_some() && !fields.contains_key("tools");
        let plan = self.check_request(fields, step.concurrency, references)?;
        let waits_for = Vec::new();
        let name = name?;
        Some(StepPlan { name, plan, when, data_from, each, repeat, waits_for, inherits_tools })
    }

    /// Validates the request of a step, with the fields that it inherits.
    fn check_request(
        &mut self,
        mut fields: Map<String, Value>,
        concurrency: Option<u64>,
        references: &mut References,
    ) -> Option<P> {
        let mut is_valid = true;
        for name in FIELDS_NOT_ALLOWED_IN_TOOLS {
            if fields.shift_remove(*name).is_some_and(|value| !value.is_null()) {
                self.add(name, "is not supported in a step");
                is_valid = false;
            }
        }
        let mut written = WrittenFields::new(&fields);
        let mut parsed = ParsedRequest::from_value(Value::Object(fields));
        written.inherits_model = !written.has("model") && self.has_same_provider(&parsed.request);
        self.inherit(&mut parsed.request, &written);
        if parsed.request.steps.is_some() {
            parsed.request.concurrency = concurrency.or(self.context.outer.concurrency);
        }
        let (mut step_warnings, mut variables) = (Vec::new(), Vec::new());
        let built = (self.context.build)(parsed, &mut step_warnings, &mut variables);
        let path = &self.path;
        for variable in variables {
            add_variable(references, format!("{path}.message"), &variable);
        }
        self.warnings.extend(step_warnings.iter().map(|text| format!("{path}: {text}")));
        match built {
            Ok(plan) => is_valid.then_some(plan),
            Err(error) => {
                if error.problems().is_empty() {
                    self.problems.add(path.clone(), error.message());
                }
                for problem in error.problems() {
                    let place = match written.is_inherited(&problem.path, self.context.outer) {
                        true => problem.clone(),
                        false => at(path, problem),
                    };
                    match place.kind {
                        ErrorKind::InvalidRequest => self.problems.add(place.path, place.message),
                        _ => self.problems.extend(vec![place]),
                    }
                }
                None
            }
        }
    }

    /// Returns whether the provider of a step is that of the chain, or at least not known to be
    /// another one.
    fn has_same_provider(&self, request: &Request) -> bool {
        let name_of = |request: &Request| {
            let name = request.provider.as_ref().or(request.providor.as_ref())?;
            Some(self.context.rules.providers.named(name)?.0.name().to_owned())
        };
        match (name_of(request), name_of(self.context.outer)) {
            (Some(own), Some(outer)) => own == outer,
            _ => true,
        }
    }

    /// Copies the fields of the chain that the step does not set.
    fn inherit(&self, request: &mut Request, written: &WrittenFields) {
        let Request { provider, providor, model, options, fallbacks, .. } = self.context.outer;
        let names = &self.context.rules.providers;
        let model_in = |provider: Option<&String>| names.named(provider?)?.1.map(str::to_owned);
        let outer = provider.as_ref().or(providor.as_ref());
        let own = request.provider.as_ref().or(request.providor.as_ref());
        if written.inherits_model && model_in(own).is_none() {
            request.model = model.clone().or_else(|| model_in(outer));
        }
        if !written.has("provider") && !written.has("providor") {
            // The model in the name of a provider is inherited only if the step names none.
            let name = outer.and_then(|outer| Some(names.named(outer)?.0.name().to_owned()));
            request.provider = name.or_else(|| outer.cloned());
        }
        if let (Some(options), false) = (options, written.options_are_null) {
            let own = request.options.take().unwrap_or_default();
            let defaults = RequestOptions { max_cost: None, ..options.clone() };
            request.options = Some(own.with_defaults(defaults));
        }
        if !written.has("fallbacks") {
            request.fallbacks.clone_from(fallbacks);
        }
        if written.has("tools") {
            // Null replaces the inherited tools with an empty list.
            request.tools.get_or_insert_default();
        }
        if !written.has("strictVariables") {
            request.strict_variables = self.context.outer.strict_variables;
        }
        if !written.has("tags") {
            request.tags.clone_from(&self.context.outer.tags);
        }
        if !written.has("strict") {
            request.strict = self.context.outer.strict;
        }
    }

    fn check_concurrency(
        &mut self,
        written: Option<u64>,
        has_each: bool,
        fields: &Map<String, Value>,
    ) -> usize {
        if written.is_some() && !has_each && !fields.contains_key("steps") {
            self.add("concurrency", "is only valid together with each or steps");
        }
        let path = format!("{}.concurrency", self.path);
        let checked = check_concurrency(written, path, self.problems);
        let outer = || usize::try_from(self.context.outer.concurrency?).ok();
        checked.or_else(outer).unwrap_or(DEFAULT_CONCURRENCY)
    }

    fn check_template(
        &mut self,
        field: &str,
        source: Option<String>,
        references: &mut References,
    ) -> Option<Template> {
        let (path, source) = (format!("{}.{field}", self.path), source?);
        if source.trim().is_empty() {
            self.problems.add(path, "is empty; expected a template");
            return None;
        }
        let template = compile_template(&path, &source, self.problems)?;
        for variable in template.variables() {
            add_variable(references, path.clone(), &variable);
        }
        Some(template)
    }

    fn check_path(
        &mut self,
        field: &str,
        written: &str,
        references: &mut References,
    ) -> Option<DataPath> {
        // `a[0]` is the same as `a.0`.
        let dotted = written.trim().replace('[', ".").replace(']', "");
        let names: DataPath = dotted.split('.').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) || written.contains("{{") {
            let received = json::quoted(written);
            let text = format!("expected a path such as steps.outline.sections, got {received}");
            self.add(field, text);
            return None;
        }
        if let Some(root) = names.first()
            && !self.is_in_scope(root, field)
        {
            if self.problems.is_full() {
                return None;
            }
            let shared = self.context.outer.data.iter().flat_map(Map::keys);
            let known = self.own_data.keys().chain(shared).map(String::as_str);
            let known: Vec<&str> = known.filter(|_| !self.context.hides_names).collect();
            let reason = match &**root {
                ITEM | INDEX if field != "each" => "is only set together with each".to_owned(),
                LAST_RESULT | ITERATION if field != "each" => {
                    "is only set together with repeat".to_owned()
                }
                _ => format!("is not in data{}", suggestion(root, &known)),
            };
            self.add(field, format!("{} {reason}", json::quoted(root)));
            return None;
        }
        let variable = VariableUse { path: names, is_certain: true };
        add_variable(references, format!("{}.{field}", self.path), &variable);
        Some(variable.path)
    }

    /// Returns whether a path may begin with a name. The names in scope are known unless another
    /// request surrounds the chain.
    fn is_in_scope(&self, name: &str, field: &str) -> bool {
        let is_of_run = match name {
            // The list is found before the first item and the first run.
            ITEM | INDEX | LAST_RESULT | ITERATION if field == "each" => false,
            _ => is_hidden(name, self.has_each, self.is_repeated),
        };
        is_of_run || self.context.depth > 0 || self.find_data(name).is_some()
    }

    /// Returns a variable in `data` of the step or of the chain.
    fn find_data(&self, name: &str) -> Option<&Value> {
        let shared = || self.context.outer.data.as_ref()?.get(name);
        self.own_data.get(name).or_else(shared)
    }

    /// Returns the value at a path, if it is in `data` and no variable of a chain hides it.
    /// `Some(None)` means that `data` has no value there.
    fn find_static(&self, path: &[String]) -> Option<Option<&Value>> {
        let (root, names) = path.split_first()?;
        if is_hidden(root, true, true) {
            return None;
        }
        let value = self.find_data(root)?;
        Some(find_inside(value, names))
    }

    fn check_data_from(
        &mut self,
        written: Option<Map<String, Value>>,
        references: &mut References,
    ) -> Vec<(String, DataPath)> {
        let mut paths = Vec::new();
        for (name, path) in written.into_iter().flatten() {
            let field = format!("dataFrom.{name}");
            match path {
                Value::String(path) => {
                    let Some(path) = self.check_path(&field, &path, references) else { continue };
                    if self.find_static(&path) == Some(None) {
                        self.add(&field, format!("there is no value at {}", path.join(".")));
                    }
                    paths.push((name, path));
                }
                other => {
                    let text = format!("expected a path, got {}", json::shown(&other));
                    self.add(&field, text);
                }
            }
        }
        paths
    }

    fn check_each(
        &mut self,
        written: Option<String>,
        on_item_error: Option<String>,
        concurrency: usize,
        references: &mut References,
    ) -> Option<EachItem> {
        let maps_errors_to_null = match on_item_error.as_deref() {
            Some(_) if written.is_none() => {
                self.add("onItemError", "is only valid together with each");
                false
            }
            None | Some("fail") => false,
            Some("null") => true,
            Some(other) => {
                let text = format!("expected \"fail\" or \"null\", got {}", json::quoted(other));
                self.add("onItemError", text);
                false
            }
        };
        let path = self.check_path("each", &written?, references)?;
        if path == [RESULTS] {
            self.add("each", "expected the path of a list, such as steps.outline.sections");
        }
        match self.find_static(&path) {
            None | Some(Some(Value::Array(_) | Value::Null)) => {}
            Some(other) => {
                // The value can be that of a pinned config, which the caller may not see.
                let received = other.map_or("nothing", json::type_name);
                let text = format!("expected a list at {}, got {received}", path.join("."));
                self.add("each", text);
            }
        }
        Some(EachItem { path, concurrency, maps_errors_to_null })
    }

    fn check_repeat(
        &mut self,
        written: Option<RequestRepeat>,
        references: &mut References,
    ) -> Option<Repeat> {
        let RequestRepeat { until, max } = written?;
        if until.is_none() {
            self.add("repeat.until", "missing; expected a template");
        }
        match max {
            Some(max) if (2..=MAX_RUNS).contains(&max) => {}
            Some(max) => {
                let text = format!("expected a whole number from 2 to {MAX_RUNS}, got {max}");
                self.add("repeat.max", text);
            }
            None => {
                self.add("repeat.max", format!("missing; expected 2 to {MAX_RUNS} runs"));
            }
        }
        let until = self.check_template("repeat.until", until, references)?;
        Some(Repeat { until, max: max? })
    }

    /// Warns about variables of the step that the names of the chain hide.
    fn warn_hidden(&mut self, data_from: &[(String, DataPath)]) {
        let (has_each, is_repeated) = (self.has_each, self.is_repeated);
        let own = self.own_data.keys().map(|name| ("data", name));
        let copied = data_from.iter().filter(|(name, path)| path != std::slice::from_ref(name));
        let own: Vec<_> = own.chain(copied.map(|(name, _)| ("dataFrom", name))).collect();
        for (field, name) in own {
            if is_hidden(name, has_each, is_repeated) {
                let path = &self.path;
                self.warnings.push(format!("{path}.{field}.{name}: {}", hidden_text(name)));
            }
        }
        let shared = self.context.outer.data.iter().flat_map(Map::keys);
        // The chain itself warns about the names that all steps have.
        let hidden = shared.filter(|name| {
            is_hidden(name, has_each, is_repeated) && !is_hidden(name, false, false)
        });
        for name in hidden {
            let path = &self.path;
            self.warnings.push(format!("data.{name}: {} in {path}", hidden_text(name)));
        }
    }
}

/// Rejects a field that has no meaning in a request without steps.
pub(super) fn reject_without_steps(request: &Request, problems: &mut Problems) {
    if request.concurrency.is_some() {
        problems.add("concurrency", "is only valid together with steps");
    }
}

/// Warns about `data` of a chain that its names hide in all steps, and about templates in it.
pub(super) fn warn_data(data: Option<&Map<String, Value>>, warnings: &mut Vec<String>) {
    let Some(data) = data else { return };
    for name in data.keys() {
        if is_hidden(name, false, false) {
            warnings.push(format!("data.{name}: {}", hidden_text(name)));
        }
    }
    warn_templates(data, "", warnings);
}

/// Warns about texts in `data` that look like templates which use variables of the chain.
fn warn_templates(data: &Map<String, Value>, path: &str, warnings: &mut Vec<String>) {
    let uses_chain = |text: &str| {
        let template = Template::compile(text).ok();
        let variables = template.iter().flat_map(Template::variables);
        let roots: Vec<String> = variables.filter_map(|it| it.path.into_iter().next()).collect();
        roots.iter().any(|root| is_hidden(root, true, true))
    };
    let is_short = |text: &&str| text.len() <= MAX_WARNED_LENGTH && text.contains("{{");
    let texts = data.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let texts = texts.filter(|(_, text)| is_short(text)).take(MAX_WARNED_TEXTS);
    for (name, _) in texts.filter(|(_, text)| uses_chain(text)) {
        warnings.push(format!("{path}data.{name}: data is not a template; use dataFrom"));
    }
}

fn is_hidden(name: &str, has_each: bool, is_repeated: bool) -> bool {
    match name {
        RESULTS | PREVIOUS => true,
        ITEM | INDEX => has_each,
        LAST_RESULT | ITERATION => is_repeated,
        _ => false,
    }
}

fn hidden_text(name: &str) -> String {
    format!("is not used, because `{name}` is a name of the chain")
}

/// Returns the number of items that run at the same time.
pub(super) fn check_concurrency(
    written: Option<u64>,
    path: String,
    problems: &mut Problems,
) -> Option<usize> {
    let count = written?;
    if (1..=MAX_CONCURRENCY).contains(&count) {
        return usize::try_from(count).ok();
    }
    let text = format!("expected a whole number from 1 to {MAX_CONCURRENCY}, got {count}");
    problems.add(path, text);
    None
}

/// Adds the steps to which a variable refers. `path` is that of the field that contains it.
fn add_variable(references: &mut References, path: String, variable: &VariableUse) {
    let names: Vec<&str> = variable.path.iter().map(String::as_str).collect();
    match *names.as_slice() {
        [] | [RESULTS] => references.has_all = true,
        [RESULTS, name, ..] => {
            let (name, is_certain) = (name.to_owned(), variable.is_certain);
            references.names.push(Reference { path, name, is_certain });
        }
        [PREVIOUS, ..] => {
            references.has_previous = true;
            references.previous.extend(variable.is_certain.then_some(path));
        }
        _ => {}
    }
}

/// The fields that a step sets itself.
struct WrittenFields {
    names: Vec<String>,
    options: Vec<String>,
    /// Whether `options` is null.
    options_are_null: bool,
    /// Whether the model is that of the chain.
    inherits_model: bool,
}

impl WrittenFields {
    fn new(fields: &Map<String, Value>) -> Self {
        let options = fields.get("options");
        let names_of = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect());
        WrittenFields {
            names: fields.keys().cloned().collect(),
            options: options.and_then(names_of).unwrap_or_default(),
            options_are_null: options.is_some_and(Value::is_null),
            inherits_model: false,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Returns whether the field at a path of the request of the step comes from the chain.
    fn is_inherited(&self, path: &str, outer: &Request) -> bool {
        let mut names = path.split(['.', '[']);
        let root = names.next().unwrap_or_default();
        match root {
            "options" => {
                let option = names.next().unwrap_or_default();
                let is_own =
                    self.options_are_null || self.options.iter().any(|name| name == option);
                !is_own && outer.options.is_some()
            }
            "provider" | "providor" => {
                !self.has("provider") && !self.has("providor") && outer.provider.is_some()
            }
            "model" => self.inherits_model && outer.model.is_some(),
            "fallbacks" => !self.has("fallbacks") && outer.fallbacks.is_some(),
            _ => false,
        }
    }
}
