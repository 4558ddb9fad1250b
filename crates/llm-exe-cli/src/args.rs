//! Defines the command-line arguments. The doc comments of commands and arguments are their help
//! texts and their rows in docs/cli.md.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand};
use llm_exe::parsers::output_names;

const EXAMPLES: &str = "\
Examples:
  llm-exe invoke --simulate examples/kitten.json     run a request offline with the simulator
  llm-exe invoke request.json --data topic=sharks    call the provider
  cat request.json | llm-exe invoke - --full         also print usage, model and attempts
  llm-exe invoke prompt.md --data topic=sharks       run a prompt file before hosting it
  llm-exe invoke request.json -m openai:gpt-5        try another model
  llm-exe validate prompts/                          report all problems, for example in CI
  llm-exe serve                                      emulate a Lambda function URL on port 9000

Keys and AWS credentials are read from the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY,
AWS_ACCESS_KEY_ID) or, if they are not set there, from the file .env in the current folder.

Settings (environment variables, the same as those of the Lambda function):
  STRICT_VARIABLES             true: a template variable without data is an error
  STRICT_OPTIONS               true: an option that a provider rejects is an error
  STRICT                       true: every warning about a request is an error
  OPENAI_API_MODE              auto, chat or responses: the API for models of OpenAI
  ALLOWED_MODELS               patterns like openai:gpt-4o*; other models are rejected
  CONFIG_BUCKETS               buckets that hosted configs may be read from
  CONFIG_URL_HOSTS             hosts that hosted configs may be fetched from
  RESULT_PREFIX                s3://bucket/prefix below which results are stored
  OPENAI_COMPATIBLE_PROVIDERS  additional OpenAI-compatible servers, as JSON
docs/lambda.md lists all settings, for example the base URLs of the providers.

Exit codes: 0 success, 1 internal error, 2 invalid request, 3 missing key or denied access,
4 rejected by the provider, 5 temporary failure, 6 unusable reply.";

/// Send a JSON request to an LLM and print the validated result.
#[derive(Debug, Parser)]
#[command(name = "llm-exe", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a request and print its result.
    Invoke(Invoke),
    /// Print the HTTP request to the provider without sending it. Does not require a key.
    Render(Render),
    /// Check requests and report all problems, including missing data. Exits with 2 if there is
    /// one.
    Validate(Validate),
    /// Serve requests over HTTP like a Lambda function URL.
    Serve(Serve),
    /// List the providers, their base URLs, the key that each needs and whether it is set. Does not
    /// print keys.
    Providers(Providers),
    /// List models with their capabilities, their context and their prices in US dollars per
    /// million tokens. Does not require a key or network access.
    Models(Models),
    /// Print the JSON Schema for requests, for example for an editor.
    Schema(Schema),
    /// Print a completion script for a shell.
    Completions {
        /// The shell to generate the script for.
        shell: clap_complete::Shell,
    },
}

/// The arguments that specify a request and its template data.
#[derive(Debug, ClapArgs)]
pub(crate) struct Source {
    /// The request: a JSON, YAML or Markdown file, an s3:// or https:// URL, or - to read one of
    /// these formats from standard input.
    pub(crate) file: PathBuf,
    /// Call this model instead of the request's. Also replaces the provider if the value has the
    /// form PROVIDER:MODEL.
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Parse the reply as this output instead of the request's, for example as json or list.
    #[arg(short, long, value_name = "OUTPUT", value_parser = OutputParser)]
    #[arg(hide_possible_values = true)]
    pub(crate) output: Option<String>,
    /// Set a field of the request, for example options.temperature=0. The value has the same form
    /// as that of --data. Can be repeated.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// Set a field of the request's `data`. A dot in the name sets a field of an object. The value
    /// is parsed as JSON or, if it is not valid JSON, used as text; @FILE is the content of a file.
    /// Can be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) data: Vec<String>,
    /// Merge the object in this JSON or YAML file into the request's `data`. Can be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Call the built-in simulator instead of the provider. Does not require a key or network
    /// access.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Pass this script to the simulator. It is a JSON array of steps, see docs/simulator.md.
    #[arg(long, value_name = "FILE", requires = "simulate")]
    pub(crate) script: Option<PathBuf>,
    /// Print the full response: result, usage, model, attempts and warnings.
    #[arg(long)]
    pub(crate) full: bool,
    /// Print the text as it is generated. This is the default on a terminal for the output string.
    /// With --json, print each event as a line {"event", "data"}; the last one is result or error.
    #[arg(long, conflicts_with = "event")]
    pub(crate) stream: bool,
    /// Run this program for the calls of a tool of the request. It reads the arguments as JSON from
    /// standard input and writes the result to standard output. An exit code other than 0 is an
    /// error. Can be repeated.
    #[arg(long, value_name = "NAME=PROGRAM", conflicts_with = "event")]
    pub(crate) tool: Vec<String>,
    /// Continue the conversation in this file, which contains a result with calls of tools as the
    /// command printed it. The request in FILE is the same as before.
    #[arg(long = "continue", value_name = "RESULT", conflicts_with = "event")]
    pub(crate) continues: Option<PathBuf>,
    /// The result of a call that was handed back, as JSON or text. Can be repeated.
    #[arg(long, value_name = "ID=RESULT", requires = "continues")]
    pub(crate) result: Vec<String>,
    /// Treat the file as an event of any source, as Lambda receives it, and print the raw response.
    #[arg(
        long,
        conflicts_with_all = ["model", "output", "set", "data", "data_file", "full"]
    )]
    pub(crate) event: bool,
    /// Print compact JSON, also for text results, and errors as JSON to standard error. Hides the
    /// warnings of a request, which --full prints.
    #[arg(long)]
    pub(crate) json: bool,
    /// Maximum duration of the command in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) timeout: u64,
}

/// How the plan of a chain is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PlanFormat {
    Text,
    Mermaid,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print the messages with their roles as text, instead of the HTTP request.
    #[arg(long)]
    pub(crate) messages: bool,
    /// Print the steps of a chain, and which step waits for which: as a table, or as a Mermaid
    /// diagram with --plan=mermaid.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "text", conflicts_with_all = ["messages", "json"])]
    pub(crate) plan: Option<PlanFormat>,
    /// Print compact JSON to standard output and errors as JSON to standard error. Hides the
    /// warnings of a request, which `validate --json` prints.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// JSON, YAML or Markdown files, JSONL files with a request in each line, folders that contain
    /// them, URLs, or - to read one of these formats from standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Exit with 2 if there are warnings.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Skip the files in folders whose path, or the end of it, matches this pattern. In a pattern,
    /// * matches any text. Can be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Print a JSON array of {file, ok, problems, warnings}, and also `skipped` for a file that is
    /// not a request.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// Print the schema for hosted configs and for the front matter of prompts, in which all fields
    /// are optional.
    #[arg(long)]
    pub(crate) config: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Providers {
    /// Print a JSON array of {provider, dialect, baseUrl, key, keyFound}, and also `reason` for a
    /// key that is not set or can't be used.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Models {
    /// Only models with this name, with or without their provider: gpt-6-sol,
    /// openai:gpt-6-sol. openai selects all models of the provider. In a pattern, * matches any
    /// text.
    pub(crate) pattern: Option<String>,
    /// Print a JSON array with all facts about each model.
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
    /// Call the built-in simulator instead of the providers. Does not require a key or network
    /// access.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// Pass this script to the simulator. It is a JSON array of steps, see docs/simulator.md.
    #[arg(long, value_name = "FILE", requires = "simulate")]
    pub(crate) script: Option<PathBuf>,
    /// How to authenticate callers: AWS_IAM, API_KEY (with the key in ENDPOINT_API_KEY) or NONE.
    /// Defaults to NONE on a loopback address and is required on any other address.
    #[arg(long, env = "ENDPOINT_AUTH", value_parser = auth_values(), hide_possible_values = true)]
    pub(crate) auth: Option<String>,
    /// Log each request to standard output as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Maximum duration of a request in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) timeout: u64,
}

/// Returns the values of `--auth`. An empty variable `ENDPOINT_AUTH` is the same as none.
fn auth_values() -> PossibleValuesParser {
    let names = ["AWS_IAM", "API_KEY", "NONE"].map(PossibleValue::new);
    PossibleValuesParser::new(names.into_iter().chain([PossibleValue::new("").hide(true)]))
}

/// Accepts every value of `--output`, because the request is checked later. Shells offer the names
/// of the outputs.
#[derive(Debug, Clone)]
struct OutputParser;

impl TypedValueParser for OutputParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(output_names().into_iter().map(PossibleValue::new)))
    }
}
