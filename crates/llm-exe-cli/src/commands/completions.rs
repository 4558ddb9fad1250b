//! Generates the completion scripts of the command `llm-exe completions`.

use clap::{Arg, CommandFactory, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::args::Args;

/// The prefix of the subcommands' names in the part of a bash script that reads the command line,
/// and the prefix in the part that completes words. They should be equal, but differ for programs
/// with a hyphen in their name: <https://github.com/clap-rs/clap/issues/6421>
const BASH_PREFIXES: (&str, &str) = ("llm__exe__subcmd__", "llm__subcmd__exe__subcmd__");

/// Returns the completion script for a shell.
pub(super) fn script(shell: Shell) -> String {
    let script = generated_script(shell);
    match shell {
        Shell::Bash => {
            let (read, completed) = BASH_PREFIXES;
            script.replace(completed, read)
        }
        Shell::Fish => script + &fish_shells(),
        _ => script,
    }
}

/// Returns the line that completes the names of shells in fish, for which clap_complete generates
/// only options and commands.
fn fish_shells() -> String {
    let names = Shell::value_variants().iter().map(ToString::to_string);
    let names = names.collect::<Vec<_>>().join(" ");
    let condition = "__fish_llm_exe_using_subcommand completions";
    format!("complete -c llm-exe -n \"{condition}\" -f -a \"{names}\"\n")
}

fn generated_script(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = Args::command().mut_subcommands(|command| command.mut_args(with_hint));
    clap_complete::generate(shell, &mut command, "llm-exe", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Prevents shells from offering files as the value of an argument that is not a path.
fn with_hint(argument: Arg) -> Arg {
    let has_value = argument.get_action().takes_values();
    let is_free_text = argument.get_possible_values().is_empty();
    if has_value && is_free_text && argument.get_value_hint() == ValueHint::Unknown {
        return argument.value_hint(ValueHint::Other);
    }
    argument
}

#[cfg(test)]
mod tests {
    use super::{BASH_PREFIXES, generated_script, script};
    use clap_complete::Shell;

    /// If this test fails, clap_complete generates correct names, and [`script`] need not replace
    /// them any more.
    #[test]
    fn generated_bash_script_has_different_names_for_subcommands() {
        let (read, completed) = BASH_PREFIXES;
        let generated = generated_script(Shell::Bash);
        assert!(generated.contains(read) && generated.contains(completed), "{generated}");
        assert!(!script(Shell::Bash).contains(completed));
    }
}
