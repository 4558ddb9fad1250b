//! Requests and replies as they go over the wire, as data.
//!
//! A wire request says which key it needs, never the key itself: the transport asks the
//! [`Keys`](crate::ports::Keys) port and adds it at the last moment.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::ports::KeyName;

/// How a request is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nothing is sent.
    None,
    /// `authorization: Bearer KEY`.
    Bearer(KeyName),
    /// A header of the provider's own, holding the key.
    Header(&'static str, KeyName),
    /// A signature by AWS credentials, made anew for each try.
    SigV4 {
        /// The service that the signature is for, like `bedrock`.
        service: &'static str,
        /// The region that it is for.
        region: String,
    },
}

impl Auth {
    /// The key that is needed, if any.
    pub fn key(&self) -> Option<&KeyName> {
        match self {
            Auth::None | Auth::SigV4 { .. } => None,
            Auth::Bearer(key) | Auth::Header(_, key) => Some(key),
        }
    }
}

/// One POST to a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct WireRequest {
    /// The whole URL.
    pub url: String,
    /// Headers other than the key's and `content-type: application/json`.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The JSON body.
    pub body: Value,
    /// Which key goes where.
    pub auth: Auth,
}

impl WireRequest {
    /// What `dryRun` answers: everything but the key.
    pub fn shown(&self) -> Value {
        let mut headers = Map::new();
        headers.insert("content-type".to_owned(), json!("application/json"));
        for (name, value) in &self.headers {
            headers.insert((*name).to_owned(), json!(value));
        }
        json!({ "method": "POST", "url": self.url, "headers": headers, "body": self.body })
    }
}

/// What a provider answered.
#[derive(Debug, Clone)]
pub struct WireReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The whole body, within the transport's limit.
    pub body: Bytes,
}

impl WireReply {
    /// A header's text, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
