//! Shared code for the model capability tables. The tables themselves are in the `models.rs` of
//! each dialect.
//!
//! A model uses the first row whose pattern matches its name. The last row of each table matches
//! every name, so new models work without a new release of this crate.

mod describe;
mod table;

pub use describe::Capability;
pub use table::ModelTable;
pub(crate) use table::Table;

/// When a model supports a feature: sampling options such as `temperature`, or tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeatureSupport {
    /// The feature is always supported.
    Always,
    /// Either `temperature` or `topP` is accepted, but not both together.
    OneOf,
    /// The feature is supported only if reasoning is turned off with `effort: "none"`.
    WithoutReasoning,
    /// The feature is never supported.
    Never,
}

/// All values of `effort`, in ascending order.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Returns the lowest supported value that is at least `effort`, or the highest supported value if
/// all are lower. Returns `None` if `effort` is `none` and the model always reasons.
pub(crate) fn nearest_effort(effort: &str, supported: &[&'static str]) -> Option<&'static str> {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    if effort == "none" {
        return supported.iter().find(|known| **known == "none").copied();
    }
    let next_higher = supported.iter().find(|known| rank(known) >= rank(effort));
    next_higher.or(supported.last()).copied().filter(|known| *known != "none")
}
