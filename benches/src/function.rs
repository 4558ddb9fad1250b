//! Defines the measured functions: the program that starts each function, and the files that are
//! deployed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Advice, fadvise};

use crate::error::Error;
use crate::figures::{Figure, Samples};

/// The kind of a function, which determines the requests that it supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A build of llm-exe, which supports S3, Parameter Store and SQS.
    LlmExe,
    /// The limit program, which returns a text for every event.
    Limit,
    /// A handler in Node, which supports direct requests.
    Node,
    /// A handler in Node that only streams, and returns texts.
    NpmAi,
}

/// A measured function.
#[derive(Debug)]
pub(crate) struct Function {
    /// The name that the table shows.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The program that starts the function, and its arguments.
    pub(crate) program: Vec<PathBuf>,
    /// The deployed files, given as a single zip or as files and folders.
    deployed: Vec<PathBuf>,
}

/// Returns all functions in the order of their indices in `figures`, followed by the additional
/// builds. `built` is the folder of the zips that `./benches/run` built.
pub(crate) fn all(here: &Path, built: &Path, builds: &[String]) -> Result<Vec<Function>, Error> {
    let node = here.join("node");
    let bundle = node.join("node_modules/.cache/bootstrap.cjs");
    let unbundled = ["bootstrap.mjs", "handler.mjs", "node_modules"].map(|name| node.join(name));
    let script = unbundled[0].clone();
    let streaming = here.join("streaming");
    let streamed = ["bootstrap.mjs", "node_modules"].map(|name| streaming.join(name));
    let streaming = streamed[0].clone();
    let mut functions = vec![
        deployed_zip("llm-exe-lambda", &built.join("llm-exe-lambda"), Kind::LlmExe),
        deployed_zip("limit", &built.join("bench-limit"), Kind::Limit),
        nodejs("Node", script, unbundled.to_vec(), Kind::Node),
        nodejs("Node, bundled", bundle.clone(), vec![bundle], Kind::Node),
        nodejs("npm ai", streaming, streamed.to_vec(), Kind::NpmAi),
    ];
    for build in builds {
        let (name, path) = build.split_once('=').ok_or("--beside expects NAME=PATH")?;
        functions.push(binary(name, PathBuf::from(path), Kind::LlmExe));
    }
    Ok(functions)
}

/// Returns a function that cargo-lambda built. `folder` contains the zip and the unpacked binary.
fn deployed_zip(name: &str, folder: &Path, kind: Kind) -> Function {
    let deployed = vec![folder.join("bootstrap.zip")];
    Function { deployed, ..binary(name, folder.join("bootstrap"), kind) }
}

fn binary(name: &str, path: PathBuf, kind: Kind) -> Function {
    Function { name: name.to_owned(), kind, program: vec![path.clone()], deployed: vec![path] }
}

fn nodejs(name: &str, script: PathBuf, deployed: Vec<PathBuf>, kind: Kind) -> Function {
    let program = vec![PathBuf::from("node"), script];
    Function { name: name.to_owned(), kind, program, deployed }
}

impl Function {
    /// Returns an error if a deployed file does not exist.
    pub(crate) fn check_files(&self) -> Result<(), Error> {
        let Some(path) = self.deployed.iter().find(|path| !path.exists()) else {
            return Ok(());
        };
        let path = path.display();
        Err(format!("{path} does not exist: run ./benches/run, which builds it").into())
    }

    /// Removes the program from the page cache, so that its next start reads it from the disk. A
    /// file that was just written is cached in large pieces, which the kernel maps as a whole: the
    /// resident memory would contain code that the process does not execute.
    pub(crate) fn evict_from_page_cache(&self) -> Result<(), Error> {
        for path in self.program.iter().filter(|path| path.is_file()) {
            let file = File::open(path)?;
            // Pages that are not on the disk yet cannot be removed.
            file.sync_all()?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        Ok(())
    }

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
