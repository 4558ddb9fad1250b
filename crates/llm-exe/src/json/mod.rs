//! Parses JSON and describes JSON values in error messages.
//!
//! The parser is serde_json, which accepts at most 127 levels of nesting. It is configured to
//! preserve the order of keys. With the feature `exact-numbers`, it also preserves all digits of
//! numbers. Without the feature, a number that would lose digits is an error.

mod decimal;
mod describe;
mod finite;
mod hash;
mod located_value;
mod lossy;
mod near_json;
mod number;
mod object;
mod parse;
mod reader;
mod size;

/// Maximum nesting depth of lists and objects, which is the limit of the parser.
pub(crate) const MAX_DEPTH: usize = 127;

pub(crate) use decimal::Decimal;
pub use describe::{quoted, shown, type_name};
pub(crate) use finite::to_value;
pub(crate) use hash::update_tolerant_hash;
pub use hash::{hash_json, hash_request};
pub(crate) use located_value::{Findings, LocatedValue, Segment, ValuePath, read};
pub(crate) use lossy::parse_lossy;
pub(crate) use near_json::{Deviation, NearJson, parse_near};
pub(crate) use number::{
    LossyNumber, NumberError, WrittenNumbers, parse_number, reword_for_model, stores_text,
};
pub(crate) use object::{find_field, find_field_mut, object};
pub use parse::{JsonError, describe_error, parse};
pub(crate) use parse::{parse_unique, strip_position};
pub(crate) use size::{MAX_VALUES, find_excess_value};
