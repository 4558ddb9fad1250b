//! Types that describe a helper: its entry in the helper table and the arguments of a call.

use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// An entry in the helper table.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    /// An example call for the documentation.
    pub(crate) usage: &'static str,
    /// A description for the documentation.
    pub(crate) about: &'static str,
    /// Whether the first argument may be missing. If so, it is not reported as a missing variable.
    pub(crate) first_argument_optional: bool,
    /// Whether the helper is built into Handlebars. Variables can't have the name of such a helper.
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

/// How a helper is called and which function implements it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Returns a value, which is rendered or passed to another helper.
    Value(ValueFn),
    /// Tests a condition. With a block, the helper renders the block or its `else`; without a
    /// block, it returns true or false.
    Test { test: TestFn },
    /// `if` or `unless`, which renders the block if the condition equals `expected` and its `else`
    /// otherwise.
    If { expected: bool },
    /// `each`, which renders its block once for each element.
    Each,
    /// `with`, which renders its block with another context.
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
    /// The context of the tag that calls the helper.
    pub(crate) this: &'c Value<'a>,
}

impl<'a> Args<'_, 'a> {
    /// Returns the positional argument at the given index, or `Undefined` if the call has fewer
    /// arguments.
    pub(crate) fn get(&self, index: usize) -> Value<'a> {
        self.positional.get(index).cloned().unwrap_or(Value::Undefined)
    }

    /// Returns the value of a named argument, or `Undefined` if the call does not contain the name.
    pub(crate) fn named(&self, name: &str) -> Value<'a> {
        let argument = self.named.iter().find(|(key, _)| *key == name);
        argument.map_or(Value::Undefined, |(_, value)| value.clone())
    }

    /// Checks the number of positional arguments.
    ///
    /// # Errors
    /// Returns an error unless the call has exactly `count` positional arguments.
    pub(crate) fn expect_count(&self, count: usize) -> Result<(), RenderError> {
        match self.positional.len() {
            actual if actual == count => Ok(()),
            actual => Err(RenderError::wrong_argument_count(count, actual)),
        }
    }
}
