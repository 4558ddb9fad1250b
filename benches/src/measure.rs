//! One function, one task, once: its start, its warm invocations, its memory.

use std::path::Path;
use std::time::{Duration, Instant};

use llm_exe_simulator::Simulator;
use llm_exe_simulator::runtime_api::{Invocation, Outcome, RuntimeApi};
use serde_json::Value;

use crate::Fault;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::process::Process;

/// Warm invocations that are not counted: compilers and allocators settle.
pub(crate) const SETTLING: u32 = 50;
/// Warm invocations that are.
pub(crate) const COUNTED: u32 = 200;
/// No answer takes this long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// After it an answered function waits for its next event, and its threads' clocks stand.
const IDLE: Duration = Duration::from_millis(5);

/// What the functions are asked to do, and which figures that gives.
#[derive(Debug)]
pub(crate) struct Task {
    event: String,
    is_answer: fn(&Value) -> bool,
    cold: Figure,
    cold_cpu: Figure,
    warm: Figure,
    warm_cpu: Figure,
    memory: Figure,
}

impl Task {
    /// The tasks: text, and JSON by a schema.
    pub(crate) fn all(here: &Path) -> Result<[Task; 2], Fault> {
        let example = |name: &str| std::fs::read_to_string(here.join("../examples").join(name));
        let text = Task {
            event: example("kitten.json")?,
            is_answer: Value::is_string,
            cold: Figure::ColdText,
            cold_cpu: Figure::ColdTextCpu,
            warm: Figure::WarmText,
            warm_cpu: Figure::WarmTextCpu,
            memory: Figure::MemoryText,
        };
        let json = Task {
            event: example("research.json")?,
            is_answer: |answer| answer["query"].is_string(),
            cold: Figure::ColdJson,
            cold_cpu: Figure::ColdJsonCpu,
            warm: Figure::WarmJson,
            warm_cpu: Figure::WarmJsonCpu,
            memory: Figure::MemoryJson,
        };
        Ok([text, json])
    }
}

/// Measures against one simulator.
pub(crate) struct Measure<'a> {
    simulator: &'a Simulator,
    openai: String,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(simulator: &'a Simulator) -> Self {
        Measure { simulator, openai: simulator.openai_base_url() }
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
        samples.add(task.warm, milliseconds(wall / COUNTED));
        samples.add(task.warm_cpu, milliseconds(cpu / COUNTED));
        samples.add(task.memory, process.peak_memory()? / 1e6);
        self.check_calls(function)
    }

    /// A function that has given its first answer and idles, and how long that answer took.
    async fn start(
        &self,
        function: &Function,
        task: &Task,
    ) -> Result<(RuntimeApi, Process, Duration), Fault> {
        self.simulator.clear();
        let api = RuntimeApi::start().await?;
        let started = Instant::now();
        let process = Process::start(function, &api.address(), &self.openai)?;
        let first = invoke(&api, task).await?;
        let cold = started.elapsed();
        check(function, task, &first)?;
        tokio::time::sleep(IDLE).await;
        Ok((api, process, cold))
    }

    /// That every answer came from the provider.
    fn check_calls(&self, function: &Function) -> Result<(), Fault> {
        let calls = self.simulator.journal().len();
        let expected = if function.answers { 1 + SETTLING + COUNTED } else { 0 };
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

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
