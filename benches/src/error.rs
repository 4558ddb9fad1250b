//! The error type of the benchmarks.

/// Any error of the benchmark, which then does not print a table.
pub(crate) type Error = Box<dyn std::error::Error>;
