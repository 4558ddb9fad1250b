//! Measures the cold start, the warm invocations and the memory of a function while it runs a task.

use std::time::{Duration, Instant};

use llm_exe_simulator::Simulator;
use llm_exe_testkit::runtime_api::{Invocation, InvocationOutcome, RuntimeApi};
use serde_json::{Value, json};

use crate::aws::{Aws, BUCKET, CREDENTIALS, KEY};
use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::{Function, Kind};
use crate::process::Process;
use crate::running::{IDLE, JSON, TEXT, TIMEOUT};

/// The number of unmeasured invocations, in which JIT compilers and allocators reach a steady
/// state.
pub(crate) const SETTLING: u32 = 50;
/// The number of measured invocations.
pub(crate) const COUNTED: u32 = 200;

/// An event that the functions handle, and the figures that are measured with it.
#[derive(Debug)]
pub(crate) struct Task {
    event: String,
    is_expected: fn(&Value) -> bool,
    /// Returns whether a kind of function supports the task.
    pub(crate) is_supported_by: fn(Kind) -> bool,
    cold: Figure,
    cold_cpu: Figure,
    /// The figures for warm invocations. For the task with a hosted prompt and key, this is `None`
    /// because only its cold start is measured.
    warm: Option<Warm>,
}

/// The figures for warm invocations.
#[derive(Debug)]
struct Warm {
    wall: Figure,
    cpu: Figure,
    memory: Figure,
}

impl Task {
    /// Returns the three tasks: text, text with a hosted prompt and key, and JSON with a schema.
    /// The two text tasks run one after the other because they are compared with each other.
    pub(crate) fn all() -> [Task; 3] {
        let text = Task {
            event: TEXT.to_owned(),
            is_expected: Value::is_string,
            is_supported_by: |kind| kind != Kind::NpmAi,
            cold: Figure::ColdText,
            cold_cpu: Figure::ColdTextCpu,
            warm: Some(Warm {
                wall: Figure::WarmText,
                cpu: Figure::WarmTextCpu,
                memory: Figure::MemoryText,
            }),
        };
        let event = json!({ "provider": "openai", "key": KEY, "model": "gpt-4o-mini" });
        let hosted = Task {
            event: event.to_string(),
            is_expected: Value::is_string,
            is_supported_by: |kind| kind == Kind::LlmExe,
            cold: Figure::ColdHosted,
            cold_cpu: Figure::ColdHostedCpu,
            warm: None,
        };
        let json = Task {
            event: JSON.to_owned(),
            is_expected: |result| result["query"].is_string(),
            is_supported_by: |kind| matches!(kind, Kind::LlmExe | Kind::Node),
            cold: Figure::ColdJson,
            cold_cpu: Figure::ColdJsonCpu,
            warm: Some(Warm {
                wall: Figure::WarmJson,
                cpu: Figure::WarmJsonCpu,
                memory: Figure::MemoryJson,
            }),
        };
        [text, hosted, json]
    }

    fn is_hosted(&self) -> bool {
        self.warm.is_none()
    }
}

/// Measures functions that call a simulated provider, S3 and Parameter Store.
pub(crate) struct Measure<'a> {
    simulator: &'a Simulator,
    aws: &'a Aws,
    openai: String,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(simulator: &'a Simulator, aws: &'a Aws) -> Self {
        Measure { simulator, aws, openai: simulator.openai_base_url() }
    }

    /// Measures a function once for a task and adds the samples to `samples`.
    ///
    /// An unmeasured start comes first and loads the function's files into the page cache.
    pub(crate) async fn once(
        &self,
        function: &Function,
        task: &Task,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        drop(self.start(function, task).await?);
        let (api, process, cold) = self.start(function, task).await?;
        samples.add(task.cold, milliseconds(cold));
        samples.add(task.cold_cpu, milliseconds(process.cpu()?));
        let Some(warm) = &task.warm else {
            return check_calls(self.simulator, function, 1);
        };
        for _ in 0..SETTLING {
            invoke(&api, task).await?;
        }
        tokio::time::sleep(IDLE).await;
        let before = process.cpu()?;
        let mut wall = Duration::ZERO;
        for _ in 0..COUNTED {
            let invocation = invoke(&api, task).await?;
            check(function, task, &invocation)?;
            wall += invocation.duration;
        }
        tokio::time::sleep(IDLE).await;
        let cpu = process.cpu()?.saturating_sub(before);
        samples.add(warm.wall, milliseconds(wall / COUNTED));
        samples.add(warm.cpu, milliseconds(cpu / COUNTED));
        samples.add(warm.memory, process.peak_memory()? / 1e6);
        check_calls(self.simulator, function, 1 + SETTLING + COUNTED)
    }

    /// Starts a function and waits until it is idle after its first response. The returned duration
    /// is the time from the start to that response.
    async fn start(
        &self,
        function: &Function,
        task: &Task,
    ) -> Result<(RuntimeApi, Process, Duration), Error> {
        self.simulator.clear();
        self.aws.clear();
        let api = RuntimeApi::start().await?;
        let (address, variables) = (api.address(), self.environment(task));
        let started = Instant::now();
        let process = Process::start(function, &[], &address, &self.openai, &variables)?;
        let first = invoke(&api, task).await?;
        let cold = started.elapsed();
        check(function, task, &first)?;
        let (calls, expected) = (self.aws.calls(), [u32::from(task.is_hosted()); 2]);
        if calls != expected {
            let name = &function.name;
            let text = format!("{name}: expected {expected:?} calls to S3 and SSM, got {calls:?}");
            return Err(text.into());
        }
        tokio::time::sleep(IDLE).await;
        Ok((api, process, cold))
    }

    /// Returns the environment variables that give the function its key and, for a hosted task, its
    /// prompt.
    fn environment(&self, task: &Task) -> Vec<(&'static str, &str)> {
        if !task.is_hosted() {
            return vec![("OPENAI_API_KEY", "sk-bench")];
        }
        let mut variables = CREDENTIALS.to_vec();
        variables.extend([
            ("AWS_S3_FILES_BUCKET_NAME", BUCKET),
            ("AWS_ENDPOINT_URL_S3", &self.aws.s3.url),
            ("AWS_ENDPOINT_URL_SSM", &self.aws.ssm.url),
        ]);
        variables
    }
}

/// Checks that a function called the provider once for each invocation.
pub(crate) fn check_calls(
    simulator: &Simulator,
    function: &Function,
    invocations: u32,
) -> Result<(), Error> {
    let calls = simulator.journal().len();
    if u32::try_from(calls)? == invocations {
        return Ok(());
    }
    Err(format!("{}: expected {invocations} provider calls, got {calls}", function.name).into())
}

async fn invoke(api: &RuntimeApi, task: &Task) -> Result<Invocation, Error> {
    Ok(api.invoke(task.event.clone(), TIMEOUT).await?)
}

fn check(function: &Function, task: &Task, invocation: &Invocation) -> Result<(), Error> {
    let InvocationOutcome::Response(body) = &invocation.outcome else {
        return Err(format!("{} failed: {:?}", function.name, invocation.outcome).into());
    };
    let result: Value = serde_json::from_slice(body)?;
    if (task.is_expected)(&result) {
        return Ok(());
    }
    Err(format!("{} returned an unexpected result: {result}", function.name).into())
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
