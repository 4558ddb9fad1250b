//! Kills, failures, delays and timeouts: results are stored, failed records are reported, and no
//! request with a stored result is run again.

mod destinations;
mod fifo;
mod keys;
mod kills;
mod loops;
mod offloading;
mod providers;
mod stores;
mod time;
