//! What is measured: functions, how each is started, and what of each is deployed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Fault;
use crate::figures::{Figure, Samples};

/// The place of the function that everything is about.
pub(crate) const OURS: usize = 0;
/// The place of the empty function.
pub(crate) const EMPTY: usize = 1;
/// The place of the Node function.
pub(crate) const NODE: usize = 2;
/// The place of the Node function that is bundled into one file.
pub(crate) const BUNDLED: usize = 3;

/// A function that is measured.
#[derive(Debug)]
pub(crate) struct Function {
    /// The table's name for it.
    pub(crate) name: String,
    /// The program, and its arguments.
    pub(crate) program: Vec<PathBuf>,
    /// Whether it asks the provider and answers the task; the empty one answers anything.
    pub(crate) answers: bool,
    /// Whether it fetches prompts from S3 and keys from Parameter Store: ours do.
    pub(crate) fetches: bool,
    /// What is deployed: one zip, or files and folders with all that is in them.
    deployed: Vec<PathBuf>,
}

/// The functions, [`OURS`] first and those that are only beside it last.
pub(crate) fn all(here: &Path, beside: &[String]) -> Result<Vec<Function>, Fault> {
    // ParsedRequest by ./benches/run.
    let built = here.join("../target/benches");
    let node = here.join("node");
    let bundle = node.join("node_modules/.cache/bootstrap.cjs");
    let unbundled = ["bootstrap.mjs", "handler.mjs", "node_modules"].map(|name| node.join(name));
    let script = unbundled[0].clone();
    let mut functions = vec![
        deployed_zip("llm-exe-lambda", &built.join("llm-exe-lambda"), true),
        deployed_zip("empty", &built.join("bench-hello"), false),
        nodejs("Node", script, unbundled.to_vec()),
        nodejs("Node, bundled", bundle.clone(), vec![bundle]),
    ];
    for build in beside {
        let (name, path) = build.split_once('=').ok_or("--beside takes NAME=PATH")?;
        functions.push(binary(name, PathBuf::from(path), true));
    }
    for path in functions.iter().flat_map(|function| &function.deployed) {
        if !path.exists() {
            return Err(format!("{} is not there: use ./benches/run", path.display()).into());
        }
    }
    Ok(functions)
}

/// A zip that cargo-lambda built, in a folder that also contains its unpacked binary.
fn deployed_zip(name: &str, folder: &Path, answers: bool) -> Function {
    let deployed = vec![folder.join("bootstrap.zip")];
    Function { deployed, ..binary(name, folder.join("bootstrap"), answers) }
}

fn binary(name: &str, path: PathBuf, answers: bool) -> Function {
    let (name, deployed) = (name.to_owned(), vec![path.clone()]);
    Function { name, program: vec![path], answers, fetches: answers, deployed }
}

fn nodejs(name: &str, script: PathBuf, deployed: Vec<PathBuf>) -> Function {
    let program = vec![PathBuf::from("node"), script];
    Function { name: name.to_owned(), program, answers: true, fetches: false, deployed }
}

impl Function {
    /// Notes how large what is deployed is.
    pub(crate) fn weigh(&self, here: &Path, samples: &mut Samples) -> Result<(), Fault> {
        let mut python = Command::new("python3");
        let output = python.arg(here.join("sizes.py")).args(&self.deployed).output()?;
        let text = String::from_utf8(output.stdout)?;
        let sizes: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [unpacked, zipped] = sizes[..] else {
            return Err(format!("sizes.py failed on {}", self.name).into());
        };
        samples.add(Figure::Size, unpacked / 1e6);
        samples.add(Figure::Zip, zipped / 1e6);
        Ok(())
    }
}
