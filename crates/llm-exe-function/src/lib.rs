//! The function without the Lambda runtime. It handles an event and returns the response that the
//! event source expects, together with a log line.
//!
//! The Lambda binary and `llm-exe serve` both use this crate. They supply the events, the settings
//! and the clients of the AWS services.

mod auth;
mod batch;
pub mod destination;
mod function;
mod log_line;
mod metric_tags;
mod outcome;
pub mod ports;
mod record_result;
mod response;
mod results;
mod settings;
mod streaming;
mod traces;

pub use function::{Function, HandledEvent};
pub use log_line::LogLine;
pub use record_result::RecordResult;
pub use settings::{
    AwsSettings, LogLevel, REGION_VARIABLES, ResultSettings, SettingRow, Settings, SettingsError,
    TraceSettings, aws_region, misspelled_settings, setting_rows,
};
pub use streaming::{ResponseBody, ResponseSender, StartedResponse, StreamedRun, start_response};
pub use traces::Sampler;
