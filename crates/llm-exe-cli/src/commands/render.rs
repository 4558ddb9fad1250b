//! The `llm-exe render` command, which prints the HTTP request for the provider without the API
//! key.

use std::process::ExitCode;
use std::time::Duration;

use llm_exe::error::shorten;
use llm_exe::prompt::Limits;
use llm_exe::{Deadline, Part, Plan, Run};
use serde_json::json;

use crate::args::Render;
use crate::environment::{Environment, KeySource};
use crate::{output, overrides};

/// The number of characters of an image's URL to print. The URL can contain the image.
const MAX_URL_CHARS: usize = 200;

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: Render) -> ExitCode {
    let environment = match Environment::read(KeySource::None, &[]).await {
        Ok(environment) => environment,
        Err(message) => return output::print_startup_error(&message, args.json),
    };
    environment.print_warnings(args.json);
    let providers = &environment.settings.rules.providers;
    let mut input = match overrides::read_request(&args.source, providers) {
        Ok(input) => input,
        Err(error) => return output::print_input_error(&error, args.json),
    };
    let runner = environment.runner_for(&args.source.file);
    let deadline = Deadline::after(Duration::from_secs(60));
    let needs_plan = args.messages || !args.source.data.is_empty();
    let plan = if needs_plan { Some(input.request.clone()) } else { None };
    let plan = match plan {
        Some(request) => runner.plan(deadline, request).await.ok(),
        None => None,
    };
    // The dry run also reports the problems that the provider has with the messages.
    let Run { outcome, report } = runner.dry_run(deadline, input.take_request()).await;
    if !args.json {
        let unused = plan.as_ref().map(|plan| overrides::unused_data_warnings(plan, &args.source));
        let warnings = input.warnings.iter().chain(&report.warnings);
        for warning in warnings.chain(unused.iter().flatten()) {
            output::print_warning(warning, args.json);
        }
    }
    match (outcome, plan.filter(|_| args.messages)) {
        (Ok(_), Some(plan)) => print_messages(&plan, args.json),
        (Ok(value), None) => output::print_result(&value, args.json),
        (Err(error), _) => output::print_error(&input.label(error), args.json),
    }
}

/// Prints the rendered messages, as text with a heading for each role or as a JSON array.
fn print_messages(plan: &Plan, as_json: bool) -> ExitCode {
    let chat = match plan.render(&Limits::default()) {
        Ok(chat) => chat,
        Err(error) => return output::print_error(&error, as_json),
    };
    if as_json {
        return output::print(&json!(chat.messages).to_string());
    }
    let messages = chat.messages.iter().map(|message| {
        let parts = message.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Media(media) => format!("[image: {}]", shorten(&media.url, MAX_URL_CHARS)),
            part => json!(part).to_string(),
        });
        let parts: Vec<String> = parts.collect();
        format!("[{}]\n{}", message.role.name(), parts.join("\n"))
    });
    output::print(&messages.collect::<Vec<_>>().join("\n\n"))
}
