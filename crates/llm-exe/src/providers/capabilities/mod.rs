//! The capabilities of models: what a model accepts and supports, as data.
//!
//! `models.rs` contains the tables, which `scripts/models` writes from `data/models.toml`, and
//! `rows.rs` the types of their rows. A model uses the first row with a pattern that matches its
//! name. The last row of each table matches every name, so new models work without a new release of
//! this crate.

mod describe;
pub(crate) mod efforts;
mod model_rows;
pub(crate) mod models;
pub(crate) mod rows;
mod table;

pub use describe::Capability;
pub(crate) use efforts::{EFFORTS, Efforts, is_effort};
pub(crate) use model_rows::ModelRows;
pub(crate) use rows::FeatureSupport;
pub use table::ModelTable;
pub(crate) use table::Table;
