//! Runs a function under valgrind's callgrind, which counts the instructions that a process
//! executes in user mode, and reads the profile that it writes.
//!
//! The format of profiles: <https://valgrind.org/docs/manual/cl-format.html>.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;

/// The functions of the C library that allocate a block of memory. `realloc` is not counted,
/// because it resizes a block that was counted before.
const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "posix_memalign", "aligned_alloc", "memalign"];

/// The work of a process from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) instructions: u64,
    /// The number of calls to functions of [`ALLOCATORS`].
    pub(crate) allocations: u64,
}

/// Returns an error that explains how to install valgrind if it is missing.
pub(crate) fn check_installed() -> Result<(), Error> {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if version.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err("valgrind was not found: it counts instructions; install it with `apt-get install \
         valgrind` or `dnf install valgrind`"
        .into())
}

/// Returns the command that runs a program, which follows as its arguments, and writes the profile
/// to a file when the program ends.
pub(crate) fn command(profile: &Path) -> Vec<OsString> {
    let mut file = OsString::from("--callgrind-out-file=");
    file.push(profile);
    vec!["valgrind".into(), "--quiet".into(), "--tool=callgrind".into(), file]
}

/// Reads the counts in a profile.
pub(crate) fn parse(profile: &str) -> Result<Counts, Error> {
    let mut names = HashMap::new();
    let mut is_allocator = false;
    let mut instructions = None;
    let mut allocations = 0;
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let name = resolve(&mut names, name);
            is_allocator = line.starts_with('c') && ALLOCATORS.contains(&name);
        } else if let Some(call) = line.strip_prefix("calls=") {
            if is_allocator {
                allocations += first_number(call)?;
            }
        } else if let Some(total) = line.strip_prefix("totals:") {
            instructions = Some(first_number(total)?);
        }
    }
    let instructions = instructions.ok_or("the profile of callgrind has no totals")?;
    Ok(Counts { instructions, allocations })
}

/// Returns the name of a function. A profile contains each name once, as `(id) name`, and later
/// only `(id)`. A recursive function has a suffix, as in `malloc'2`.
fn resolve<'a>(names: &mut HashMap<&'a str, &'a str>, text: &'a str) -> &'a str {
    let (id, name) = text.split_once(' ').unwrap_or((text, ""));
    let name = name.split('\'').next().unwrap_or_default();
    if !name.is_empty() {
        names.insert(id, name);
    }
    names.get(id).copied().unwrap_or_default()
}

fn first_number(text: &str) -> Result<u64, Error> {
    let number = text.split_whitespace().next().ok_or("the profile of callgrind lacks a number")?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::{Counts, parse};

    #[test]
    fn calls_of_allocators_are_added_up() {
        let profile = "\
events: Ir
fl=(1) ???
fn=(1) main
0 20
cob=(3) libc.so.6
cfi=(2) ???
cfn=(2) malloc
calls=7 0
0 700
cfn=(3) free
calls=5 0
0 50
fn=(4) run
cfn=(2)
calls=2 0
0 200
cfn=(5) calloc'2
calls=1 0
0 90
fn=(2)
0 900
totals: 1060
";
        let counts = parse(profile).unwrap();
        assert_eq!(counts, Counts { instructions: 1060, allocations: 10 });
    }

    #[test]
    fn incomplete_profile_is_an_error() {
        assert!(parse("events: Ir\nfn=(1) main\n0 20\n").is_err());
        assert!(parse("cfn=(1) malloc\ncalls=many 0\ntotals: 1\n").is_err());
    }
}
