//! The function, whoever runs it: Lambda, or `llm-exe serve` on a laptop.
//!
//! In: an event's bytes. Out: the answer that its source expects, and one log line. The binaries
//! around it only differ in where events come from and where settings are read.

mod auth;
mod batch;
mod function;
mod keys;
mod log_line;
mod outcome;
mod record_result;
mod response;
mod results;
mod settings;

pub use function::{Answered, Function};
pub use keys::EnvironmentKeys;
pub use log_line::LogLine;
pub use record_result::RecordResult;
pub use settings::{
    AwsSettings, LogLevel, ResultSettings, SETTINGS, SettingRow, Settings, SettingsError,
};
