//! Defines the measured functions: the program that starts each function, and the files that are
//! deployed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::figures::{Figure, Samples};

/// The index of the llm-exe function.
pub(crate) const LLM_EXE: usize = 0;
/// The index of the empty function.
pub(crate) const EMPTY: usize = 1;
/// The index of the Node function.
pub(crate) const NODE: usize = 2;
/// The index of the Node function whose code is bundled into one file.
pub(crate) const BUNDLED: usize = 3;

/// A measured function.
#[derive(Debug)]
pub(crate) struct Function {
    /// The name that the table shows.
    pub(crate) name: String,
    /// The program that starts the function, and its arguments.
    pub(crate) program: Vec<PathBuf>,
    /// Whether the function calls the provider. The empty function returns a constant instead.
    pub(crate) calls_provider: bool,
    /// Whether the function is a build of llm-exe, which supports S3, Parameter Store and SQS.
    pub(crate) is_llm_exe: bool,
    /// The deployed files, given as a single zip or as files and folders.
    deployed: Vec<PathBuf>,
}

/// Returns all functions in the order of the indices above, followed by the additional builds.
pub(crate) fn all(here: &Path, builds: &[String]) -> Result<Vec<Function>, Error> {
    // The script `./benches/run` writes its builds to this folder.
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
    for build in builds {
        let (name, path) = build.split_once('=').ok_or("--beside expects NAME=PATH")?;
        functions.push(binary(name, PathBuf::from(path), true));
    }
    for path in functions.iter().flat_map(|function| &function.deployed) {
        if !path.exists() {
            return Err(format!(
                "{} does not exist: run ./benches/run, which builds it",
                path.display()
            )
            .into());
        }
    }
    Ok(functions)
}

/// Returns a function that cargo-lambda built. `folder` contains the zip and the unpacked binary.
fn deployed_zip(name: &str, folder: &Path, calls_provider: bool) -> Function {
    let deployed = vec![folder.join("bootstrap.zip")];
    Function { deployed, ..binary(name, folder.join("bootstrap"), calls_provider) }
}

fn binary(name: &str, path: PathBuf, calls_provider: bool) -> Function {
    let (name, deployed) = (name.to_owned(), vec![path.clone()]);
    Function { name, program: vec![path], calls_provider, is_llm_exe: calls_provider, deployed }
}

fn nodejs(name: &str, script: PathBuf, deployed: Vec<PathBuf>) -> Function {
    let program = vec![PathBuf::from("node"), script];
    let name = name.to_owned();
    Function { name, program, calls_provider: true, is_llm_exe: false, deployed }
}

impl Function {
    /// Measures the unpacked and zipped sizes of the deployed files.
    pub(crate) fn measure_size(&self, here: &Path, samples: &mut Samples) -> Result<(), Error> {
        let mut python = Command::new("python3");
        let output = python.arg(here.join("sizes.py")).args(&self.deployed).output()?;
        let text = String::from_utf8(output.stdout)?;
        let sizes: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [unpacked, zipped] = sizes[..] else {
            return Err(format!("sizes.py failed for {}", self.name).into());
        };
        samples.add(Figure::Size, unpacked / 1e6);
        samples.add(Figure::Zip, zipped / 1e6);
        Ok(())
    }
}
