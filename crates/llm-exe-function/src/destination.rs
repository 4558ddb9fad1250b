//! The S3 objects, SQS queues and EventBridge buses that results are stored in or sent to.

use std::fmt;
use std::sync::Arc;

use llm_exe::hosted::check_bucket;
use llm_exe::{InvalidDestination, ParsedDestination, ResultDestination, check_region, json};

/// Maximum length of a prefix in bytes, which leaves room for the object names. S3 allows keys of
/// at most 1,024 bytes.
const MAX_PREFIX_BYTES: usize = 512;

/// An S3 bucket and a key prefix, written as `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPrefix {
    /// The bucket's name.
    pub bucket: String,
    /// The key prefix without a trailing slash. It may be empty.
    pub prefix: String,
}

impl ResultPrefix {
    /// Parses `s3://bucket/prefix`.
    ///
    /// # Errors
    /// Returns a message with the expected format and the received value.
    pub fn parse(text: &str) -> Result<ResultPrefix, String> {
        let expected = || format!("expected s3://bucket/prefix, got {}", json::quoted(text));
        let rest = text.strip_prefix("s3://").ok_or_else(expected)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        check_bucket(bucket).map_err(|reason| format!("{}: {reason}", expected()))?;
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
        let is_valid = prefix.len() <= MAX_PREFIX_BYTES
            && !prefix.chars().any(|c| c.is_control() || matches!(c, '?' | '#'))
            && (prefix.is_empty() || prefix.split('/').all(is_plain));
        if !is_valid {
            return Err(expected());
        }
        Ok(ResultPrefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Returns the location of the object with this name below the prefix.
    pub fn object(&self, name: &str) -> ResultPlace {
        let key = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        ResultPlace { bucket: self.bucket.clone(), key }
    }

    /// Returns the prefix as a URL with a trailing slash.
    pub fn folder(&self) -> String {
        let url = self.to_string();
        if url.ends_with('/') { url } else { url + "/" }
    }

    /// Returns true if the object is below the prefix.
    pub fn contains(&self, bucket: &str, key: &str) -> bool {
        let rest = key.strip_prefix(&self.prefix);
        let is_below = |rest: &str| self.prefix.is_empty() || rest.starts_with('/');
        bucket == self.bucket && rest.is_some_and(is_below)
    }
}

impl fmt::Display for ResultPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// The location of the S3 object that stores a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResultPlace {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key without percent-encoding.
    pub key: String,
}

impl fmt::Display for ResultPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A destination that results are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// An object below this prefix.
    Objects(ResultPrefix),
    /// A message in an SQS queue.
    Queue(Queue),
    /// An event on an EventBridge bus.
    Bus(Bus),
}

/// An SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The queue URL, exactly as in the setting or request.
    pub url: String,
    /// The AWS region, if it is part of the URL's host name.
    pub region: Option<String>,
    /// The id of the AWS account that owns the queue.
    pub account: String,
    /// The name of the queue. The name of a FIFO queue ends in `.fifo`.
    pub name: String,
}

/// An EventBridge bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// The ARN of the event bus.
    pub arn: String,
    /// The AWS region of the event bus.
    pub region: String,
}

impl Destination {
    /// Parses a queue URL, an event bus ARN, or `s3://bucket/prefix`.
    ///
    /// # Errors
    /// Returns a message with the expected formats and the received value.
    pub fn parse(text: &str) -> Result<Destination, String> {
        if text.starts_with("s3://") {
            return ResultPrefix::parse(text).map(Destination::Objects);
        }
        let parsed = if text.starts_with("arn:") {
            parse_bus(text).map(Destination::Bus)
        } else {
            parse_queue(text).map(Destination::Queue)
        };
        parsed.ok_or_else(|| {
            let received = json::quoted(text);
            format!(
                "expected a queue URL like https://sqs.eu-central-1.amazonaws.com/123456789012/\
                 results, an event bus ARN like arn:aws:events:eu-central-1:123456789012:event-bus/\
                 results, or s3://bucket/prefix, got {received}"
            )
        })
    }

    /// Parses the `destination` field of a request. The function passes this parser to the runner
    /// as its [`llm_exe::DestinationParser`].
    pub(crate) fn parse_field(text: &str) -> Result<ParsedDestination, InvalidDestination> {
        let destination = Destination::parse(text).map_err(InvalidDestination::new)?;
        Ok(Arc::new(destination))
    }
}

impl ResultDestination for Destination {
    fn matches_arn(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match (self, parts.as_slice()) {
            (Destination::Bus(bus), _) => bus.arn == arn,
            (Destination::Objects(objects), ["arn", _, "s3", _, _, bucket]) => {
                objects.bucket == *bucket
            }
            (Destination::Queue(queue), ["arn", _, "sqs", region, account, name]) => {
                let is_same_region = queue.region.as_deref().is_none_or(|known| known == *region);
                is_same_region && queue.account == *account && queue.name == *name
            }
            _ => false,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Objects(prefix) => prefix.fmt(f),
            Destination::Queue(queue) => f.write_str(&queue.url),
            Destination::Bus(bus) => f.write_str(&bus.arn),
        }
    }
}

impl Queue {
    /// Returns true if this is a FIFO queue.
    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }
}

fn parse_queue(text: &str) -> Option<Queue> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let is_host = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let base_name = name.strip_suffix(".fifo").unwrap_or(name);
    let is_valid = matches!(scheme, "https" | "http")
        && is_host
        && is_account(account)
        && (1..=80).contains(&name.len())
        && !base_name.is_empty()
        && base_name.bytes().all(is_word);
    let region = host.strip_prefix("sqs.").and_then(|rest| rest.split_once(".amazonaws.com"));
    let region = region.map(|(region, _)| region.to_owned());
    let region = region.filter(|region| check_region(region).is_ok());
    let (account, name) = (account.to_owned(), name.to_owned());
    is_valid.then(|| Queue { url: text.to_owned(), region, account, name })
}

fn parse_bus(text: &str) -> Option<Bus> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "events", region, account, resource] = parts.as_slice() else {
        return None;
    };
    let name = resource.strip_prefix("event-bus/")?;
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let is_valid = partition.starts_with("aws")
        && check_region(region).is_ok()
        && is_account(account)
        && (1..=256).contains(&name.len())
        && name.bytes().all(is_word);
    is_valid.then(|| Bus { arn: text.to_owned(), region: (*region).to_owned() })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
