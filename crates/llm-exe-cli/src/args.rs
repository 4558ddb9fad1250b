//! Defines the command line arguments. Most doc comments in this file are help texts.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  llm-exe invoke --simulate examples/kitten.json     run a request offline, with the simulator
  llm-exe invoke request.json --data topic=sharks    call the provider
  cat request.json | llm-exe invoke - --full         also print usage, model and attempts
  llm-exe invoke prompt.md --data topic=sharks       run a prompt file before hosting it
  llm-exe validate prompts/                          report every problem, for CI
  llm-exe serve                                      emulate a function URL on 127.0.0.1:9000

Keys and AWS credentials are read from the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY,
AWS_ACCESS_KEY_ID), or else from the file .env in the current folder.

Exit codes: 0 success, 1 internal error, 2 invalid request, 3 missing key or denied access,
4 rejected by the provider, 5 temporary failure, 6 unusable reply.";

/// Send a JSON request to an LLM and print the checked result.
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
    /// Print the HTTP request to the provider without sending it. Needs no key.
    Render(Render),
    /// Check requests and report every problem.
    Validate(Validate),
    /// Serve requests over HTTP like a Lambda function URL.
    Serve(Serve),
    /// List the providers and whether their keys are set.
    Providers(Providers),
    /// Print the JSON Schema of requests.
    Schema,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// A request and the data of its templates.
#[derive(Debug, ClapArgs)]
pub(crate) struct Source {
    /// The request: a JSON, YAML or Markdown file, - for JSON on standard input, or the s3:// or
    /// https:// URL of a hosted config.
    pub(crate) file: PathBuf,
    /// Set a field of `data`. The value is parsed as JSON, or else used as text. Repeatable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) data: Vec<String>,
    /// Merge the JSON object in this file into `data`.
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Call the built-in simulator instead of the provider. Needs no key and no network.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Print the full response: result, usage, model, attempts and warnings.
    #[arg(long)]
    pub(crate) full: bool,
    /// Treat the file as an event, such as that of a function URL, and print the raw response.
    #[arg(long, conflicts_with_all = ["data", "data_file", "full"])]
    pub(crate) event: bool,
    /// Print compact JSON to standard output and errors as JSON to standard error.
    #[arg(long)]
    pub(crate) json: bool,
    /// Maximum duration in seconds.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print compact JSON to standard output and errors as JSON to standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// Files as for `invoke`, folders with such files, or - for JSON on standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print a JSON list of {file, ok, problems, warnings}.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Providers {
    /// Print a JSON list of {provider, dialect, baseUrl, key, keyFound}.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// The IP address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// The port to listen on; 0 selects a free port.
    #[arg(long, default_value_t = 9000)]
    pub(crate) port: u16,
    /// Call the built-in simulator instead of the providers. Needs no key and no network.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// How callers are authenticated: AWS_IAM, API_KEY (the key is ENDPOINT_API_KEY) or NONE.
    /// Default: NONE on a loopback address, required on any other address.
    #[arg(long, env = "ENDPOINT_AUTH")]
    pub(crate) auth: Option<String>,
    /// Log each request as a line of JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Maximum duration of a request in seconds.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}
