//! Runs the tasks with npm handlebars in a Node process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Error;

/// A Node process that runs `handlebars.mjs`. It is killed when this value is dropped.
pub(crate) struct Node {
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
}

impl Node {
    /// Starts the process, which waits for requests on its standard input.
    pub(crate) fn start(folder: &Path) -> Result<Self, Error> {
        let mut child = Command::new("node")
            .arg(folder.join("handlebars.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start node: {error}"))?;
        let requests = child.stdin.take().ok_or("node has no standard input")?;
        let responses = BufReader::new(child.stdout.take().ok_or("node has no standard output")?);
        Ok(Node { child, requests, responses })
    }

    /// Runs a task once and returns the rendered text.
    pub(crate) fn text(&mut self, task: &str) -> Result<String, Error> {
        let response = self.send(&format!("text {task}"))?;
        Ok(serde_json::from_str(&response)?)
    }

    /// Runs a task repeatedly for the duration `time` and returns the average time of a run in
    /// microseconds.
    pub(crate) fn measure(&mut self, task: &str, time: Duration) -> Result<f64, Error> {
        let response = self.send(&format!("{task} {}", time.as_millis()))?;
        Ok(response.trim().parse()?)
    }

    fn send(&mut self, request: &str) -> Result<String, Error> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut response = String::new();
        if self.responses.read_line(&mut response)? == 0 {
            return Err(format!("node exited during the request `{request}`").into());
        }
        Ok(response)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Ignore errors, because the process may already have exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
