//! Names of models that no client knows.

/// Returns the name of the model whose capabilities a model has. Everything up to `--` in a name is
/// ignored, so that `acme--gpt-5.1` is a model that no client knows.
pub(crate) fn without_alias(name: &str) -> &str {
    name.rsplit_once("--").map_or(name, |(_, name)| name)
}
