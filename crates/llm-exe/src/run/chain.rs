//! Runs the steps of a chain. A step starts as soon as the steps that it waits for have ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value, json};

use super::checkpoint::StoredRun;
use super::context::Context;
use super::outcome::Run;
use super::report::{Report, StepReport, StoredCounts};
use super::tool_loop::ToolRunner;
use crate::error::{Error, ErrorKind};
use crate::json::shown;
use crate::plan::{
    EachItem, INDEX, ITEM, ITERATION, LAST_RESULT, PREVIOUS, Plan, RESULTS, Repeat, StepPlan,
    StepScope,
};
use crate::ports::PortFuture;
use crate::prompt::Template;

/// The end of a step.
struct FinishedStep {
    /// The result. `Ok(None)` means that the step was skipped.
    outcome: Result<Option<Value>, Error>,
    report: Report,
    /// The number of items, for a step that runs for each item of a list.
    items: Option<usize>,
    duration: Duration,
}

/// A chain that is running.
struct RunningChain<'a> {
    runner: &'a dyn ToolRunner,
    context: &'a Context,
    steps: &'a [StepPlan],
    /// The variables of the chain itself, if it is a step.
    outer: Option<&'a StepScope>,
    /// The `data` of the chain and of those around it, the innermost first.
    data: Vec<Arc<Map<String, Value>>>,
    is_dry_run: bool,
    /// Whether a step of this chain, or of one around it, failed. Then no other step or item
    /// starts.
    stops: Vec<Arc<AtomicBool>>,
}

/// Runs the steps of a chain, and returns the result of the last one that was not skipped. The
/// future is boxed, because most requests have no steps.
pub(super) fn run_chain<'a>(
    context: &'a mut Context,
    plan: &'a Plan,
    runner: &'a dyn ToolRunner,
) -> PortFuture<'a, Result<Value, Error>> {
    Box::pin(async move {
        let mut data = vec![Arc::new(plan.data.clone())];
        data.extend(plan.scope().iter().flat_map(|scope| scope.data.iter().cloned()));
        let (steps, outer) = (plan.steps(), plan.scope());
        let mut stops = vec![Arc::default()];
        stops.extend(outer.iter().flat_map(|scope| scope.stops.iter().cloned()));
        let chain =
            RunningChain { runner, context, steps, outer, data, is_dry_run: plan.dry_run, stops };
        if chain.is_dry_run {
            return chain.dry_run().await;
        }
        let (finished, failed) = chain.run_steps().await;
        let mut last = Value::Null;
        for (step, finished) in steps.iter().zip(finished) {
            let Some(FinishedStep { outcome, report, items, duration }) = finished else {
                continue;
            };
            let is_skipped = matches!(outcome, Ok(None));
            let result = outcome.ok().flatten();
            add_report(context, step, report, (is_skipped, &result), items, duration);
            if let Some(result) = result {
                last = result;
            }
        }
        context.report.prompt_hash = Some(plan.prompt.hash().to_owned());
        failed.map_or(Ok(last), Err)
    })
}

/// Adds the report of a step to that of the chain.
fn add_report(
    context: &mut Context,
    step: &StepPlan,
    mut report: Report,
    (is_skipped, result): (bool, &Option<Value>),
    items: Option<usize>,
    duration: Duration,
) {
    let has_result = context.report.full;
    let step_report = StepReport {
        name: step.name.clone(),
        is_skipped,
        result: result.clone().filter(|_| has_result),
        items,
        attempts: report.attempts,
        usage: report.usage,
        cost: report.cost().copied(),
        duration,
        steps: std::mem::take(&mut report.steps),
    };
    context.report.steps.push(step_report);
    // The warnings name the step already.
    context.report.add_step("", report);
}

/// Returns the place of a step in errors and warnings.
fn place_of(step: &StepPlan) -> String {
    format!("steps.{}", step.name)
}

impl<'a> RunningChain<'a> {
    /// Runs the steps. Returns those that ended, and the first error.
    async fn run_steps(&self) -> (Vec<Option<FinishedStep>>, Option<Error>) {
        let count = self.steps.len();
        let mut finished: Vec<Option<FinishedStep>> = Vec::new();
        finished.resize_with(count, || None);
        let mut is_started = vec![false; count];
        let mut failed = None;
        let mut running = FuturesUnordered::new();
        loop {
            for (index, step) in self.steps.iter().enumerate() {
                let is_done = |at: &usize| matches!(finished.get(*at), Some(Some(_)));
                let is_ready = !self.is_stopped() && step.waits_for.iter().all(is_done);
                let Some(started) = is_started.get_mut(index).filter(|it| is_ready && !**it) else {
                    continue;
                };
                *started = true;
                let scope = self.scope_of(index, step, &finished);
                let run: PortFuture<'_, _> =
                    Box::pin(async move { (index, self.run_step(index, step, scope).await) });
                running.push(run);
            }
            let Some((index, ended)) = running.next().await else { break };
            if let Err(error) = &ended.outcome {
                self.stop();
                failed.get_or_insert_with(|| error.clone());
            }
            if let Some(place) = finished.get_mut(index) {
                *place = Some(ended);
            }
        }
        drop(running);
        if failed.is_none() && finished.iter().any(Option::is_none) {
            failed = Some(stopped_error());
        }
        (finished, failed)
    }

    fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| stop.load(Ordering::Relaxed))
    }

    fn stop(&self) {
        if let Some(stop) = self.stops.first() {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the variables of a step: the results of the steps that it waits for.
    fn scope_of(
        &self,
        index: usize,
        step: &StepPlan,
        finished: &[Option<FinishedStep>],
    ) -> StepScope {
        let result_of = |at: usize| {
            let outcome = finished.get(at)?.as_ref().map(|finished| &finished.outcome);
            Some(outcome.and_then(|outcome| outcome.as_ref().ok()?.clone()).unwrap_or_default())
        };
        let known = step.waits_for.iter().filter_map(|at| {
            let name = self.steps.get(*at)?.name.clone();
            Some((name, result_of(*at)?))
        });
        let known: Map<String, Value> = known.collect();
        let previous = index.checked_sub(1).filter(|at| step.waits_for.contains(at));
        let previous = previous.and_then(result_of).unwrap_or_default();
        let mut results = Map::new();
        results.insert(RESULTS.to_owned(), Value::Object(known));
        results.insert(PREVIOUS.to_owned(), previous);
        let run = self.outer.map(|outer| outer.run.clone()).unwrap_or_default();
        let (data, stops) = (self.data.clone(), self.stops.clone());
        StepScope { run, results: Arc::new(results), data, stops }
    }

    async fn run_step(&self, index: usize, step: &StepPlan, scope: StepScope) -> FinishedStep {
        let started = Instant::now();
        let mut report = self.new_report();
        let mut items = None;
        let outcome = match self.is_wanted(step, &scope, &mut report) {
            Ok(false) => Ok(None),
            Ok(true) => match &step.each {
                None => {
                    let run = self.run_unit(step, None, scope).await;
                    report.add_step(&place_of(step), run.report);
                    run.outcome.map(Some).map_err(|error| in_step(error, index, step, None))
                }
                Some(each) => {
                    let ended = self.run_items(index, step, each, scope, &mut report).await;
                    items = ended.as_ref().ok().map(Vec::len);
                    ended.map(|results| Some(Value::Array(results)))
                }
            },
            Err(error) => Err(in_step(error, index, step, None)),
        };
        FinishedStep { outcome, report, items, duration: started.elapsed() }
    }

    fn new_report(&self) -> Report {
        self.context.nested("", self.context.deadline).report
    }

    /// Returns whether the condition of a step is true.
    fn is_wanted(
        &self,
        step: &StepPlan,
        scope: &StepScope,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let Some(when) = &step.when else { return Ok(true) };
        self.is_true(step, ("when", when), scope, report)
    }

    fn is_true(
        &self,
        step: &StepPlan,
        (field, condition): (&str, &Template),
        scope: &StepScope,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let mut warnings = Vec::new();
        let outcome = step.plan.is_true(condition, scope, &mut warnings);
        let place = place_of(step);
        let warnings = warnings.iter().map(|text| format!("{place}.{field}: {text}"));
        report.add_warnings(warnings.collect());
        outcome.map_err(|error| error.in_context(field))
    }

    /// Runs a step for each item of its list, several at a time.
    async fn run_items(
        &self,
        index: usize,
        step: &StepPlan,
        each: &EachItem,
        scope: StepScope,
        report: &mut Report,
    ) -> Result<Vec<Value>, Error> {
        let list = self
            .find_list(step, each, &scope)
            .map_err(|error| in_step(error, index, step, None))?;
        let count = list.len();
        let mut results: Vec<Option<Value>> = vec![None; count];
        let mut reports: Vec<Option<Report>> = Vec::new();
        reports.resize_with(count, || None);
        let mut failed = None;
        let mut waiting = list.into_iter().enumerate();
        let mut running = FuturesUnordered::new();
        let scope = &scope;
        loop {
            while running.len() < each.concurrency && !self.is_stopped() {
                let Some((at, item)) = waiting.next() else { break };
                let mut scope = scope.clone();
                set_run_variables(&mut scope, [(ITEM, item), (INDEX, json!(at))]);
                let run: PortFuture<'_, _> =
                    Box::pin(async move { (at, self.run_unit(step, Some(at), scope).await) });
                running.push(run);
            }
            let Some((at, run)) = running.next().await else { break };
            if let Some(place) = reports.get_mut(at) {
                *place = Some(run.report);
            }
            match (run.outcome, results.get_mut(at)) {
                (Ok(value), Some(place)) => *place = Some(value),
                (Ok(_), None) => {}
                (Err(error), _) => {
                    self.stop();
                    failed.get_or_insert_with(|| in_step(error, index, step, Some(at)));
                }
            }
        }
        drop(running);
        for item_report in reports.into_iter().flatten() {
            report.add_step(&place_of(step), item_report);
        }
        match failed {
            Some(error) => Err(error),
            None if results.iter().any(Option::is_none) => Err(stopped_error()),
            None => Ok(results.into_iter().flatten().collect()),
        }
    }

    /// Returns the list of a step. That of a skipped step is empty.
    fn find_list(
        &self,
        step: &StepPlan,
        each: &EachItem,
        scope: &StepScope,
    ) -> Result<Vec<Value>, Error> {
        let path = each.path.join(".");
        let list = match scope.find(&step.plan.data, &each.path) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => return Ok(Vec::new()),
            other => {
                let received = other.map_or_else(|| "nothing".to_owned(), shown);
                let text = format!("each: expected a list at {path}, got {received}");
                let logged = format!("each: there is no list at {path}");
                return Err(Error::new(ErrorKind::InvalidRequest, text).logged_as(logged));
            }
        };
        let (count, left) = (list.len(), self.context.calls_left());
        if u32::try_from(count).map_or(true, |count| count > left) {
            let text = format!(
                "each: the list at {path} has {count} items, but only {left} calls of the request \
                 are left; for long lists, use a Distributed Map of Step Functions"
            );
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        Ok(list.clone())
    }

    /// Runs a step or one of its items to its end. Every step and item runs through this function.
    /// The end of an earlier run of the request is used again.
    async fn run_unit(&self, step: &StepPlan, item: Option<usize>, scope: StepScope) -> Run {
        let mut name = format!("step-{}", step.name);
        if let Some(item) = item {
            name.push_str(&format!("-{item}"));
        }
        if let Some(stored) = load_run(self.context, &name).await {
            return stored;
        }
        let context = self.context.nested(&name, self.context.deadline);
        let mut run = match &step.repeat {
            None => self.run_once(context, step, scope).await,
            Some(repeat) => self.run_repeatedly(context, step, repeat, scope).await,
        };
        let nulls_errors = step.each.as_ref().is_some_and(|each| each.nulls_errors);
        if let (Err(error), Some(item), true) = (&run.outcome, item, nulls_errors)
            && is_of_item(error.kind())
        {
            let (kind, logged) = (error.kind(), error.for_log());
            let text = format!("the result of item {item} is null: {kind}: {logged}");
            run.report.add_warnings(vec![text]);
            run.outcome = Ok(Value::Null);
        }
        store_run(self.context, &name, &mut run).await;
        run
    }

    async fn run_once(&self, context: Context, step: &StepPlan, scope: StepScope) -> Run {
        let mut plan = step.plan.clone();
        for (name, path) in &step.data_from {
            match scope.find(&step.plan.data, path) {
                Some(value) => plan.data.insert(name.clone(), value.clone()),
                None => {
                    let text = format!("dataFrom.{name}: there is no value at {}", path.join("."));
                    return context.fail(Error::new(ErrorKind::InvalidRequest, text));
                }
            };
        }
        plan.dry_run = self.is_dry_run;
        plan.set_scope(scope);
        self.runner.run_nested(context, &plan).await
    }

    /// Runs a step until its condition is true.
    async fn run_repeatedly(
        &self,
        mut context: Context,
        step: &StepPlan,
        repeat: &Repeat,
        scope: StepScope,
    ) -> Run {
        let mut last = Value::Null;
        for iteration in 1..=repeat.max {
            let mut scope = scope.clone();
            let variables = [(LAST_RESULT, last), (ITERATION, json!(iteration))];
            set_run_variables(&mut scope, variables);
            let name = format!("run-{iteration}");
            let run = match load_run(&context, &name).await {
                Some(stored) => stored,
                None => {
                    let nested = context.nested(&name, context.deadline);
                    let mut run = self.run_once(nested, step, scope.clone()).await;
                    store_run(&context, &name, &mut run).await;
                    run
                }
            };
            // Only the steps of the last run are reported.
            context.report.steps.clear();
            context.report.add_step(&format!("run {iteration}"), run.report);
            last = match run.outcome {
                Ok(value) => value,
                Err(error) => return context.fail(error),
            };
            set_run_variables(&mut scope, [(LAST_RESULT, last.clone())]);
            let until = ("repeat.until", &repeat.until);
            match self.is_true(step, until, &scope, &mut context.report) {
                Ok(true) => return context.finish(Ok(last)),
                Ok(false) if self.is_stopped() => return context.fail(stopped_error()),
                Ok(false) => {}
                Err(error) => return context.fail(error),
            }
        }
        let max = repeat.max;
        let text = format!("the step ran {max} times, which is repeat.max, but until is not true");
        context.report.add_warnings(vec![text]);
        context.finish(Ok(last))
    }

    /// Returns the plan, with the requests of those steps that can start at once.
    async fn dry_run(&self) -> Result<Value, Error> {
        let mut shown = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            let mut fields = Map::new();
            fields.insert("name".to_owned(), json!(step.name));
            let names = step.waits_for.iter().filter_map(|at| Some(&*self.steps.get(*at)?.name));
            fields.insert("waitsFor".to_owned(), names.collect());
            if step.waits_for.is_empty() {
                let scope = self.scope_of(index, step, &[]);
                let request = self.dry_run_step(step, scope).await;
                let request = request.map_err(|error| in_step(error, index, step, None))?;
                match request {
                    Some(request) => fields.insert("request".to_owned(), request),
                    None => fields.insert("skipped".to_owned(), json!(true)),
                };
            }
            shown.push(Value::Object(fields));
        }
        Ok(json!({ "steps": shown }))
    }

    /// Returns the request of a step or of its first item. `None` means that nothing would run.
    async fn dry_run_step(
        &self,
        step: &StepPlan,
        mut scope: StepScope,
    ) -> Result<Option<Value>, Error> {
        let mut report = self.new_report();
        if !self.is_wanted(step, &scope, &mut report)? {
            return Ok(None);
        }
        if let Some(each) = &step.each {
            let Some(item) = self.find_list(step, each, &scope)?.into_iter().next() else {
                return Ok(None);
            };
            set_run_variables(&mut scope, [(ITEM, item), (INDEX, json!(0))]);
        }
        if step.repeat.is_some() {
            let variables = [(LAST_RESULT, Value::Null), (ITERATION, json!(1))];
            set_run_variables(&mut scope, variables);
        }
        // The prompt of a pinned config is not shown.
        if self.context.report.has_pinned_tools {
            return Ok(Some(Value::Null));
        }
        let context = self.context.nested("", self.context.deadline);
        self.run_once(context, step, scope).await.outcome.map(Some)
    }
}

/// Returns the end of a step or an item in an earlier run of the request.
async fn load_run(context: &Context, name: &str) -> Option<Run> {
    let checkpoints = context.checkpoints.as_ref()?;
    let stored = checkpoints.load::<StoredRun<Value>>(name, context.deadline).await;
    let mut nested = context.nested(name, context.deadline);
    match stored {
        Ok(stored) => {
            let StoredRun { outcome, duration, counts } = stored?;
            context.count_restored(&counts);
            nested.report.answered = true;
            nested.report.restore(counts);
            nested.report.durations.total = duration;
            Some(Run { outcome: Ok(outcome), report: nested.report })
        }
        Err(error) => Some(nested.fail(error)),
    }
}

/// Stores the end of a step or an item, unless it failed.
async fn store_run(context: &Context, name: &str, run: &mut Run) {
    let (Some(checkpoints), Ok(value)) = (&context.checkpoints, &run.outcome) else { return };
    let counts = StoredCounts::of(&run.report);
    let stored = StoredRun { outcome: value, duration: run.report.durations.total, counts };
    let warning = checkpoints.store(name, &stored, context.store_deadline).await;
    run.report.add_warnings(warning.into_iter().collect());
}

/// Sets variables of a run, which win over those of the chains around it.
fn set_run_variables<const N: usize>(scope: &mut StepScope, variables: [(&'static str, Value); N]) {
    scope.run.retain(|(name, _)| variables.iter().all(|(new, _)| new != name));
    scope.run.splice(0..0, variables);
}

/// Returns whether an error is one of the item itself, so that other items can succeed.
fn is_of_item(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::OutputInvalid
            | ErrorKind::OutputTruncated
            | ErrorKind::OutputRefused
            | ErrorKind::ToolFailed
            | ErrorKind::ProviderRejected
            | ErrorKind::PromptInvalid
    )
}

/// The error of a step that ended early. The error of the step that failed is returned instead.
fn stopped_error() -> Error {
    Error::new(ErrorKind::Internal, "stopped, because another step failed")
}

/// Names the step, and the item, in an error.
fn in_step(error: Error, index: usize, step: &StepPlan, item: Option<usize>) -> Error {
    let mut name = place_of(step);
    if let Some(item) = item {
        name.push_str(&format!("[{item}]"));
    }
    error.in_step(&name, &format!("steps[{index}]"))
}
