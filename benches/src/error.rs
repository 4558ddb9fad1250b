//! The error type of the benchmarks.

/// Any error that ends the benchmark before it prints a table.
pub(crate) type Error = Box<dyn std::error::Error>;
