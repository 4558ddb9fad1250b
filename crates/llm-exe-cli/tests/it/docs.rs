//! Compares the tables of docs/cli.md with the definitions of the arguments, and checks that every
//! flag is tested. `scripts/update` rewrites the tables.

use std::path::Path;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory};
use llm_exe_testkit::generated::check_table;

#[path = "../../src/args.rs"]
#[allow(dead_code, reason = "the tests read only the definitions of the arguments")]
mod args;

const PAGE: &str = "docs/cli.md";

fn commands() -> Vec<Command> {
    let mut program = args::Args::command().disable_help_subcommand(true);
    program.build();
    program.get_subcommands().cloned().collect()
}

fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    let flags = command.get_arguments().filter(|argument| !argument.is_positional());
    flags.filter(|flag| flag.get_id() != "help" && flag.get_id() != "version")
}

/// Formats a help text as a cell of a table. clap removes the final dot of short texts.
fn cell(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    format!("{}.", text.trim_end_matches('.'))
}

/// Returns the names of an argument's values, or nothing for a flag without a value.
fn value_names(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    if argument.get_action().takes_values() { names.join(" ") } else { String::new() }
}

#[test]
fn table_of_commands_is_up_to_date() {
    let mut table = vec![vec!["command".to_owned(), "description".to_owned()]];
    for command in commands() {
        let mut usage = format!("llm-exe {}", command.get_name());
        for argument in command.get_positionals() {
            usage += &format!(" {}", value_names(argument));
            if argument.get_num_args().is_some_and(|range| range.max_values() > 1) {
                usage += "…";
            }
        }
        let about = command.get_long_about().or(command.get_about());
        table.push(vec![format!("`{usage}`"), cell(about)]);
    }
    check_table(PAGE, "commands", &table).unwrap();
}

#[test]
fn table_of_flags_is_up_to_date() {
    let mut table = vec![vec!["command".to_owned(), "flag".to_owned(), "description".to_owned()]];
    for command in commands() {
        for flag in flags(&command) {
            let short = flag.get_short().map(|letter| format!("-{letter}, "));
            let (short, long) = (short.unwrap_or_default(), flag.get_long().unwrap());
            let usage = format!("{short}--{long} {}", value_names(flag));
            let mut text = cell(flag.get_long_help().or(flag.get_help()));
            if let Some(variable) = flag.get_env() {
                text += &format!(" Can be set with `{}`.", variable.to_str().unwrap());
            }
            if let [value] = flag.get_default_values()
                && flag.get_action().takes_values()
            {
                text += &format!(" Default: {}.", value.to_str().unwrap());
            }
            let command = format!("`{}`", command.get_name());
            table.push(vec![command, format!("`{}`", usage.trim_end()), text]);
        }
    }
    check_table(PAGE, "flags", &table).unwrap();
}

/// Returns the text of all files in a folder, except for this file.
fn text_of_files(folder: &Path) -> String {
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.is_file() && !path.ends_with("docs.rs"));
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_flag_is_tested() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let text = text_of_files(&tests.join("it")) + &text_of_files(&tests.join("cases"));
    for command in commands() {
        for flag in flags(&command) {
            let name = format!("\"--{}\"", flag.get_long().unwrap());
            assert!(
                text.contains(&name),
                "{} {name}: add a test to crates/llm-exe-cli/tests/it/",
                command.get_name()
            );
        }
    }
}
