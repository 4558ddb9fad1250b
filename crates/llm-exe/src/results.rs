//! Where results go that must not be lost: objects of S3 that keep them, and queues and buses
//! that are told of them.
//!
//! In: places as operators and requests write them. Out: places that are well-formed, and the
//! ports that reach them. Nothing here is reached; the function does that through the ports.

use std::fmt;

use bytes::Bytes;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::hosted::check_bucket;
use crate::json;
use crate::ports::PortFuture;
use crate::region::check_region;

/// Of an object that we wrote, the name of its metadata; its value is `result`.
pub const OWN_METADATA: &str = "llm-exe";

/// In what a destination is told, the field that says that it is of a result of ours; its value.
pub const OWN_MARK: &str = "llmExe";
/// The word that marks what is ours.
pub const OWN_WORD: &str = "result";

/// The longest prefix of keys: what we put behind it has to fit, too.
const LONGEST_PREFIX: usize = 512;

/// Objects of a bucket under a prefix: `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPrefix {
    /// The bucket's name.
    pub bucket: String,
    /// What keys begin with, without a slash at its end; may be empty.
    pub prefix: String,
}

impl ResultPrefix {
    /// Reads `s3://bucket/prefix`.
    ///
    /// # Errors
    /// What was expected, and what came.
    pub fn read(text: &str) -> Result<ResultPrefix, String> {
        let expected = || format!("expected s3://bucket/prefix, got {}", json::quoted(text));
        let rest = text.strip_prefix("s3://").ok_or_else(expected)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        check_bucket(bucket).map_err(|why| format!("{}: {why}", expected()))?;
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_plain = |piece: &str| !matches!(piece, "" | "." | "..");
        let fits = prefix.len() <= LONGEST_PREFIX
            && !prefix.chars().any(|c| c.is_control() || matches!(c, '?' | '#'))
            && (prefix.is_empty() || prefix.split('/').all(is_plain));
        if !fits {
            return Err(expected());
        }
        Ok(ResultPrefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// The object of this name under the prefix.
    pub fn object(&self, name: &str) -> ResultPlace {
        let key = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        ResultPlace { bucket: self.bucket.clone(), key }
    }

    /// The prefix as the objects' own addresses begin, with a slash at its end.
    pub fn folder(&self) -> String {
        let shown = self.to_string();
        if shown.ends_with('/') { shown } else { shown + "/" }
    }

    /// Whether an object is under the prefix.
    pub fn holds(&self, bucket: &str, key: &str) -> bool {
        let below = key.strip_prefix(&self.prefix);
        let is_below = |rest: &str| self.prefix.is_empty() || rest.starts_with('/');
        bucket == self.bucket && below.is_some_and(is_below)
    }
}

impl fmt::Display for ResultPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// An object that keeps a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResultPlace {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, as it is, not encoded.
    pub key: String,
}

impl fmt::Display for ResultPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Who is told of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// An object under this prefix.
    Objects(ResultPrefix),
    /// A message in an SQS queue.
    Queue(Queue),
    /// An event on an EventBridge bus.
    Bus(Bus),
}

/// An SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its URL, as SQS gave it.
    pub url: String,
    /// Its region, where the URL's host tells it.
    pub region: Option<String>,
    /// The account that owns it.
    pub account: String,
    /// Its name; one that ends in `.fifo` keeps the order.
    pub name: String,
}

/// An EventBridge bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bus {
    /// Its ARN.
    pub arn: String,
    /// Its region.
    pub region: String,
}

impl Destination {
    /// Reads a queue's URL, a bus's ARN, or `s3://bucket/prefix`.
    ///
    /// # Errors
    /// What was expected, and what came.
    pub fn read(text: &str) -> Result<Destination, String> {
        if text.starts_with("s3://") {
            return ResultPrefix::read(text).map(Destination::Objects);
        }
        let read = if text.starts_with("arn:") {
            bus(text).map(Destination::Bus)
        } else {
            queue(text).map(Destination::Queue)
        };
        read.ok_or_else(|| {
            let came = json::quoted(text);
            format!(
                "expected a queue's URL like https://sqs.eu-central-1.amazonaws.com/123456789012/\
                 results, a bus's ARN like arn:aws:events:eu-central-1:123456789012:event-bus/\
                 results, or s3://bucket/prefix, got {came}"
            )
        })
    }

    /// Whether it is what this ARN names: a queue, a bus, or the bucket of its objects.
    pub fn is_of(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match (self, parts.as_slice()) {
            (Destination::Bus(bus), _) => bus.arn == arn,
            (Destination::Objects(objects), ["arn", _, "s3", _, _, bucket]) => {
                objects.bucket == *bucket
            }
            (Destination::Queue(queue), ["arn", _, "sqs", region, account, name]) => {
                let same_region = queue.region.as_deref().is_none_or(|own| own == *region);
                same_region && queue.account == *account && queue.name == *name
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
    /// Whether messages keep their order.
    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }
}

fn queue(text: &str) -> Option<Queue> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let host_fits = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let plain = name.strip_suffix(".fifo").unwrap_or(name);
    let fits = matches!(scheme, "https" | "http")
        && host_fits
        && is_account(account)
        && (1..=80).contains(&name.len())
        && !plain.is_empty()
        && plain.bytes().all(is_word);
    let region = host.strip_prefix("sqs.").and_then(|rest| rest.split_once(".amazonaws.com"));
    let region = region.map(|(region, _)| region.to_owned());
    let region = region.filter(|region| check_region(region).is_ok());
    let (account, name) = (account.to_owned(), name.to_owned());
    fits.then(|| Queue { url: text.to_owned(), region, account, name })
}

fn bus(text: &str) -> Option<Bus> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "events", region, account, resource] = parts.as_slice() else {
        return None;
    };
    let name = resource.strip_prefix("event-bus/")?;
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let fits = partition.starts_with("aws")
        && check_region(region).is_ok()
        && is_account(account)
        && (1..=256).contains(&name.len())
        && name.bytes().all(is_word);
    fits.then(|| Bus { arn: text.to_owned(), region: (*region).to_owned() })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is stored at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// All of it.
    pub body: Bytes,
    /// What names this state of it, quotes included.
    pub etag: String,
}

/// When an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// If there is none yet.
    Absent,
    /// If it is still what this ETag names.
    Unchanged(String),
    /// Whatever there is.
    Always,
}

/// What came of writing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrote {
    /// It is written; its ETag, where the store tells one.
    Done(Option<String>),
    /// The condition does not hold. After a connection broke that may be our own first try: who
    /// must know reads the object.
    Unmet,
}

/// Where results are kept.
pub trait ResultStore: Send + Sync {
    /// What is at a place; `None` where there is nothing.
    ///
    /// # Errors
    /// `AccessDenied` where AWS refused our role, `ResultUnavailable` where it failed.
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Stored>, Error>>;

    /// Writes an object of JSON, marked by [`OWN_METADATA`], if the condition holds.
    ///
    /// # Errors
    /// As [`ResultStore::read`].
    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        when: When,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Wrote, Error>>;
}

/// What a queue or a bus is told of a result.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// What names this end of the record; told twice, it is the same.
    pub id: &'a str,
    /// The group that keeps its order, where the record was of one.
    pub group: Option<&'a str>,
    /// JSON.
    pub body: &'a str,
}

/// Who tells queues and buses.
pub trait Messenger: Send + Sync {
    /// Tells a queue or a bus. Destinations that are objects are the store's.
    ///
    /// # Errors
    /// `AccessDenied` where AWS refused our role, `ResultUnavailable` where it failed,
    /// `ResultTooLarge` where the note does not fit.
    fn tell<'a>(
        &'a self,
        destination: &'a Destination,
        note: Note<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>>;
}
