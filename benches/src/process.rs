//! A function's process, and what Linux tells of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Fault;
use crate::function::Function;

/// A running function; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a function as Lambda does, with nothing in its environment but this and `more`.
    pub(crate) fn start(
        function: &Function,
        runtime_api: &str,
        openai: &str,
        more: &[(&str, &str)],
    ) -> Result<Self, Fault> {
        let (program, arguments) = function.program.split_first().ok_or("no program")?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(path())
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
            .env("AWS_REGION", "us-east-1")
            .env("OPENAI_BASE_URL", openai)
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|fault| format!("{} does not start: {fault}", program.display()))?;
        Ok(Process(child))
    }

    /// CPU that its threads have used. Exact for threads that sleep: ask when it is idle.
    pub(crate) fn cpu(&self) -> Result<Duration, Fault> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(self.proc("task"))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
            nanoseconds += first.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that was ever resident, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<f64, Fault> {
        self.memory("status", "VmHWM:")
    }

    /// The memory that is resident, in bytes: counted page by page, where `status` is only about
    /// right.
    pub(crate) fn resident_memory(&self) -> Result<f64, Fault> {
        self.memory("smaps_rollup", "Rss:")
    }

    fn memory(&self, file: &str, name: &str) -> Result<f64, Fault> {
        let text = std::fs::read_to_string(self.proc(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        let absent = || format!("there is no {name} in {file}");
        let kibibytes: f64 = kibibytes.ok_or_else(absent)?.parse()?;
        Ok(kibibytes * 1024.0)
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.0.id().to_string()).join(name)
    }
}

/// Node is found by it.
#[expect(clippy::disallowed_methods, reason = "this binary's one look at its environment")]
fn path() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
