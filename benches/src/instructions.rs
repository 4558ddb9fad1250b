//! Measures the cost of an invocation: instructions and allocations under callgrind, and the memory
//! of the process after 1,000 invocations. Unlike times, these figures hardly depend on
//! the machine's load.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use llm_exe_simulator::Simulator;
use serde_json::Value;

use crate::callgrind::{self, Counts};
use crate::chain::{self, STEPS};
use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::{Function, Kind};
use crate::measure::check_calls;
use crate::running::{JSON, Running, TEXT};
use crate::tool_loop::{self, TURNS, ToolFunctions};

/// The maximum number of rounds. It is low because the counts hardly vary.
pub(crate) const COUNTED_ROUNDS: u32 = 3;
/// The numbers of invocations of the two processes whose difference is the cost of warm
/// invocations.
pub(crate) const FEW: u32 = 20;
pub(crate) const MANY: u32 = 120;
/// The number of invocations after which the resident memory is measured.
pub(crate) const RESIDENT: u32 = 1_000;
/// The number of invocations after which the simulator's recorded calls are deleted.
const CLEAR_EVERY: u32 = 250;

/// A request and the figures that are measured with it.
struct Workload {
    body: Cow<'static, str>,
    is_expected: fn(&Value) -> bool,
    /// The number of calls of the provider per request.
    calls: u32,
    /// Whether the model calls tools, in all its turns but the last one.
    has_tools: bool,
    /// The instructions of a cold start, if they are measured.
    cold: Option<Figure>,
    warm: Figure,
    allocations: Figure,
    resident: Figure,
}

const TEXT_WORKLOAD: Workload = Workload {
    body: Cow::Borrowed(TEXT),
    is_expected: Value::is_string,
    calls: 1,
    has_tools: false,
    cold: Some(Figure::ColdTextInstructions),
    warm: Figure::WarmTextInstructions,
    allocations: Figure::AllocationsText,
    resident: Figure::ResidentText,
};

const JSON_WORKLOAD: Workload = Workload {
    body: Cow::Borrowed(JSON),
    is_expected: |result| result["query"].is_string(),
    calls: 1,
    has_tools: false,
    cold: Some(Figure::ColdJsonInstructions),
    warm: Figure::WarmJsonInstructions,
    allocations: Figure::AllocationsJson,
    resident: Figure::ResidentJson,
};

fn tools_workload() -> Workload {
    Workload {
        body: Cow::Owned(tool_loop::request().to_string()),
        is_expected: Value::is_string,
        calls: TURNS,
        has_tools: true,
        cold: None,
        warm: Figure::WarmToolsInstructions,
        allocations: Figure::AllocationsTools,
        resident: Figure::ResidentTools,
    }
}

fn chain_workload() -> Workload {
    Workload {
        body: Cow::Owned(chain::request().to_string()),
        is_expected: Value::is_string,
        calls: STEPS,
        has_tools: false,
        cold: None,
        warm: Figure::WarmChainInstructions,
        allocations: Figure::AllocationsChain,
        resident: Figure::ResidentChain,
    }
}

/// Counts instructions of functions that call a simulated provider, and Lambda functions as tools.
pub(crate) struct Instructions<'a> {
    simulator: &'a Simulator,
    tool_functions: &'a ToolFunctions,
    /// The file that callgrind writes.
    profile: PathBuf,
}

impl<'a> Instructions<'a> {
    /// Returns an error if valgrind is missing. `folder` is the folder for the profile.
    pub(crate) fn new(
        simulator: &'a Simulator,
        tool_functions: &'a ToolFunctions,
        folder: &Path,
    ) -> Result<Self, Error> {
        callgrind::check_installed()?;
        Ok(Instructions { simulator, tool_functions, profile: folder.join("callgrind.out") })
    }

    /// Measures a function once and adds the samples to `samples`.
    pub(crate) async fn once(
        &self,
        function: &Function,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        self.workload(function, &TEXT_WORKLOAD, samples).await?;
        if function.kind == Kind::LlmExe {
            self.workload(function, &JSON_WORKLOAD, samples).await?;
            self.workload(function, &tools_workload(), samples).await?;
            self.workload(function, &chain_workload(), samples).await?;
        }
        Ok(())
    }

    async fn workload(
        &self,
        function: &Function,
        workload: &Workload,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        if let Some(figure) = workload.cold {
            let cold = self.count(function, workload, 1).await?;
            samples.add(figure, cold.instructions as f64 / 1e3);
        }
        let few = self.count(function, workload, FEW).await?;
        let many = self.count(function, workload, MANY).await?;
        let per_invocation = |of: fn(&Counts) -> u64| -> Result<f64, Error> {
            let more = of(&many).checked_sub(of(&few));
            let more = more.ok_or("more invocations executed fewer instructions")?;
            Ok(more as f64 / f64::from(MANY - FEW))
        };
        samples.add(workload.warm, per_invocation(|counts| counts.instructions)? / 1e3);
        samples.add(workload.allocations, per_invocation(|counts| counts.allocations)?);
        samples.add(workload.resident, self.resident_memory(function, workload).await? / 1e6);
        Ok(())
    }

    /// Returns the counts of a process from its start until it is idle after `invocations`.
    async fn count(
        &self,
        function: &Function,
        workload: &Workload,
        invocations: u32,
    ) -> Result<Counts, Error> {
        // Do not read an old profile if valgrind writes none.
        if self.profile.exists() {
            std::fs::remove_file(&self.profile)?;
        }
        let command = callgrind::command(&self.profile);
        let running = self.start(&command, function, workload).await?;
        self.invoke(&running, function, workload, invocations).await?;
        running.terminate().await?;
        callgrind::parse(&std::fs::read_to_string(&self.profile)?)
    }

    /// Returns the resident memory of a process in bytes after 1,000 invocations. The process loads
    /// its program from the disk, as in a new execution environment.
    async fn resident_memory(
        &self,
        function: &Function,
        workload: &Workload,
    ) -> Result<f64, Error> {
        function.evict_from_page_cache()?;
        let running = self.start(&[], function, workload).await?;
        for _ in 0..RESIDENT / CLEAR_EVERY {
            self.invoke(&running, function, workload, CLEAR_EVERY).await?;
        }
        running.idle().await.resident_memory()
    }

    /// Starts a process. It can call Lambda functions only if the workload does, because its
    /// credentials would otherwise change its cold start.
    async fn start(
        &self,
        command: &[OsString],
        function: &Function,
        workload: &Workload,
    ) -> Result<Running, Error> {
        let variables =
            if workload.has_tools { self.tool_functions.variables() } else { Vec::new() };
        let openai = self.simulator.openai_base_url();
        Running::start_under(command, function, &openai, &variables).await
    }

    /// Invokes a process and checks that it called the provider and the tools as expected.
    async fn invoke(
        &self,
        running: &Running,
        function: &Function,
        workload: &Workload,
        invocations: u32,
    ) -> Result<(), Error> {
        self.simulator.clear();
        if workload.has_tools {
            self.simulator.script(tool_loop::replies(invocations));
        }
        running.repeat(invocations, &workload.body, workload.is_expected).await?;
        check_calls(self.simulator, function, invocations * workload.calls)?;
        if workload.has_tools { self.tool_functions.check_calls(invocations) } else { Ok(()) }
    }
}
