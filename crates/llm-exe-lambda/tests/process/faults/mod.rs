//! Fault-injection tests with killed processes, failures, delays and timeouts. They check that
//! results are stored, that failed records are reported, and that requests with a stored result are
//! not run again.

mod destinations;
mod fifo;
mod functions;
mod keys;
mod kills;
mod loops;
mod offloading;
mod providers;
mod stores;
mod time;
