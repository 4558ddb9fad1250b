//! The `llm-exe render` command, which prints the HTTP request for the provider without the API
//! key.

use std::process::ExitCode;
use std::time::Duration;

use llm_exe::error::shorten;
use llm_exe::prompt::Limits;
use llm_exe::{ChainStep, Deadline, Part, Plan, Run};
use serde_json::json;

use crate::args::{PlanFormat, Render};
use crate::environment::{Environment, KeySource};
use crate::{output, overrides};

/// The number of characters of an image's URL to print. The URL can contain the image.
const MAX_URL_CHARS: usize = 200;

/// Runs the command and returns its exit code.
pub(crate) async fn run(args: Render) -> ExitCode {
    let environment = match Environment::read(KeySource::None).await {
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
    if let Some(format) = args.plan {
        return match runner.plan(deadline, input.take_request()).await {
            Ok(plan) => {
                for warning in input.warnings.iter().chain(&plan.warnings) {
                    output::print_warning(warning, args.json);
                }
                print_plan(&plan, format)
            }
            Err(error) => output::print_error(&input.label(error), false),
        };
    }
    let needs_plan = args.messages || !args.source.data.is_empty();
    let plan = if needs_plan { Some(input.request.clone()) } else { None };
    let plan = match plan {
        Some(request) => runner.plan(deadline, request).await.ok(),
        None => None,
    };
    if args.messages && plan.as_ref().is_some_and(|plan| !plan.chain_steps().is_empty()) {
        let text = "--messages: the request is a chain, whose messages depend on the results of \
                    its steps; use --plan, or render without --messages";
        return output::print_startup_error(text, args.json);
    }
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

/// Prints the steps of a chain.
fn print_plan(plan: &Plan, format: PlanFormat) -> ExitCode {
    let steps = plan.chain_steps();
    if steps.is_empty() {
        return output::print("The request has no steps.");
    }
    let mut lines = Vec::new();
    match format {
        PlanFormat::Text => add_text(&steps, "", &mut lines),
        PlanFormat::Mermaid => {
            lines.push("flowchart TD".to_owned());
            add_mermaid(&steps, "", &mut lines);
        }
    }
    output::print(&lines.join("\n"))
}

/// Adds a line for each step.
fn add_text(steps: &[ChainStep], indent: &str, lines: &mut Vec<String>) {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    for step in steps {
        let mut notes = Vec::new();
        match step.waits_for.as_slice() {
            [] => notes.push("starts at once".to_owned()),
            names => notes.push(format!("after {}", names.join(", "))),
        }
        notes.extend(notes_of(step));
        lines.push(format!("{indent}{:width$}  {}", step.name, notes.join("; ")));
        add_text(&step.steps, &format!("{indent}  "), lines);
    }
}

fn notes_of(step: &ChainStep) -> Vec<String> {
    let condition = step.is_conditional.then(|| "if its condition is true".to_owned());
    let each = step.each.as_ref().map(|path| format!("for each item of {path}"));
    let repeat = step.max_runs.map(|max| format!("at most {max} times"));
    condition.into_iter().chain(each).chain(repeat).collect()
}

/// Adds the nodes and arrows of a Mermaid flow chart. `parent` is the id of the steps around them.
fn add_mermaid(steps: &[ChainStep], parent: &str, lines: &mut Vec<String>) {
    // A word such as `end` is not a valid id, and ids of names could be the same.
    let id = |index: usize| match parent {
        "" => format!("s{index}"),
        _ => format!("{parent}_{index}"),
    };
    for (index, step) in steps.iter().enumerate() {
        let notes = notes_of(step).into_iter().map(|note| escape_label(&note));
        let label: Vec<String> = std::iter::once(step.name.clone()).chain(notes).collect();
        let (own, label) = (id(index), label.join("<br>"));
        if step.steps.is_empty() {
            lines.push(format!("  {own}[\"{label}\"]"));
        } else {
            lines.push(format!("  subgraph {own}[\"{label}\"]"));
            add_mermaid(&step.steps, &own, lines);
            lines.push("  end".to_owned());
        }
        let index_of = |name: &String| steps.iter().position(|other| other.name == *name);
        let waits_for = step.waits_for.iter().filter_map(index_of);
        lines.extend(waits_for.map(|index| format!("  {} --> {own}", id(index))));
    }
}

/// Escapes the characters of a label that Mermaid reads as its own syntax or as HTML.
fn escape_label(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | ';' | '`' => {
                escaped.push_str(&format!("#{};", u32::from(character)));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
