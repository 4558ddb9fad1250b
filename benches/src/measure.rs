//! One function, one task, once: its start, its warm invocations, its memory.

use std::path::Path;
use std::time::{Duration, Instant};

use llm_exe_simulator::Simulator;
use llm_exe_testkit::runtime_api::{Invocation, Outcome, RuntimeApi};
use serde_json::{Value, json};

use crate::Fault;
use crate::aws::{Aws, BUCKET, CREDENTIALS, KEY};
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::process::Process;

/// Warm invocations that are not counted: compilers and allocators settle.
pub(crate) const SETTLING: u32 = 50;
/// Warm invocations that are.
pub(crate) const COUNTED: u32 = 200;
/// No answer takes this long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// After it an answered function waits for its next event, and its threads' clocks stand.
pub(crate) const IDLE: Duration = Duration::from_millis(5);

/// What the functions are asked to do, and which figures that gives.
#[derive(Debug)]
pub(crate) struct Task {
    event: String,
    is_answer: fn(&Value) -> bool,
    cold: Figure,
    cold_cpu: Figure,
    /// `None` for a task whose prompt and key are hosted: of it, the start is measured.
    warm: Option<Warm>,
}

/// The figures of warm invocations.
#[derive(Debug)]
struct Warm {
    wall: Figure,
    cpu: Figure,
    memory: Figure,
}

impl Task {
    /// The tasks: text, the same with prompt and key hosted (right after it, since the two are
    /// compared), and JSON by a schema.
    pub(crate) fn all(here: &Path) -> Result<[Task; 3], Fault> {
        let example = |name: &str| std::fs::read_to_string(here.join("../examples").join(name));
        let text = Task {
            event: example("kitten.json")?,
            is_answer: Value::is_string,
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
            is_answer: Value::is_string,
            cold: Figure::ColdHosted,
            cold_cpu: Figure::ColdHostedCpu,
            warm: None,
        };
        let json = Task {
            event: example("research.json")?,
            is_answer: |answer| answer["query"].is_string(),
            cold: Figure::ColdJson,
            cold_cpu: Figure::ColdJsonCpu,
            warm: Some(Warm {
                wall: Figure::WarmJson,
                cpu: Figure::WarmJsonCpu,
                memory: Figure::MemoryJson,
            }),
        };
        Ok([text, hosted, json])
    }

    fn is_hosted(&self) -> bool {
        self.warm.is_none()
    }

    /// Whether the function can do it.
    pub(crate) fn is_for(&self, function: &Function) -> bool {
        function.fetches || !self.is_hosted()
    }
}

/// Measures against one simulator, and one imitation of S3 and Parameter Store.
pub(crate) struct Measure<'a> {
    simulator: &'a Simulator,
    aws: &'a Aws,
    openai: String,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(simulator: &'a Simulator, aws: &'a Aws) -> Self {
        Measure { simulator, aws, openai: simulator.openai_base_url() }
    }

    /// Has the function do the task, from its start on.
    ///
    /// It is started once before that, not counted: whatever ran in between, its files then are
    /// in the page cache.
    pub(crate) async fn once(
        &self,
        function: &Function,
        task: &Task,
        samples: &mut Samples,
    ) -> Result<(), Fault> {
        drop(self.start(function, task).await?);
        let (api, process, cold) = self.start(function, task).await?;
        samples.add(task.cold, milliseconds(cold));
        samples.add(task.cold_cpu, milliseconds(process.cpu()?));
        let Some(warm) = &task.warm else {
            return self.check_calls(function, 1);
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
        self.check_calls(function, 1 + SETTLING + COUNTED)
    }

    /// A function that has given its first answer and idles, and how long that answer took.
    async fn start(
        &self,
        function: &Function,
        task: &Task,
    ) -> Result<(RuntimeApi, Process, Duration), Fault> {
        self.simulator.clear();
        self.aws.clear();
        let api = RuntimeApi::start().await?;
        let (address, more) = (api.address(), self.environment(task));
        let started = Instant::now();
        let process = Process::start(function, &address, &self.openai, &more)?;
        let first = invoke(&api, task).await?;
        let cold = started.elapsed();
        check(function, task, &first)?;
        let (calls, expected) = (self.aws.calls(), [u32::from(task.is_hosted()); 2]);
        if calls != expected {
            let name = &function.name;
            let text = format!("{name} called S3 and SSM {calls:?} times, not {expected:?}");
            return Err(text.into());
        }
        tokio::time::sleep(IDLE).await;
        Ok((api, process, cold))
    }

    /// Where the function has its key from, and its prompt.
    fn environment(&self, task: &Task) -> Vec<(&'static str, &str)> {
        if !task.is_hosted() {
            return vec![("OPENAI_API_KEY", "sk-bench")];
        }
        let mut more = CREDENTIALS.to_vec();
        more.extend([
            ("AWS_S3_FILES_BUCKET_NAME", BUCKET),
            ("AWS_ENDPOINT_URL_S3", &self.aws.s3.url),
            ("AWS_ENDPOINT_URL_SSM", &self.aws.ssm.url),
        ]);
        more
    }

    /// That every answer came from the provider.
    fn check_calls(&self, function: &Function, invocations: u32) -> Result<(), Fault> {
        let calls = self.simulator.journal().len();
        let expected = if function.answers { invocations } else { 0 };
        if u32::try_from(calls)? == expected {
            return Ok(());
        }
        Err(format!("{} called the provider {calls} times, not {expected}", function.name).into())
    }
}

async fn invoke(api: &RuntimeApi, task: &Task) -> Result<Invocation, Fault> {
    Ok(api.invoke(task.event.clone(), TIMEOUT).await?)
}

fn check(function: &Function, task: &Task, invocation: &Invocation) -> Result<(), Fault> {
    let Outcome::Response(body) = &invocation.outcome else {
        return Err(format!("{} failed: {:?}", function.name, invocation.outcome).into());
    };
    let answer: Value = serde_json::from_slice(body)?;
    if !function.answers || (task.is_answer)(&answer) {
        return Ok(());
    }
    Err(format!("{} gave no answer to the task: {answer}", function.name).into())
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
