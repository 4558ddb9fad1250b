//! What can be said on the command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  llm-exe invoke --simulate examples/kitten.json     answer offline, from the simulator
  llm-exe invoke request.json --data topic=sharks    ask the real provider
  cat request.json | llm-exe invoke - --full         usage, model and attempts too
  llm-exe invoke prompt.md --data topic=sharks       a hosted prompt before it is hosted
  llm-exe validate prompts/                          every problem, for CI
  llm-exe serve                                      a function URL on 127.0.0.1:9000

Keys are taken from the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, AWS credentials), else from
.env here.
Exit codes: 0 done, 1 ours, 2 the request, 3 keys and access, 4 refused by the provider,
5 try again later, 6 no usable answer.";

/// One JSON request in, a checked answer of an LLM out.
#[derive(Debug, Parser)]
#[command(name = "llm-exe", version, about, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a request and print its result.
    Invoke(Invoke),
    /// Print what would be sent, without sending it; no key is needed.
    Render(Render),
    /// Check requests and name every problem.
    Validate(Validate),
    /// Serve requests over HTTP, as a function URL does.
    Serve(Serve),
    /// List the providers, which key each needs and whether it is found.
    Providers(Providers),
    /// Print the JSON Schema of a request.
    Schema,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// A request and what its templates are filled with.
#[derive(Debug, ClapArgs)]
pub(crate) struct Source {
    /// A request as JSON or YAML, a prompt as Markdown, - for JSON on standard input, or the
    /// s3:// or https:// URL of a hosted config.
    pub(crate) file: PathBuf,
    /// A value of `data`, as name=value; JSON where it reads as JSON, else text. Repeatable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) data: Vec<String>,
    /// A file with a JSON object whose fields go into `data`.
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Ask the built-in simulator instead of the provider; no key, no network.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Print the whole answer: result, usage, model, attempts, warnings.
    #[arg(long)]
    pub(crate) full: bool,
    /// The file is a raw event (a function URL's, say); print the raw response.
    #[arg(long, conflicts_with_all = ["data", "data_file", "full"])]
    pub(crate) event: bool,
    /// For machines: compact JSON on standard output, failures as JSON on standard error.
    #[arg(long)]
    pub(crate) json: bool,
    /// The most seconds to wait.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) source: Source,
    /// For machines: compact JSON, failures as JSON on standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// Files as for invoke, folders of such, or - for JSON on standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// For machines: a JSON list of {file, ok, problems, warnings}.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Providers {
    /// For machines: a JSON list of {provider, dialect, baseUrl, key, keyFound}.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 9000)]
    pub(crate) port: u16,
    /// Ask the built-in simulator instead of the providers.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Who may call: AWS_IAM, API_KEY (ENDPOINT_API_KEY) or NONE. On loopback the default is NONE;
    /// on any other address it must be said.
    #[arg(long, env = "ENDPOINT_AUTH")]
    pub(crate) auth: Option<String>,
    /// One JSON line a request instead of a short one.
    #[arg(long)]
    pub(crate) json: bool,
    /// The most seconds that a request may take.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}
