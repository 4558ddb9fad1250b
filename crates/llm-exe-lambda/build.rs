//! Passes the linker a script that moves rarely executed functions to the end of the code. A
//! process then keeps less of the program in memory, because the kernel loads programs in windows
//! of 64 kB.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// Crates and modules that ordinary requests do not execute, or only the first request of a
/// process. A name that does not exist has no effect.
const RARE: &[&str] = &[
    // The TLS handshake.
    "ring",
    "rustls",
    "webpki",
    "llm_exe::tls",
    // Calls of AWS services.
    "aws_credential_types",
    "aws_sigv4",
    "aws_smithy_runtime_api",
    "hmac",
    "sha2",
    "llm_exe_aws",
    // Panics.
    "addr2line",
    "backtrace_rs",
    "gimli",
    "object",
    "rustc_demangle",
    // URLs that a caller sends.
    "core::net",
    "icu_normalizer",
    "icu_properties",
    "idna",
    "url",
    "llm_exe::web_config",
    // Requests that are stored in S3 or at a URL.
    "granit_parser",
    "miniz_oxide",
    "regex_lite",
    "llm_exe::gzip",
    "llm_exe::hosted",
    // Tools and chains.
    "llm_exe::function_name",
    "llm_exe::plan::chain",
    "llm_exe::plan::cost_limit",
    "llm_exe::plan::handed_back",
    "llm_exe::plan::scope",
    "llm_exe::plan::tools",
    "llm_exe::prompt::syntax::references",
    "llm_exe::request::steps",
    "llm_exe::run::chain",
    "llm_exe::run::checkpoint",
    "llm_exe::run::cost_limit",
    "llm_exe::run::tool_arguments",
    "llm_exe::run::tool_loop",
    "llm_exe_function::results::conversations",
    // Events of other sources than a direct call.
    "llm_exe_events::batch",
    "llm_exe_events::callers",
    "llm_exe_events::envelopes",
    "llm_exe_events::http",
    "llm_exe_events::s3_object",
    "llm_exe_function::destination",
    "llm_exe_function::results::idempotency",
    "llm_exe_function::results::notify",
    "llm_exe_function::results::progress",
    "llm_exe_function::results::records",
    "llm_exe_function::results::stored_result",
    "llm_exe_function::settings::compatible",
    // Traces and logged prompts.
    "llm_exe::run::spans",
    "llm_exe::trace",
    "llm_exe_function::log_line::content",
    "llm_exe_function::traces",
    // Invalid requests, and errors of providers.
    "httpdate",
    "serde_path_to_error",
    "llm_exe::json::near_json",
    "llm_exe::parsers::fences",
    "llm_exe::providers::error_body",
    "llm_exe::providers::failure",
    "llm_exe::providers::lenient",
    "llm_exe::providers::openai_chat::failed_reply",
    "llm_exe::providers::rejection",
    "llm_exe::providers::rejection_text",
    "llm_exe::run::learned",
    "llm_exe::schema::draft_2020_12",
    "llm_exe::scrub",
    // Providers, outputs and schema keywords that few requests use.
    "core::num::bignum",
    "core::num::dec2flt",
    "core::num::flt2dec",
    "core::slice::sort",
    "llm_exe::parsers::boolean",
    "llm_exe::parsers::camel_case",
    "llm_exe::parsers::lines",
    "llm_exe::parsers::number",
    "llm_exe::parsers::number_words",
    "llm_exe::parsers::string_extract",
    "llm_exe::prompt::helpers",
    "llm_exe::providers::anthropic",
    "llm_exe::providers::bedrock",
    "llm_exe::providers::call_ids",
    "llm_exe::providers::content_parts",
    "llm_exe::providers::gemini",
    "llm_exe::providers::ollama",
    "llm_exe::providers::openai_responses",
    "llm_exe::schema::form",
    "llm_exe::schema::merge",
    "llm_exe::schema::open",
    "llm_exe::schema::pattern",
    "llm_exe::schema::validate::pattern",
];

/// Parts of the modules in `RARE` that every process executes. `alloc::raw_vec` and `core::ptr` are
/// generic: the compiler merges functions with equal instructions, and the result has the name of
/// one of them.
const FREQUENT: &[&str] = &[
    "alloc::raw_vec",
    "core::ptr",
    "llm_exe_aws::ports",
    "llm_exe_aws::s3::client",
    "llm_exe::prompt::helpers::find_builtin",
    "llm_exe::providers::failure::is_aborted",
    "llm_exe::providers::lenient::optional_count",
    "llm_exe::providers::lenient::push_usage",
    "llm_exe::providers::openai_responses::apis",
    "llm_exe::schema::draft_2020_12::to_draft_2020_12",
    "llm_exe::schema::form::write_description",
    "llm_exe::scrub::encoded::contains_part",
    "llm_exe::scrub::is_plain",
    "llm_exe::web_config::WebConfigFetcher",
    "ring::digest",
    "ring::polyfill",
];

#[expect(clippy::disallowed_methods, reason = "cargo passes its values in variables")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS")? == "linux" && env::var("PROFILE")? == "release" {
        let script = Path::new(&env::var("OUT_DIR")?).join("function-order.ld");
        fs::write(&script, linker_script())?;
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
    Ok(())
}

/// A function is placed by the first pattern that matches the name of its section.
fn linker_script() -> String {
    format!(
        "SECTIONS {{\n.text.frequent : {{\n{}}}\n.text.rare : {{\n{}}}\n}}\nINSERT AFTER .text;\n",
        patterns(FREQUENT),
        patterns(RARE)
    )
}

/// Matches the symbols of a path, and those of implementations for its types: `llm_exe::scrub` is
/// `7llm_exe5scrub` in the former, and `llm_exe..scrub` in the latter.
fn patterns(paths: &[&str]) -> String {
    let pattern = |path: &&str| {
        let symbol: String = path.split("::").map(|part| format!("{}{part}", part.len())).collect();
        let type_name = path.replace("::", "..");
        format!("*(.text.*{symbol}* .text.*$LT${type_name}..*)\n")
    };
    paths.iter().map(pattern).collect()
}
