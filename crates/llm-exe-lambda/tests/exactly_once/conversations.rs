//! Tests that every conversation with tools in a queue gets one result, and that no stored turn is
//! paid for again, even if S3 fails and processes are killed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm_exe_simulator::{Step, ToolCall, When};
use llm_exe_testkit::aws::{AwsSimulator, Operation};
use serde_json::{Value, json};

use crate::backend::{Backend, request_for};
use crate::failures;
use crate::queue::{MAX_RECEIVES, MessageState};
use crate::run::{self, Deliveries, Workload};
use crate::{Parameters, parameter};

/// The number of turns that call tools. One more turn ends the conversation.
const TURNS: usize = 4;
/// The number of calls of tools in a turn.
const CALLS: usize = 2;
/// The timeout of an invocation. It is also the visibility timeout of the queue, so that no process
/// owns the run of a message that is delivered again.
const TIMEOUT: Duration = Duration::from_secs(6);
const PROGRESS: &str = "stored/results/progress/";
const RESULT: &str = "Done.";

/// Creates the reply of a turn. Its text identifies the turn in later prompts.
fn calls(turn: usize) -> Step {
    let call = |_| ToolCall { name: "look_up".to_owned(), arguments: json!({ "n": turn }) };
    Step::tool_calls(format!("<turn {turn}>"), (0..CALLS).map(call).collect()).times(u32::MAX)
}

/// Returns the script of the provider, whose reply depends only on the turns in the request.
fn script() -> Vec<Step> {
    let after = |turn: usize, step: Step| {
        let prompt_contains = Some(format!("<turn {turn}>"));
        step.times(u32::MAX).when(When { prompt_contains, ..When::default() })
    };
    let mut steps = vec![after(TURNS, Step::text(RESULT))];
    steps.extend((1..TURNS).rev().map(|turn| after(turn, calls(turn + 1))));
    steps.push(calls(1));
    steps
}

fn request(index: usize) -> Value {
    let mut request = request_for(&failures::id(index));
    request["tools"] = json!([{
        "name": "look_up", "description": "Looks a number up.",
        "parameters": { "type": "object", "properties": { "n": { "type": "integer" } } },
        "run": { "lambda": "orders" }
    }]);
    request
}

/// Returns how often each turn of each message was paid for.
fn paid_turns(backend: &Backend) -> HashMap<usize, BTreeMap<usize, usize>> {
    let mut paid: HashMap<usize, BTreeMap<usize, usize>> = HashMap::new();
    for call in backend.simulator.journal() {
        let messages = call.body["messages"].as_array().unwrap();
        let index = failures::index(messages[0]["content"].as_str().unwrap()).unwrap();
        let turn = messages.iter().filter(|message| message["role"] == "assistant").count();
        *paid.entry(index).or_default().entry(turn).or_default() += 1;
    }
    paid
}

/// Returns the run in the name of an object of its progress.
fn run_of(name: &str) -> Option<&str> {
    Some(name.strip_prefix(PROGRESS)?.split_once('/')?.0)
}

/// Returns the messages whose progress was stored without failed writes.
fn messages_without_faults(aws: &AwsSimulator) -> BTreeSet<usize> {
    let is_fault = |status: Option<u16>| !matches!(status, Some(200 | 404 | 412));
    let calls = aws.calls();
    let faults = calls.iter().filter(|call| is_fault(call.status));
    let faults: BTreeSet<&str> = faults.filter_map(|call| run_of(&call.name)).collect();
    let objects = aws.objects();
    let first_turns = objects.iter().filter(|(name, _)| name.ends_with("/turn-1.json"));
    let without_faults =
        first_turns.filter(|(name, _)| run_of(name).is_some_and(|run| !faults.contains(run)));
    let index = |object: &llm_exe_testkit::aws::Object| {
        failures::index(std::str::from_utf8(&object.body).unwrap()).unwrap()
    };
    without_faults.map(|(_, object)| index(object)).collect()
}

#[derive(Debug, Default)]
struct Ledger {
    ok: usize,
    dead: usize,
    paid: usize,
    after_kill: usize,
    after_store: usize,
    tool_runs: usize,
    repeated_tool_runs: usize,
    store_faults: usize,
    problems: Vec<String>,
}

impl Ledger {
    fn new(backend: &Backend, delivered: &Deliveries) -> Ledger {
        let faulty = |call: &&llm_exe_testkit::aws::RecordedCall| {
            let is_store = matches!(call.operation, Operation::GetObject | Operation::PutObject);
            is_store && !matches!(call.status, Some(200 | 404 | 412))
        };
        let store_faults = backend.aws.calls().iter().filter(faulty).count();
        let mut ledger = Ledger { store_faults, ..Ledger::default() };
        let results = backend.results();
        let paid = paid_turns(backend);
        let without_faults = messages_without_faults(&backend.aws);
        for (index, state) in delivered.messages.iter().enumerate() {
            let result = results.get(&failures::id(index)).map(|result| &result["result"]);
            ledger.add_end(index, state, result);
            let turns = paid.get(&index).cloned().unwrap_or_default();
            ledger.add_turns(index, state, &turns, without_faults.contains(&index));
        }
        ledger.add_tool_runs(backend, delivered);
        ledger
    }

    fn add_end(&mut self, index: usize, state: &MessageState, result: Option<&Value>) {
        let is_ok = state.is_deleted && result == Some(&Value::from(RESULT));
        let may_die = state.is_dead && state.kills + self.store_faults >= MAX_RECEIVES;
        self.ok += usize::from(is_ok);
        self.dead += usize::from(state.is_dead);
        if !is_ok && !may_die {
            self.problems.push(format!("message {index} is lost: {state:?}, {result:?}"));
        }
    }

    /// A turn in flight is paid for again after a kill, and a turn that S3 did not store as well.
    fn add_turns(
        &mut self,
        index: usize,
        state: &MessageState,
        turns: &BTreeMap<usize, usize>,
        is_without_faults: bool,
    ) {
        let count: usize = turns.values().sum();
        let repeated = count - turns.len();
        let by_kill = repeated.min(state.kills);
        self.paid += count;
        self.after_kill += by_kill;
        self.after_store += repeated - by_kill;
        let is_complete = turns.len() == TURNS + 1 || state.is_dead;
        if !is_complete || (is_without_faults && repeated > state.kills) {
            self.problems.push(format!("message {index} was paid for {turns:?}: {state:?}"));
        }
    }

    /// Repeated calls of a tool have the same key, with which it can detect them.
    fn add_tool_runs(&mut self, backend: &Backend, delivered: &Deliveries) {
        let mut runs: HashMap<String, usize> = HashMap::new();
        for invocation in backend.aws.invocations() {
            let key = invocation.event["toolCall"]["idempotencyKey"].as_str().unwrap().to_owned();
            *runs.entry(key).or_default() += 1;
        }
        self.tool_runs = runs.values().sum();
        self.repeated_tool_runs = self.tool_runs - runs.len();
        let kills: usize = delivered.messages.iter().map(|message| message.kills).sum();
        let most = CALLS * (kills + TURNS * self.store_faults);
        let expected = self.ok * TURNS * CALLS;
        if self.repeated_tool_runs > most || runs.len() < expected {
            self.problems.push(format!("{} calls of tools, {kills} kills", self.tool_runs));
        }
    }

    fn check(&self, delivered: &Deliveries, parameters: &Parameters) {
        assert_eq!(self.problems, Vec::<String>::new());
        assert_eq!(self.ok + self.dead, parameters.messages);
        assert!(self.dead <= parameters.messages / 20, "{self:?}");
        assert!(self.after_store <= (TURNS + 1) * self.store_faults, "{self:?}");
        assert!(parameters.kills == 0.0 || delivered.kills > 0, "no process was killed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_conversation_has_one_result_and_stored_turns_are_paid_for_once() {
    let parameters = Parameters {
        messages: parameter("EXACTLY_ONCE_CONVERSATIONS", 100),
        kills: parameter("EXACTLY_ONCE_KILLS", 25.0),
        failures: 0.0,
        ..Parameters::from_environment()
    };
    let started = Instant::now();
    let aws = Arc::new(AwsSimulator::start().await.unwrap());
    let unnecessary_calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let simulator = run::start_simulator(Arc::clone(&aws), Arc::clone(&unnecessary_calls)).await;
    let backend = Backend { simulator: Arc::new(simulator), aws };
    backend.simulator.script(script());
    run::script_store_faults(&backend.aws, "progress", parameters.store_faults);
    let url = backend.aws.url();
    let workload = Workload {
        request: &request,
        result: &|_| Value::from(RESULT),
        variables: &[("AWS_ENDPOINT_URL_LAMBDA", &url), ("TOOL_FUNCTIONS", "orders")],
        timeout: TIMEOUT,
        after_kill: TIMEOUT,
        after_failure: TIMEOUT,
    };
    let delivered = run::deliver_all(parameters, &backend, &workload).await;
    let ledger = Ledger::new(&backend, &delivered);

    let mut text = format!("\n{parameters:?}\n");
    let Deliveries { count, kills, .. } = &delivered;
    let rows = [
        ("conversations", parameters.messages),
        ("delivered batches", usize::try_from(*count).unwrap()),
        ("  with a killed process", *kills),
        ("S3 faults", ledger.store_faults),
        ("successful results", ledger.ok),
        ("in the dead-letter queue", ledger.dead),
        ("provider turns", ledger.paid),
        ("  repeated after a kill", ledger.after_kill),
        ("  repeated after an S3 fault", ledger.after_store),
        ("calls of tools", ledger.tool_runs),
        ("  repeated", ledger.repeated_tool_runs),
        ("problems", ledger.problems.len()),
    ];
    for (name, number) in rows {
        writeln!(text, "{name:<36}{number:>8}").unwrap();
    }
    writeln!(text, "in {:.1} s", started.elapsed().as_secs_f64()).unwrap();
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    assert_eq!(*unnecessary_calls.lock().unwrap(), Vec::<String>::new());
    ledger.check(&delivered, &parameters);
}
