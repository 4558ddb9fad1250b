//! The types of a helper: its row in the table and the arguments of a call.

use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// A row of the table of helpers.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    /// An example call, for the documentation.
    pub(crate) usage: &'static str,
    /// A description, for the documentation.
    pub(crate) about: &'static str,
    /// The first argument may be missing: it is not reported as a missing variable.
    pub(crate) first_argument_optional: bool,
    /// The helper is part of Handlebars: a variable can't have its name.
    pub(crate) is_builtin: bool,
    pub(crate) kind: Kind,
}

impl Helper {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        let (usage, about) = ("", "");
        Helper { name, usage, about, first_argument_optional: false, is_builtin: false, kind }
    }

    pub(crate) const fn usage(self, usage: &'static str) -> Self {
        Helper { usage, ..self }
    }

    pub(crate) const fn about(self, about: &'static str) -> Self {
        Helper { about, ..self }
    }

    pub(crate) const fn first_argument_optional(self) -> Self {
        Helper { first_argument_optional: true, ..self }
    }
}

/// How a helper is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Returns a value.
    Value(ValueFn),
    /// With a block, chooses between the block and its `else`; without one, returns true or false.
    Test { test: TestFn },
    /// `if` or `unless`: renders the block if the condition equals `expected`, or else its `else`.
    If { expected: bool },
    /// `each`: renders its block for each element.
    Each,
    /// `with`: renders its block with another context.
    With,
}

pub(crate) type ValueFn =
    for<'c, 'a> fn(&Args<'c, 'a>, &mut Budget) -> Result<Value<'a>, RenderError>;
pub(crate) type TestFn = for<'c, 'a> fn(&Args<'c, 'a>, &mut Budget) -> Result<bool, RenderError>;

/// The arguments of a helper call.
#[derive(Debug)]
pub(crate) struct Args<'c, 'a> {
    pub(crate) positional: &'c [Value<'a>],
    pub(crate) named: &'c [(&'a str, Value<'a>)],
    /// The context.
    pub(crate) this: &'c Value<'a>,
}

impl<'a> Args<'_, 'a> {
    /// The positional argument at an index, or `Undefined`.
    pub(crate) fn get(&self, index: usize) -> Value<'a> {
        self.positional.get(index).cloned().unwrap_or(Value::Undefined)
    }

    /// The named argument, or `Undefined`.
    pub(crate) fn named(&self, name: &str) -> Value<'a> {
        let argument = self.named.iter().find(|(key, _)| *key == name);
        argument.map_or(Value::Undefined, |(_, value)| value.clone())
    }

    /// Checks the number of positional arguments.
    ///
    /// # Errors
    /// A number other than `count`.
    pub(crate) fn expect_count(&self, count: usize) -> Result<(), RenderError> {
        match self.positional.len() {
            actual if actual == count => Ok(()),
            actual => Err(RenderError::wrong_argument_count(count, actual)),
        }
    }
}
