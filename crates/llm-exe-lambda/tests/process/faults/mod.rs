//! The process with faults: killed, refused, delayed, out of time. What was answered is kept, what
//! was not is reported, and nothing that is known is asked again.

mod destinations;
mod fifo;
mod keys;
mod kills;
mod loops;
mod offloading;
mod providers;
mod stores;
mod time;
