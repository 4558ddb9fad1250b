//! Keys from the environment, looked up when first asked for.

use llm_exe::ports::PortFuture;
use llm_exe::{Error, ErrorKind, KeyName, Keys, Secret};

type LookUp = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Keys by environment variable.
pub struct EnvironmentKeys {
    look_up: Box<LookUp>,
}

impl std::fmt::Debug for EnvironmentKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentKeys")
    }
}

impl EnvironmentKeys {
    /// Keys by a look-up of variable names.
    pub fn new(look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        EnvironmentKeys { look_up: Box::new(look_up) }
    }

    fn find(&self, name: &KeyName) -> Result<Secret, Error> {
        let set = name.environment.iter().find_map(|variable| {
            let value = (self.look_up)(variable)?;
            (!value.trim().is_empty()).then_some((variable, value))
        });
        let Some((variable, value)) = set else {
            let text = format!("no key: set {} in the environment", name.variables());
            return Err(Error::new(ErrorKind::SecretNotFound, text));
        };
        Secret::new(&value).map_err(|why| {
            let text = format!("the key in {variable} can't be used: {why}");
            Error::new(ErrorKind::SecretNotFound, text)
        })
    }
}

impl Keys for EnvironmentKeys {
    fn get<'a>(&'a self, name: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(self.find(name)))
    }
}
