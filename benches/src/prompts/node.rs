//! The Node process that does what we do with npm handlebars.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Fault;

/// A running `handlebars.mjs`; dropped, it is killed.
pub(crate) struct Node {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// Starts it; it works only when told to.
    pub(crate) fn start(folder: &Path) -> Result<Self, Fault> {
        let mut child = Command::new("node")
            .arg(folder.join("handlebars.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|fault| format!("node does not start: {fault}"))?;
        let orders = child.stdin.take().ok_or("node has no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("node has no standard output")?);
        Ok(Node { child, orders, answers })
    }

    /// What a task renders.
    pub(crate) fn text(&mut self, task: &str) -> Result<String, Fault> {
        let answer = self.ask(&format!("text {task}"))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// The microseconds of one run of a task, on average of as many as fit into the time.
    pub(crate) fn measure(&mut self, task: &str, time: Duration) -> Result<f64, Fault> {
        let answer = self.ask(&format!("{task} {}", time.as_millis()))?;
        Ok(answer.trim().parse()?)
    }

    fn ask(&mut self, order: &str) -> Result<String, Fault> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("node ended at `{order}`").into());
        }
        Ok(answer)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
