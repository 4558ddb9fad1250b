//! The error type of the benchmarks.

/// Any error; the benchmark then prints no table.
pub(crate) type Error = Box<dyn std::error::Error>;
