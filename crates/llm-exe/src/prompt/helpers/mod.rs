//! The helpers: a table with a row for each, and what they are called with. A new helper is a
//! function in a file of this folder and a row in the table.

pub(crate) mod builtin;
mod comparison;
mod cut;
mod fallback;
mod json;
mod json_schema_example;
mod text;

use super::limits::{Budget, Fault};
use super::value::Value;

/// A helper: a row of the table.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    /// What it does, for the documentation.
    #[allow(dead_code)]
    pub(crate) about: &'static str,
    /// Its first argument is only asked about: it may be missing.
    pub(crate) tests_first: bool,
    /// It belongs to the language: its name cannot be a variable's.
    pub(crate) own_of_handlebars: bool,
    pub(crate) kind: Kind,
}

/// What a helper is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// It gives a value, which is printed or passed on.
    Value(ValueFn),
    /// It decides between a block and its `else`, or gives true or false.
    Test { test: TestFn },
    /// `if`, or `unless`: it decides between a block and its `else`.
    If { wanted: bool },
    /// It repeats its block.
    Each,
    /// It goes into a value with its block.
    With,
}

type ValueFn = for<'c, 'a> fn(&Args<'c, 'a>, &mut Budget) -> Result<Value<'a>, Fault>;
type TestFn = for<'c, 'a> fn(&Args<'c, 'a>, &mut Budget) -> Result<bool, Fault>;

/// What a helper is called with.
#[derive(Debug)]
pub(crate) struct Args<'c, 'a> {
    pub(crate) list: &'c [Value<'a>],
    pub(crate) named: &'c [(&'a str, Value<'a>)],
    /// The context.
    pub(crate) this: &'c Value<'a>,
}

impl<'a> Args<'_, 'a> {
    /// The argument at a place; a missing one is undefined.
    pub(crate) fn get(&self, index: usize) -> Value<'a> {
        self.list.get(index).cloned().unwrap_or(Value::Undefined)
    }

    /// The argument of a name; a missing one is undefined.
    pub(crate) fn named(&self, name: &str) -> Value<'a> {
        let found = self.named.iter().find(|(key, _)| *key == name);
        found.map_or(Value::Undefined, |(_, value)| value.clone())
    }

    /// Refuses any number of arguments but this.
    pub(crate) fn exactly(&self, count: usize) -> Result<(), Fault> {
        if self.list.len() == count {
            return Ok(());
        }
        let number = ["no argument", "one argument", "two arguments", "three arguments"];
        let wanted = number.get(count).copied().unwrap_or("other arguments");
        Err(Fault::failed(format!("takes {wanted}, not {}", self.list.len())))
    }
}

/// Handlebars' own, llm-exe's, and ours, each in the order of the documentation.
const HELPERS: &[Helper] = &[
    own("if", "a block if the value is truthy", true, Kind::If { wanted: true }),
    own("unless", "a block if the value is falsy", true, Kind::If { wanted: false }),
    own("each", "a block for each element of a list or object", false, Kind::Each),
    own("with", "a block with the value as its context", false, Kind::With),
    own("lookup", "an element by a computed name or index", false, Kind::Value(builtin::lookup)),
    own("log", "nothing", true, Kind::Value(builtin::log)),
    row("eq", "whether a text is among others", false, test(comparison::eq)),
    row("neq", "whether a text is not among others", false, test(comparison::neq)),
    row("ifCond", "whether an operator holds", false, test(comparison::if_cond)),
    row("getOr", "a value, or another if it is missing", true, Kind::Value(fallback::get_or)),
    row("getKeyOr", "a value by its path, or another", true, Kind::Value(fallback::get_key_or)),
    row("join", "a list with commas", false, Kind::Value(text::join)),
    row("pluralize", "one of two forms, by a number", false, Kind::Value(text::pluralize)),
    row("cut", "a text without what a pattern matches", false, Kind::Value(cut::cut)),
    row("substring", "a part of a text", false, Kind::Value(text::substring)),
    row("objectToList", "a line for each property", false, Kind::Value(text::object_to_list)),
    row("indentJson", "an object as JSON in lines", false, Kind::Value(json::indent_json)),
    row(
        "jsonSchemaExample",
        "an example for a JSON Schema",
        false,
        Kind::Value(json_schema_example::json_schema_example),
    ),
    row("json", "a value as JSON", false, Kind::Value(json::json)),
    row("default", "a value, or another if there is none", true, Kind::Value(fallback::default)),
    row("upper", "a text in capitals", false, Kind::Value(text::upper)),
    row("lower", "a text in small letters", false, Kind::Value(text::lower)),
    row("trim", "a text without the space around it", false, Kind::Value(text::trim)),
];

/// A helper of the language.
const fn own(name: &'static str, about: &'static str, tests_first: bool, kind: Kind) -> Helper {
    Helper { name, about, tests_first, own_of_handlebars: true, kind }
}

const fn row(name: &'static str, about: &'static str, tests_first: bool, kind: Kind) -> Helper {
    Helper { name, about, tests_first, own_of_handlebars: false, kind }
}

const fn test(test: TestFn) -> Kind {
    Kind::Test { test }
}

/// The helper of this name.
pub(crate) fn find(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|helper| helper.name == name)
}
