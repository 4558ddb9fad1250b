//! Shared items of the tables of model capabilities, which are in the `models.rs` of each dialect.
//!
//! In a table the first row whose pattern matches a model applies. The last row matches every name
//! and describes the newest models, so that unknown models work without a release.

mod describe;

pub use describe::{Capability, capabilities, capability_of};

/// When a model accepts sampling options such as `temperature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SamplingSupport {
    /// Always.
    Always,
    /// `temperature` or `topP`, but not both.
    OneOf,
    /// Only without reasoning, that is with `effort: "none"`.
    WithoutReasoning,
    /// Never.
    Never,
}

/// All values of `effort`, in ascending order.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Returns the value of `supported` to send for `effort`: the next higher one, or else the highest.
/// Returns `None` if `effort` is `none` and the model always reasons.
pub(crate) fn nearest_effort(effort: &str, supported: &[&'static str]) -> Option<&'static str> {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    if effort == "none" {
        return supported.iter().find(|known| **known == "none").copied();
    }
    let next_higher = supported.iter().find(|known| rank(known) >= rank(effort));
    next_higher.or(supported.last()).copied().filter(|known| *known != "none")
}
