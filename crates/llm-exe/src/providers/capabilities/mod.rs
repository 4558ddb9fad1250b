//! The capabilities of models: what a model accepts and supports, as data.
//!
//! `models.rs` contains the tables, which `scripts/models` writes from `data/models.toml`, and
//! `rows.rs` the types of their rows. A model uses the first row with a pattern that matches its
//! name. The last row of each table matches every name, so new models work without a new release of
//! this crate.

mod describe;
pub(crate) mod models;
pub(crate) mod rows;
mod table;

use crate::glob::matches;

pub use describe::Capability;
pub(crate) use rows::FeatureSupport;
pub use table::ModelTable;
pub(crate) use table::Table;

/// Returns whether one of a row's patterns, which are separated by spaces, matches a name.
pub(crate) fn is_match(patterns: &str, name: &str) -> bool {
    patterns.split(' ').any(|pattern| matches(pattern, name))
}

/// All values of `effort`, in ascending order.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Returns the lowest supported value that is at least `effort`, or the highest supported value if
/// all are lower.
pub(crate) fn nearest_effort(effort: &str, supported: &[&'static str]) -> Option<&'static str> {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    let next_higher = supported.iter().find(|known| rank(known) >= rank(effort));
    next_higher.or(supported.last()).copied()
}
