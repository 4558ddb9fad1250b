//! An in-memory document store for the tests of hosted configs.

use std::collections::HashMap;

use bytes::Bytes;
use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Error, ErrorKind};
use serde_json::{Map, Value};

/// Converts hexadecimal digits to bytes.
pub(crate) fn parse_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

/// An in-memory document store. A case specifies each document as text, as hexadecimal digits
/// (`{"hex": …}`) or by its size in bytes (`{"size": …}`). With `{"fails": …}`, fetching the
/// document returns an error of that kind.
pub(crate) struct MemoryStore(HashMap<String, Result<Bytes, ErrorKind>>);

impl MemoryStore {
    pub(crate) fn new(documents: &Map<String, Value>) -> MemoryStore {
        let parse = |value: &Value| match value {
            Value::String(text) => Ok(Bytes::from(text.clone())),
            other if other.get("hex").is_some() => {
                Ok(Bytes::from(parse_hex(other["hex"].as_str().unwrap())))
            }
            other if other.get("size").is_some() => {
                Ok(Bytes::from(vec![b'a'; other["size"].as_u64().unwrap() as usize]))
            }
            other => {
                let has_name = |kind: &&ErrorKind| kind.name() == other["fails"];
                Err(*ErrorKind::ALL.iter().find(has_name).unwrap())
            }
        };
        MemoryStore(documents.iter().map(|(url, value)| (url.clone(), parse(value))).collect())
    }
}

impl DocumentStore for MemoryStore {
    fn fetch<'a>(
        &'a self,
        location: &'a DocumentLocation,
        _: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let (url, version, name) = match location {
            DocumentLocation::Object { bucket, key, version } => {
                let id = version.as_ref().map_or(String::new(), |id| format!("?versionId={id}"));
                (format!("s3://{bucket}/{key}{id}"), version.clone(), key.clone())
            }
            DocumentLocation::Url(url) => (url.clone(), None, "page".to_owned()),
        };
        let result = match self.0.get(&url) {
            None => Err(Error::new(ErrorKind::ConfigNotFound, "there is no such document")),
            Some(Err(kind)) => Err(Error::new(*kind, "the error of the case")),
            Some(Ok(body)) => {
                let etag = Some(format!("\"{name}\""));
                Ok(Some(Document { body: body.clone(), version, etag }))
            }
        };
        Box::pin(std::future::ready(result))
    }
}
