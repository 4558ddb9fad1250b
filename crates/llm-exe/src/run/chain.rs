//! Runs the steps of a chain. A step starts as soon as the steps that it waits for have ended.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value, json};

use super::checkpoint::StoredRun;
use super::context::Context;
use super::events::EventStream;
use super::outcome::Run;
use super::report::{Report, StepReport, StoredCounts};
use super::spans;
use super::tool_loop::ToolRunner;
use crate::error::{Error, ErrorKind, Problem};
use crate::json::type_name;
use crate::plan::{
    DataPath, EachItem, INDEX, ITEM, ITERATION, LAST_RESULT, PREVIOUS, Plan, RESULTS, Repeat,
    StepPlan, StepScope, Target, ToolRun,
};
use crate::ports::PortFuture;
use crate::prompt::Template;

/// How a step, or one of its items, ended.
enum Ending<T> {
    Done(T),
    Failed(Error),
    /// It ended early, because another step or item failed.
    Stopped,
}

impl<T> From<Result<T, Error>> for Ending<T> {
    fn from(outcome: Result<T, Error>) -> Self {
        outcome.map_or_else(Ending::Failed, Ending::Done)
    }
}

impl<T> Ending<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Ending<U> {
        match self {
            Ending::Done(value) => Ending::Done(convert(value)),
            Ending::Failed(error) => Ending::Failed(error),
            Ending::Stopped => Ending::Stopped,
        }
    }
}

impl Ending<Value> {
    /// Returns how a run ended. Adds the place to an error.
    fn from_run(run: Run, in_place: impl FnOnce(Error) -> Error) -> (Self, Report) {
        let Run { outcome, report } = run;
        let ending = match outcome {
            Err(_) if report.is_stopped => Ending::Stopped,
            outcome => outcome.map_err(in_place).into(),
        };
        (ending, report)
    }
}

/// A step that ended.
struct FinishedStep {
    /// The result. `Done(None)` means that the step was skipped.
    ending: Ending<Option<Value>>,
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
        let mut data = vec![Arc::clone(&plan.data)];
        data.extend(plan.scope().iter().flat_map(|scope| scope.data.iter().cloned()));
        let (steps, outer) = (plan.steps(), plan.scope());
        let mut stops = vec![Arc::default()];
        stops.extend(outer.iter().flat_map(|scope| scope.stops.iter().cloned()));
        // The steps of a chain around this one were checked with it.
        if outer.is_none() && !plan.dry_run {
            let scope = StepScope { data: data.clone(), ..StepScope::default() };
            let mut targets = Vec::new();
            add_targets(plan, &scope, "", &mut targets);
            runner.check_keys(context, targets).await?;
        }
        if outer.is_none() && !plan.dry_run && has_strict_step(plan) {
            check_strict_steps(context, plan, runner, data.clone()).await?;
        }
        let chain =
            RunningChain { runner, context, steps, outer, data, is_dry_run: plan.dry_run, stops };
        if chain.is_dry_run {
            let mut report = chain.new_report();
            let outcome = chain.dry_run(&mut report).await;
            context.report.add_step("", report);
            return outcome;
        }
        let (finished, failed) = chain.run_steps().await;
        let is_done = |step: &FinishedStep| matches!(step.ending, Ending::Done(_));
        let is_complete = finished.iter().all(|step| step.as_ref().is_some_and(is_done));
        let mut last = Value::Null;
        for (step, finished) in steps.iter().zip(finished) {
            let Some(FinishedStep { ending, report, items, duration }) = finished else {
                continue;
            };
            let step_report = StepReport {
                name: step.name.clone(),
                is_skipped: matches!(ending, Ending::Done(None)),
                has_failed: matches!(ending, Ending::Failed(_)),
                result: None,
                items,
                attempts: report.attempts,
                usage: report.usage,
                cost: report.cost().copied(),
                paid: report.paid.clone(),
                duration,
                steps: Vec::new(),
            };
            let result = match ending {
                Ending::Done(result) => result,
                Ending::Failed(_) | Ending::Stopped => None,
            };
            add_report(context, step_report, report, &result);
            if let Some(result) = result {
                last = result;
            }
        }
        match failed {
            Some(error) => Err(error),
            None if is_complete => Ok(last),
            None => {
                context.report.is_stopped = true;
                Err(stopped_error())
            }
        }
    })
}

/// Returns whether a step of a chain, or of a chain inside of it, is strict.
fn has_strict_step(plan: &Plan) -> bool {
    plan.steps().iter().any(|step| step.plan.strict || has_strict_step(&step.plan))
}

/// Checks all steps of a chain as a dry run does, before the first call.
///
/// # Errors
/// The warnings about strict steps that do not depend on results, and other errors of a dry run.
async fn check_strict_steps(
    context: &Context,
    plan: &Plan,
    runner: &dyn ToolRunner,
    data: Vec<Arc<Map<String, Value>>>,
) -> Result<(), Error> {
    // A separate context, so that the check neither reads progress nor is reported.
    let mut context = context.nested("", context.deadline);
    context.checkpoints = None;
    let (context, steps, stops) = (&context, plan.steps(), Vec::new());
    let chain = RunningChain { runner, context, steps, outer: None, data, is_dry_run: true, stops };
    chain.dry_run(&mut chain.new_report()).await.map(drop)
}

/// Adds the report of a step to that of the chain.
fn add_report(
    context: &mut Context,
    mut step: StepReport,
    mut report: Report,
    result: &Option<Value>,
) {
    if context.report.full {
        step.result.clone_from(result);
    }
    step.steps = std::mem::take(&mut report.steps);
    context.report.steps.push(step);
    // The warnings name the step already.
    context.report.add_step("", report);
}

/// Returns the place of a step in errors and warnings.
fn step_path(step: &StepPlan) -> String {
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
                let scope = self.build_scope(index, step, &finished);
                let run: PortFuture<'_, _> =
                    Box::pin(async move { (index, self.run_step(index, step, scope).await) });
                running.push(run);
            }
            let Some((index, ended)) = running.next().await else { break };
            self.send_step_event(index, &ended).await;
            if let Ending::Failed(error) = &ended.ending {
                self.stop();
                failed.get_or_insert_with(|| error.clone());
            }
            if let Some(place) = finished.get_mut(index) {
                *place = Some(ended);
            }
        }
        drop(running);
        (finished, failed)
    }

    /// Sends the event that a step of the request ended.
    async fn send_step_event(&self, index: usize, ended: &FinishedStep) {
        if let (Some(events), Some(step), None, Ending::Done(Some(_))) =
            (&self.context.events, self.steps.get(index), self.outer, &ended.ending)
        {
            events.send_step(&step.name, ended.duration).await;
        }
    }

    /// Returns where a step sends its text: only the last step of the list does, unless it has
    /// several results at the same time.
    fn events_of(&self, step: &StepPlan) -> Option<EventStream> {
        let is_last = self.steps.last().is_some_and(|last| std::ptr::eq(last, step));
        self.context.events.clone().filter(|_| is_last && step.each.is_none())
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
    fn build_scope(
        &self,
        index: usize,
        step: &StepPlan,
        finished: &[Option<FinishedStep>],
    ) -> StepScope {
        let result_of = |at: usize| match &finished.get(at)?.as_ref()?.ending {
            Ending::Done(result) => result.clone(),
            _ => None,
        };
        let (mut known, mut skipped) = (Map::new(), Vec::new());
        let mut previous = Value::Null;
        for at in &step.waits_for {
            let Some(name) = self.steps.get(*at).map(|step| &step.name) else { continue };
            let (result, is_previous) = (result_of(*at), at + 1 == index);
            if result.is_none() {
                skipped.push(format!("{RESULTS}.{name}"));
                skipped.extend(is_previous.then(|| PREVIOUS.to_owned()));
            }
            let result = result.unwrap_or_default();
            if is_previous {
                previous.clone_from(&result);
            }
            known.insert(name.clone(), result);
        }
        let mut results = Map::new();
        results.insert(RESULTS.to_owned(), Value::Object(known));
        results.insert(PREVIOUS.to_owned(), previous);
        let run = self.outer.map(|outer| outer.run.clone()).unwrap_or_default();
        let (data, stops) = (self.data.clone(), self.stops.clone());
        let unknown = self.outer.and_then(|outer| outer.unknown.clone());
        StepScope { run, results: Arc::new(results), skipped, data, stops, unknown }
    }

    async fn run_step(&self, index: usize, step: &StepPlan, scope: StepScope) -> FinishedStep {
        let started = Instant::now();
        let mut report = self.new_report();
        let mut items = None;
        let limited = step.plan.max_cost.map(|usd| self.context.with_step_limit(usd));
        let context = limited.as_ref().unwrap_or(self.context);
        let ending = match self.should_run(step, &scope, &mut report) {
            Ok(false) => Ending::Done(None),
            Ok(true) => match &step.each {
                None => {
                    let run = self.run_step_or_item(context, step, None, scope).await;
                    let (ending, inner) =
                        Ending::from_run(run, |it| with_step_path(it, index, step, None));
                    report.add_step(&step_path(step), inner);
                    ending.map(Some)
                }
                Some(each) => match self.find_list(step, each, &scope, &mut report) {
                    Ok(list) => {
                        items = Some(list.len());
                        self.run_items(context, (index, step, each), (list, scope), &mut report)
                            .await
                    }
                    Err(error) => Ending::Failed(with_step_path(error, index, step, None)),
                },
            },
            Err(error) => Ending::Failed(with_step_path(error, index, step, None)),
        };
        FinishedStep { ending, report, items, duration: started.elapsed() }
    }

    fn new_report(&self) -> Report {
        self.context.nested("", self.context.deadline).report
    }

    /// Returns whether the condition of a step is true.
    fn should_run(
        &self,
        step: &StepPlan,
        scope: &StepScope,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let Some(when) = &step.when else { return Ok(true) };
        let data = own_variables(step, scope, |path| !depends_on_run(step, path));
        let (is_true, warnings) = is_true_in(step, ("when", when), (scope, &data));
        let place = step_path(step);
        let warnings = warnings.iter().map(|text| format!("{place}: {text}"));
        report.add_warnings(warnings.collect());
        is_true
    }

    /// Checks that the next call is likely to end before the deadline, because a call is billed
    /// even if its reply is too late.
    ///
    /// # Errors
    /// `Timeout` if less time is left than the longest call took.
    fn check_time_left(&self) -> Result<(), Error> {
        let longest = self.context.longest_call();
        self.context.check_time_left(longest, ("chain", "call"))
    }

    /// Runs a step for each item of its list, several at a time.
    async fn run_items(
        &self,
        context: &Context,
        (index, step, each): (usize, &StepPlan, &EachItem),
        (list, scope): (Vec<Value>, StepScope),
        report: &mut Report,
    ) -> Ending<Option<Value>> {
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
                let run: PortFuture<'_, _> = Box::pin(async move {
                    (at, self.run_step_or_item(context, step, Some(at), scope).await)
                });
                running.push(run);
            }
            let Some((at, run)) = running.next().await else { break };
            let (ending, item_report) =
                Ending::from_run(run, |it| with_step_path(it, index, step, Some(at)));
            if let Some(place) = reports.get_mut(at) {
                *place = Some(item_report);
            }
            match (ending, results.get_mut(at)) {
                (Ending::Done(value), Some(place)) => *place = Some(value),
                (Ending::Failed(error), _) => {
                    self.stop();
                    failed.get_or_insert(error);
                }
                (Ending::Done(_) | Ending::Stopped, _) => {}
            }
        }
        drop(running);
        for item_report in reports.into_iter().flatten() {
            report.add_step(&step_path(step), item_report);
        }
        match failed {
            Some(error) => Ending::Failed(error),
            None if results.iter().any(Option::is_none) => Ending::Stopped,
            None => Ending::Done(Some(results.into_iter().flatten().collect())),
        }
    }

    /// Returns the list of a step. Null is an empty list. Checks the variables that all items have.
    fn find_list(
        &self,
        step: &StepPlan,
        each: &EachItem,
        scope: &StepScope,
        report: &mut Report,
    ) -> Result<Vec<Value>, Error> {
        for (name, path) in &step.data_from {
            if !depends_on_run(step, path) {
                find_data(step, scope, name, path)?;
            }
        }
        let path = each.path.join(".");
        let list = match scope.find(step.plan.step_data(), &each.path) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) => {
                if !scope.is_skipped(&each.path) {
                    let place = step_path(step);
                    let text = format!("{place}: each: {path} is null, so the step has no items");
                    report.add_warnings(vec![text]);
                }
                return Ok(Vec::new());
            }
            other => {
                // The value is not quoted, because it can be a result with personal data.
                let received = other.map_or("nothing", type_name);
                let text = format!("each: expected a list at {path}, got {received}");
                return Err(Error::new(ErrorKind::InvalidRequest, text));
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

    /// Runs a step or one of its items. Every step and item runs through this function. The result
    /// of an earlier run of the request is reused.
    async fn run_step_or_item(
        &self,
        outer: &Context,
        step: &StepPlan,
        item: Option<usize>,
        scope: StepScope,
    ) -> Run {
        let mut name = format!("step-{}", step.name);
        if let Some(item) = item {
            name.push_str(&format!("-{item}"));
        }
        if let Some(stored) = load_run(outer, &name).await {
            return stored;
        }
        let mut context = outer.nested(&name, outer.deadline);
        context.events = self.events_of(step);
        if let Err(error) = self.check_time_left() {
            return context.fail(error);
        }
        let span = spans::start_step(&mut context, &step.name, item);
        let mut run = match &step.repeat {
            None => self.run_once(context, step, scope).await,
            Some(repeat) => self.run_repeatedly(context, step, repeat, scope).await,
        };
        spans::end_run(span, &run);
        let maps_errors_to_null = step.each.as_ref().is_some_and(|each| each.maps_errors_to_null);
        if let (Err(error), Some(item), true) = (&run.outcome, item, maps_errors_to_null)
            && is_error_of_item(error.kind())
        {
            let (kind, logged) = (error.kind(), error.for_log());
            let text = format!("the result of item {item} is null: {kind}: {logged}");
            run.report.add_warnings(vec![text]);
            run.outcome = Ok(Value::Null);
            if lacked_time(&run.report) || outer.deadline.left().is_zero() {
                // The item runs again when the request is repeated.
                return run;
            }
        }
        store_run(outer, &name, &mut run).await;
        run
    }

    async fn run_once(&self, context: Context, step: &StepPlan, scope: StepScope) -> Run {
        let mut plan = step.plan.clone();
        for (name, path) in &step.data_from {
            if scope.unknown.is_some() && scope.is_unknown(name) {
                Arc::make_mut(&mut plan.data).insert(name.clone(), Value::Null);
                continue;
            }
            match find_data(step, &scope, name, path) {
                Ok(value) => Arc::make_mut(&mut plan.data).insert(name.clone(), value.clone()),
                Err(error) => return context.fail(error),
            };
        }
        plan.dry_run = self.is_dry_run;
        // The context has the limit, which all items and runs of the step share.
        plan.max_cost = None;
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
                    if let Err(error) = self.check_time_left() {
                        return context.fail(error);
                    }
                    let mut nested = context.nested(&name, context.deadline);
                    nested.events.clone_from(&context.events);
                    if let Some(events) = &nested.events {
                        events.reset("repeat").await;
                    }
                    let mut run = self.run_once(nested, step, scope.clone()).await;
                    store_run(&context, &name, &mut run).await;
                    run
                }
            };
            // Only the steps of the last run are reported.
            context.report.steps.clear();
            context.report.is_stopped = run.report.is_stopped;
            context.report.add_step(&format!("run {iteration}"), run.report);
            last = match run.outcome {
                Ok(value) => value,
                Err(error) => return context.fail(error),
            };
            set_run_variables(&mut scope, [(LAST_RESULT, last.clone())]);
            let until = ("repeat.until", &repeat.until);
            let data = own_variables(step, &scope, |_| true);
            let (is_true, warnings) = is_true_in(step, until, (&scope, &data));
            context.report.add_warnings(warnings);
            match is_true {
                Ok(true) => return context.finish(Ok(last)),
                Ok(false) if self.is_stopped() => {
                    context.report.is_stopped = true;
                    return context.fail(stopped_error());
                }
                Ok(false) => {}
                Err(error) => return context.fail(error),
            }
        }
        let max = repeat.max;
        let text = format!("the step ran {max} times, which is repeat.max, but until is not true");
        context.report.add_warnings(vec![text]);
        context.finish(Ok(last))
    }

    /// Returns the plan, with the requests of those steps that can start at once. Checks the other
    /// steps too, as far as they do not depend on results.
    async fn dry_run(&self, report: &mut Report) -> Result<Value, Error> {
        let mut shown = Vec::with_capacity(self.steps.len());
        let mut errors = Vec::new();
        let is_known = self.outer.is_none_or(|outer| outer.unknown.is_none());
        for (index, step) in self.steps.iter().enumerate() {
            let mut fields = Map::new();
            fields.insert("name".to_owned(), json!(step.name));
            let names = step.waits_for.iter().filter_map(|at| Some(&*self.steps.get(*at)?.name));
            fields.insert("waitsFor".to_owned(), names.collect());
            let is_ready = is_known && step.waits_for.is_empty();
            let mut scope = self.build_scope(index, step, &[]);
            if !is_ready {
                add_unknown(step, &mut scope);
            }
            match self.dry_run_step(step, scope, report).await {
                Ok(None) => {
                    fields.insert("skipped".to_owned(), json!(true));
                }
                Ok(Some(request)) if is_ready => {
                    fields.insert("request".to_owned(), request);
                }
                Ok(Some(_)) => {}
                Err(error) => errors.push(with_step_path(error, index, step, None)),
            }
            shown.push(Value::Object(fields));
        }
        let problems: Vec<Problem> = errors.iter().flat_map(Error::problems).cloned().collect();
        match errors.into_iter().next() {
            None => Ok(json!({ "steps": shown })),
            Some(first) if first.problems().is_empty() => Err(first),
            Some(first) if first.problems().len() == problems.len() => Err(first),
            Some(_) => Err(Error::from_problems(problems)),
        }
    }

    /// Returns the request of a step or of its first item. `None` means that nothing would run.
    async fn dry_run_step(
        &self,
        step: &StepPlan,
        mut scope: StepScope,
        report: &mut Report,
    ) -> Result<Option<Value>, Error> {
        let is_true = self.should_run(step, &scope, report)?;
        // A condition that depends on results may be true when the step runs.
        let is_certain = scope.unknown.is_none() || is_known(step.when.as_ref(), &scope);
        if !is_true && is_certain {
            return Ok(None);
        }
        if let Some(each) = &step.each {
            let is_unknown = each.path.first().is_some_and(|root| scope.is_unknown(root));
            let item = match scope.unknown.as_mut().filter(|_| is_unknown) {
                Some(unknown) => {
                    unknown.push(ITEM.to_owned());
                    Value::Null
                }
                None => {
                    let list = self.find_list(step, each, &scope, report)?;
                    let Some(item) = list.into_iter().next() else { return Ok(None) };
                    item
                }
            };
            set_run_variables(&mut scope, [(ITEM, item), (INDEX, json!(0))]);
        }
        if let Some(repeat) = &step.repeat {
            let variables = [(LAST_RESULT, Value::Null), (ITERATION, json!(1))];
            set_run_variables(&mut scope, variables);
            let mut scope = scope.clone();
            add_unknown(step, &mut scope);
            let data = own_variables(step, &scope, |_| true);
            let (checked, warnings) =
                is_true_in(step, ("repeat.until", &repeat.until), (&scope, &data));
            let place = step_path(step);
            report.add_warnings(warnings.iter().map(|text| format!("{place}: {text}")).collect());
            checked?;
        }
        let context = self.context.nested("", self.context.deadline);
        let Run { outcome, report: nested } = self.run_once(context, step, scope).await;
        report.add_step(&step_path(step), nested);
        // The prompt of a pinned config is not shown.
        let is_shown = !self.context.report.has_pinned_tools;
        outcome.map(|request| Some(if is_shown { request } else { Value::Null }))
    }
}

/// Marks the variables of a step whose values depend on the results of steps.
fn add_unknown(step: &StepPlan, scope: &mut StepScope) {
    let from_results = |(_, path): &&(String, DataPath)| {
        let root = path.first().map_or("", String::as_str);
        scope.is_unknown(root) || depends_on_run(step, path)
    };
    let names = step.data_from.iter().filter(from_results).map(|(name, _)| name.clone());
    let names: Vec<String> = names.chain([LAST_RESULT.to_owned()]).collect();
    scope.unknown.get_or_insert_default().extend(names);
}

/// Returns whether the value of a condition is known before the chain runs.
fn is_known(condition: Option<&Template>, scope: &StepScope) -> bool {
    let variables = condition.iter().flat_map(|it| it.variables());
    let mut roots = variables.map(|variable| variable.path.into_iter().next());
    roots.all(|root| root.is_some_and(|root| !scope.is_unknown(&root)))
}

/// Adds the first target of each request of a plan that may be called, with its place. A step is
/// not called if its condition is false and does not depend on results.
fn add_targets<'a>(
    plan: &'a Plan,
    scope: &StepScope,
    place: &str,
    targets: &mut Vec<(String, &'a Target)>,
) {
    if plan.steps().is_empty() {
        targets.push((place.to_owned(), &plan.target));
    }
    let separator = if place.is_empty() { "" } else { ": " };
    for planned in plan.tools.iter().flat_map(|tools| &tools.tools) {
        if let ToolRun::Request(nested) = &planned.run {
            let place = format!("{place}{separator}tool {}", planned.tool.name);
            let scope = StepScope { data: vec![Arc::clone(&nested.data)], ..StepScope::default() };
            add_targets(nested, &scope, &place, targets);
        }
    }
    for step in plan.steps() {
        let mut scope = scope.clone();
        add_unknown(step, &mut scope);
        let data = step.plan.step_data();
        let is_false = |when: &Template| {
            is_known(Some(when), &scope)
                && matches!(is_true_in(step, ("when", when), (&scope, data)).0, Ok(false))
        };
        if step.when.as_ref().is_some_and(is_false) {
            continue;
        }
        scope.data.insert(0, Arc::clone(&step.plan.data));
        let variables = [ITEM, INDEX, ITERATION].map(str::to_owned);
        scope.unknown.get_or_insert_default().extend(variables);
        let place = format!("{place}{separator}{}", step_path(step));
        add_targets(&step.plan, &scope, &place, targets);
    }
}

/// Returns the result of a step or an item in an earlier run of the request.
async fn load_run(context: &Context, name: &str) -> Option<Run> {
    let checkpoints = context.checkpoints.as_ref()?;
    let stored = checkpoints.load::<StoredRun<Value>>(name, context.deadline).await;
    let mut nested = context.nested(name, context.deadline);
    match stored {
        Ok(stored) => {
            let StoredRun { outcome, duration, counts } = stored?;
            context.count_restored(&counts);
            nested.report.answered = true;
            nested.report.restore_stored(counts);
            nested.report.durations.total = duration;
            Some(Run { outcome: Ok(outcome), report: nested.report })
        }
        Err(error) => Some(nested.fail(error)),
    }
}

/// Stores the result of a step or an item, unless it failed.
async fn store_run(context: &Context, name: &str, run: &mut Run) {
    let (Some(checkpoints), Ok(value)) = (&context.checkpoints, &run.outcome) else { return };
    let counts = StoredCounts::of_step(&run.report);
    let stored = StoredRun { outcome: value, duration: run.report.durations.total, counts };
    let warning = checkpoints.store(name, &stored, context.store_deadline).await;
    run.report.add_warnings(warning.into_iter().collect());
}

/// Sets variables of a run, which win over those of the chains around it.
fn set_run_variables<const N: usize>(scope: &mut StepScope, variables: [(&'static str, Value); N]) {
    scope.run.retain(|(name, _)| variables.iter().all(|(new, _)| new != name));
    scope.run.splice(0..0, variables);
}

/// Returns whether a condition of a step is true, and the warnings. `data` are the variables of the
/// step itself.
fn is_true_in(
    step: &StepPlan,
    (field, condition): (&str, &Template),
    variables: (&StepScope, &Map<String, Value>),
) -> (Result<bool, Error>, Vec<String>) {
    let mut warnings = Vec::new();
    let outcome = step.plan.is_true(condition, variables, &mut warnings);
    let warnings = warnings.iter().map(|text| format!("{field}: {text}")).collect();
    (outcome.map_err(|error| error.in_context(field)), warnings)
}

/// Returns the `data` of a step for its conditions, with those variables of `dataFrom` that have a
/// value and whose path passes the filter.
fn own_variables<'s>(
    step: &'s StepPlan,
    scope: &StepScope,
    filter: impl Fn(&[String]) -> bool,
) -> Cow<'s, Map<String, Value>> {
    let mut variables = Cow::Borrowed(step.plan.step_data());
    for (name, path) in step.data_from.iter().filter(|(_, path)| filter(path)) {
        // A step that is skipped may lack values. If it runs, a missing value is an error.
        if let Ok(value) = find_data(step, scope, name, path) {
            variables.to_mut().insert(name.clone(), value.clone());
        }
    }
    variables
}

/// Returns the value of a variable of `dataFrom`.
fn find_data<'s>(
    step: &'s StepPlan,
    scope: &'s StepScope,
    name: &str,
    path: &[String],
) -> Result<&'s Value, Error> {
    scope.find(step.plan.step_data(), path).ok_or_else(|| {
        let text = format!("dataFrom.{name}: there is no value at {}", path.join("."));
        Error::new(ErrorKind::InvalidRequest, text)
    })
}

/// Returns whether a path leads to a variable that each item or run of the step has.
fn depends_on_run(step: &StepPlan, path: &[String]) -> bool {
    match path.first().map(String::as_str) {
        Some(ITEM | INDEX) => step.each.is_some(),
        Some(LAST_RESULT | ITERATION) => step.repeat.is_some(),
        _ => false,
    }
}

/// Returns whether a tool or a call of a run ended because no time was left.
fn lacked_time(report: &Report) -> bool {
    let mut passed_over = report.passed_over.iter().flatten();
    report.lacked_time || passed_over.any(|target| target.error.kind() == ErrorKind::Timeout)
}

/// Returns whether an error is one of the item itself, so that other items can succeed. The request
/// was valid before its variables were known, so an invalid one is the item's too.
fn is_error_of_item(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidRequest
            | ErrorKind::OutputInvalid
            | ErrorKind::OutputTruncated
            | ErrorKind::OutputRefused
            | ErrorKind::ToolFailed
            | ErrorKind::ProviderRejected
            | ErrorKind::PromptInvalid
    )
}

/// The error of a chain that ended early. It is not reported, because the chain around it returns
/// the error of the step that failed.
fn stopped_error() -> Error {
    Error::new(ErrorKind::Internal, "stopped, because another step failed")
}

/// Names the step, and the item, in an error.
fn with_step_path(error: Error, index: usize, step: &StepPlan, item: Option<usize>) -> Error {
    let mut name = step_path(step);
    if let Some(item) = item {
        name.push_str(&format!("[{item}]"));
    }
    error.in_step(&name, &format!("steps[{index}]"))
}
