//! The API keys that a program passes to the client builder.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Error;
use crate::ports::{KeyName, Keys, PortFuture, Secret};

/// Constant keys, and the source of all other keys.
pub(super) struct ClientKeys {
    pub(super) constant: HashMap<KeyName, Secret>,
    pub(super) others: Option<Arc<dyn Keys>>,
}

impl Keys for ClientKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let key = match (self.constant.get(name), &self.others) {
            (Some(key), _) => Ok(key.clone()),
            (None, Some(others)) => return others.get(name),
            (None, None) => Err(Error::secret_not_set(format!(
                "no API key found ({}); set it with ClientBuilder::key, or set a source of keys \
                 with ClientBuilder::keys or ClientBuilder::env",
                name.variables()
            ))),
        };
        Box::pin(std::future::ready(key))
    }

    fn renewed<'a>(
        &'a self,
        name: &'a KeyName,
        stale: &'a Secret,
    ) -> PortFuture<'a, Result<Option<Secret>, Error>> {
        match &self.others {
            Some(others) if !self.constant.contains_key(name) => others.renewed(name, stale),
            _ => Box::pin(std::future::ready(Ok(None))),
        }
    }
}
