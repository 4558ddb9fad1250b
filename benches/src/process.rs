//! Runs a function as a process and reads its CPU time and memory.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::function::Function;

/// The number of the signal that asks a process to terminate, on all Linux architectures.
const SIGTERM: i32 = 15;
/// The interval at which a process is checked for being idle.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running process, which is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a function whose environment contains only the variables below and those in
    /// `additional`. If `wrapper` is not empty, it is the command that runs the function, with the
    /// function's program and arguments as its last arguments.
    pub(crate) fn start(
        function: &Function,
        wrapper: &[OsString],
        runtime_api: &str,
        openai: &str,
        additional: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let program = function.program.iter().map(|part| part.as_os_str());
        let words: Vec<_> = wrapper.iter().map(OsString::as_os_str).chain(program).collect();
        let (program, arguments) = words.split_first().ok_or("the function has no program")?;
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
            .envs(additional.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        Ok(Process(child))
    }

    /// Asks the process to terminate with SIGTERM and waits until it has ended. Unlike a kill, this
    /// lets valgrind write its profile.
    pub(crate) fn terminate(mut self) -> Result<(), Error> {
        let status = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        if !status.success() {
            return Err("cannot send SIGTERM to the function".into());
        }
        let status = self.0.wait()?;
        if status.signal() != Some(SIGTERM) {
            return Err(format!("the function ended by itself: {status}").into());
        }
        Ok(())
    }

    /// Waits until all threads sleep and use no CPU time.
    pub(crate) async fn wait_until_idle(&self) -> Result<(), Error> {
        let mut before = None;
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let now = if self.is_sleeping()? { Some(self.cpu()?) } else { None };
            if now.is_some() && now == before {
                return Ok(());
            }
            before = now;
        }
    }

    /// Returns whether all threads wait for an event.
    fn is_sleeping(&self) -> Result<bool, Error> {
        for thread in std::fs::read_dir(self.proc("task"))? {
            let text = std::fs::read_to_string(thread?.path().join("stat"))?;
            // The state follows the name of the program, which is in parentheses.
            let state = text.rsplit(')').next().and_then(|fields| fields.split_whitespace().next());
            match state {
                Some("S") => {}
                Some("Z" | "X") => return Err("the function has ended".into()),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Returns the CPU time of all threads. The function must be idle, because the time is exact
    /// only for sleeping threads.
    pub(crate) fn cpu(&self) -> Result<Duration, Error> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(self.proc("task"))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
            nanoseconds += first.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Returns the peak resident memory in bytes.
    pub(crate) fn peak_memory(&self) -> Result<f64, Error> {
        self.memory("status", "VmHWM:")
    }

    /// Returns the resident memory in bytes. It is read from `smaps_rollup`, because the value in
    /// `status` is not exact.
    pub(crate) fn resident_memory(&self) -> Result<f64, Error> {
        self.memory("smaps_rollup", "Rss:")
    }

    fn memory(&self, file: &str, name: &str) -> Result<f64, Error> {
        let text = std::fs::read_to_string(self.proc(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        let missing = || format!("{file} has no {name}");
        let kibibytes: f64 = kibibytes.ok_or_else(missing)?.parse()?;
        Ok(kibibytes * 1024.0)
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.0.id().to_string()).join(name)
    }
}

/// Returns the variable `PATH`, which the function needs to find Node.
#[expect(clippy::disallowed_methods, reason = "only this function reads the environment")]
fn path() -> Option<(&'static str, OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ignore errors, because the process may already have exited.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
