//! Stores of documents for tests.

use std::collections::HashMap;

use bytes::Bytes;
use llm_exe::ports::{Document, DocumentStore, Place, PortFuture};
use llm_exe::{Deadline, Error, ErrorKind, KeyName, Keys, Secret};
use serde_json::{Map, Value};

/// Any provider's key.
pub(crate) struct AnyKey;

impl Keys for AnyKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(Secret::new("test-key").unwrap())))
    }
}

/// The bytes of `ff00`.
pub(crate) fn bytes_of_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

/// Documents by their places as URLs: text, `{"hex"}`, `{"size"}` or `{"fails"}`.
pub(crate) struct Memory(HashMap<String, Result<Bytes, ErrorKind>>);

impl Memory {
    pub(crate) fn of(documents: &Map<String, Value>) -> Memory {
        let read = |value: &Value| match value {
            Value::String(text) => Ok(Bytes::from(text.clone())),
            other if other.get("hex").is_some() => {
                Ok(Bytes::from(bytes_of_hex(other["hex"].as_str().unwrap())))
            }
            other if other.get("size").is_some() => {
                Ok(Bytes::from(vec![b'a'; other["size"].as_u64().unwrap() as usize]))
            }
            other => {
                let named = |kind: &&ErrorKind| kind.name() == other["fails"];
                Err(*ErrorKind::ALL.iter().find(named).unwrap())
            }
        };
        Memory(documents.iter().map(|(url, value)| (url.clone(), read(value))).collect())
    }
}

impl DocumentStore for Memory {
    fn fetch<'a>(
        &'a self,
        place: &'a Place,
        _: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        let (url, version, name) = match place {
            Place::Object { bucket, key, version } => {
                let id = version.as_ref().map_or(String::new(), |id| format!("?versionId={id}"));
                (format!("s3://{bucket}/{key}{id}"), version.clone(), key.clone())
            }
            Place::Page(url) => (url.clone(), None, "page".to_owned()),
        };
        let answer = match self.0.get(&url) {
            None => Err(Error::new(ErrorKind::ConfigNotFound, "there is no such document")),
            Some(Err(kind)) => Err(Error::new(*kind, "as the case has it")),
            Some(Ok(body)) => {
                let etag = Some(format!("\"{name}\""));
                Ok(Some(Document { body: body.clone(), version, etag }))
            }
        };
        Box::pin(std::future::ready(answer))
    }
}
