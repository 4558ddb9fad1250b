//! Finds the Lambda binary that a test starts: the deployed build if `SHIPPED_FUNCTION` is set,
//! otherwise the one that `cargo test` built.
//!
//! `SHIPPED_FUNCTION` is the folder into which `scripts/lib/tools.sh` unpacks the zips of
//! cargo-lambda.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

const VARIABLE: &str = "SHIPPED_FUNCTION";

/// A build of the Lambda binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The build that is deployed.
    Deployed,
    /// The same build with the test-only feature `panic-on-demand`.
    PanicOnDemand,
}

impl Build {
    fn path(self) -> &'static str {
        match self {
            Build::Deployed => "llm-exe-lambda/bootstrap",
            Build::PanicOnDemand => "panic-on-demand/llm-exe-lambda/bootstrap",
        }
    }
}

/// Returns the path of the Lambda binary to test and prints it to standard error, once per process.
/// `built` is the binary that `cargo test` built, if it has the features of `build`.
///
/// # Errors
/// Fails if `SHIPPED_FUNCTION` is set and its folder does not contain the build, or if it is not
/// set and `built` is `None`.
pub fn lambda(build: Build, built: Option<&str>) -> Result<PathBuf, String> {
    #[expect(clippy::disallowed_methods, reason = "the scripts pass the folder")]
    let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    let program = choose(build, folder.as_deref().map(Path::new), built)?;
    static PRINTED: Once = Once::new();
    PRINTED.call_once(|| print(folder.is_some(), &program));
    Ok(program)
}

fn choose(build: Build, folder: Option<&Path>, built: Option<&str>) -> Result<PathBuf, String> {
    let Some(folder) = folder else {
        return built.map(PathBuf::from).ok_or_else(|| {
            format!(
                "{VARIABLE} is not set and cargo test did not build the {build:?} binary; run \
                 ./scripts/check --shipped, or enable the features that the test needs"
            )
        });
    };
    let program = folder.join(build.path());
    if !program.is_file() {
        let program = program.display();
        return Err(format!(
            "{VARIABLE}: {program} does not exist; run ./scripts/check --shipped, which builds it"
        ));
    }
    Ok(program)
}

/// Prints which binary is tested. Writes directly to standard error, because the test harness hides
/// the output of `eprintln!` if a test passes.
fn print(is_shipped: bool, program: &Path) {
    let origin = if is_shipped { "cargo lambda build" } else { "cargo test" };
    let bytes = std::fs::metadata(program).map_or(0, |metadata| metadata.len());
    let program = program.display();
    // Ignore errors, because the line is for information only.
    let _ = writeln!(
        std::io::stderr().lock(),
        "tested function: built by {origin}, {bytes} bytes, {program}"
    );
}

#[cfg(test)]
mod tests {
    use super::{Build, choose};
    use std::path::Path;

    #[test]
    fn shipped_build_that_does_not_exist_is_an_error() {
        let folder = Some(Path::new("/nowhere"));
        for (build, path) in [
            (Build::Deployed, "/nowhere/llm-exe-lambda/bootstrap does not exist"),
            (Build::PanicOnDemand, "/nowhere/panic-on-demand/llm-exe-lambda/bootstrap does not"),
        ] {
            let error = choose(build, folder, Some("/built")).unwrap_err();
            assert!(error.contains(path) && error.contains("SHIPPED_FUNCTION"), "{error}");
        }
    }

    #[test]
    fn build_of_cargo_test_is_used_without_the_variable() {
        let program = choose(Build::Deployed, None, Some("/built"));
        assert_eq!(program.as_deref(), Ok(Path::new("/built")));
    }

    #[test]
    fn build_with_other_features_is_not_used() {
        let error = choose(Build::PanicOnDemand, None, None).unwrap_err();
        assert!(error.contains("PanicOnDemand"), "{error}");
    }
}
