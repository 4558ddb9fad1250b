//! The parsers that requests can name: the built-in ones, and those that a program registers.

use std::fmt;
use std::sync::Arc;

use super::options::OutputOptions;
use super::parser::{OutputParser, Parser, SchemaUse};
use super::{output_names, parser};

/// A registered parser with its name.
type NamedParser = (Arc<str>, Arc<dyn OutputParser>);

/// The built-in parsers and the registered ones. Clones are cheap.
#[derive(Clone, Default)]
pub struct Parsers {
    registered: Arc<[NamedParser]>,
}

impl fmt::Debug for Parsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The reason why a parser can't be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidParser {
    /// The name is not valid.
    #[error("expected a parser name of letters, digits, - and _, got {}", crate::json::quoted(.0))]
    Name(String),
    /// There is a built-in or registered parser with this name.
    #[error("a parser with the name {0} already exists")]
    Duplicate(String),
}

impl Parsers {
    /// Adds parsers, each with the name that selects it, to the built-in ones.
    ///
    /// # Errors
    /// [`InvalidParser`] with the first name that is not valid or already taken.
    pub fn with(
        parsers: impl IntoIterator<Item = (String, Arc<dyn OutputParser>)>,
    ) -> Result<Parsers, InvalidParser> {
        let mut registered: Vec<NamedParser> = Vec::new();
        for (name, custom) in parsers {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
                return Err(InvalidParser::Name(name));
            }
            if parser(&name).is_some() || registered.iter().any(|(known, _)| **known == *name) {
                return Err(InvalidParser::Duplicate(name));
            }
            registered.push((name.into(), custom));
        }
        Ok(Parsers { registered: registered.into() })
    }

    /// Creates the parser that an `output` field names, with its options, which are removed from
    /// `options`. Returns `None` if there is no such parser.
    pub fn create(&self, output: &str, options: &mut OutputOptions) -> Option<Parser> {
        if let Some(row) = parser(output) {
            return Some(row.with_options(options));
        }
        let (name, custom) = self.registered.iter().find(|(name, _)| **name == *output)?;
        Some(Parser::registered(Arc::clone(name), Arc::clone(custom)))
    }

    /// Returns whether an `output` field names a parser that requires a schema.
    pub(crate) fn uses_schema(&self, output: &str) -> bool {
        let parser = self.create(output, &mut OutputOptions::default());
        parser.is_some_and(|parser| parser.schema_use() == SchemaUse::Required)
    }

    /// Returns the names and aliases of all parsers, the built-in ones first.
    pub fn names(&self) -> Vec<String> {
        let registered = self.registered.iter().map(|(name, _)| name.to_string());
        output_names().into_iter().map(str::to_owned).chain(registered).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, Value};

    use super::{InvalidParser, Parsers};
    use crate::parsers::OutputOptions;
    use crate::parsers::OutputParser;

    fn with(names: &[&str]) -> Result<Parsers, InvalidParser> {
        Parsers::with(names.iter().map(|name| {
            let upper: Arc<dyn OutputParser> =
                Arc::new(|text: &str| Ok(Value::from(text.to_uppercase())));
            ((*name).to_owned(), upper)
        }))
    }

    #[test]
    fn invalid_and_known_names_are_rejected() {
        for name in ["", "a b", "a.b", "é"] {
            assert_eq!(with(&[name]).unwrap_err(), InvalidParser::Name(name.to_owned()));
        }
        for names in [["json", "a"], ["list", "a"], ["upper", "upper"]] {
            let expected = InvalidParser::Duplicate(names[0].to_owned());
            assert_eq!(with(&names).unwrap_err(), expected);
        }
    }

    #[test]
    fn registered_parsers_are_created_by_name() {
        let parsers = with(&["upper"]).unwrap();
        let mut options = OutputOptions::new(Map::new());
        let parser = parsers.create("upper", &mut options).unwrap();
        assert_eq!((parser.name(), parser.is_strict()), ("upper", true));
        assert_eq!(parsers.create("list", &mut options).unwrap().name(), "listToArray");
        assert!(parsers.create("lower", &mut options).is_none());
        assert!(parsers.names().contains(&"upper".to_owned()));
    }
}
