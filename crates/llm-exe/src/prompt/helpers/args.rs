//! Types that describe a helper: its entry in the helper table and the arguments of a call.

use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// An entry in the helper table.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    pub(crate) arguments: Arguments,
    /// An example call for the documentation.
    pub(crate) usage: &'static str,
    /// A description for the documentation.
    pub(crate) about: &'static str,
    /// Whether the first argument may be missing. If so, it is not reported as a missing variable.
    pub(crate) first_argument_optional: bool,
    pub(crate) kind: Kind,
}

/// The arguments that a helper accepts. The check of calls, the warnings about ignored arguments
/// and the signatures in the documentation are made from this declaration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments {
    /// The names of the required positional arguments.
    pub(crate) required: &'static [&'static str],
    /// The names of the positional arguments that may follow.
    pub(crate) optional: &'static [&'static str],
    /// The names of the named arguments.
    pub(crate) named: &'static [&'static str],
    /// Whether another number of positional arguments is an error. Otherwise, extra arguments are
    /// ignored with a warning, because npm llm-exe and handlebars.js ignore them.
    pub(crate) is_exact: bool,
    /// Whether any number of positional arguments is accepted.
    pub(crate) is_variadic: bool,
}

impl Helper {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        let (usage, about) = ("", "");
        let arguments = Arguments {
            required: &[],
            optional: &[],
            named: &[],
            is_exact: false,
            is_variadic: false,
        };
        let first_argument_optional = false;
        Helper { name, arguments, usage, about, first_argument_optional, kind }
    }

    /// Declares that the helper requires exactly these positional arguments.
    pub(crate) const fn exactly(self, required: &'static [&'static str]) -> Self {
        let arguments = Arguments { required, is_exact: true, ..self.arguments };
        Helper { arguments, ..self }
    }

    /// Declares the positional arguments of a helper that ignores extra ones.
    pub(crate) const fn accepts(
        self,
        required: &'static [&'static str],
        optional: &'static [&'static str],
    ) -> Self {
        let arguments = Arguments { required, optional, ..self.arguments };
        Helper { arguments, ..self }
    }

    /// Declares that the helper accepts any positional arguments.
    pub(crate) const fn variadic(self, optional: &'static [&'static str]) -> Self {
        let arguments = Arguments { optional, is_variadic: true, ..self.arguments };
        Helper { arguments, ..self }
    }

    /// Declares the named arguments.
    pub(crate) const fn named(self, named: &'static [&'static str]) -> Self {
        Helper { arguments: Arguments { named, ..self.arguments }, ..self }
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

    /// Returns how the helper is called, for the documentation.
    pub(crate) fn signature(&self) -> String {
        let Arguments { required, optional, named, is_variadic, .. } = self.arguments;
        let mut call = self.name.to_owned();
        let more = if is_variadic { "…" } else { "" };
        call.extend(required.iter().map(|name| format!(" {name}")));
        call.extend(optional.iter().map(|name| format!(" [{name}{more}]")));
        call.extend(named.iter().map(|name| format!(" [{name}=…]")));
        let name = self.name;
        match self.kind {
            Kind::Value(_) | Kind::KeyValue(_) => format!("{{{{{call}}}}}"),
            Kind::Raw => format!("{{{{{{{{{call}}}}}}}}}…{{{{{{{{/{name}}}}}}}}}"),
            _ => format!("{{{{#{call}}}}}…{{{{/{name}}}}}"),
        }
    }
}

impl Arguments {
    /// Returns whether a call with this number of positional and named arguments needs no further
    /// check. This is a quick check for ordinary calls.
    pub(crate) fn fits(&self, positional: usize, named: usize) -> bool {
        positional == self.required.len() && named == 0
    }

    /// Returns whether a call with this number of positional arguments is an error.
    pub(crate) fn is_wrong_count(&self, positional: usize) -> bool {
        self.is_exact && positional != self.required.len()
    }

    /// Returns the maximum number of positional arguments that have an effect.
    pub(crate) fn max_positional(&self) -> usize {
        let declared = self.required.len() + self.optional.len();
        if self.is_variadic { usize::MAX } else { declared }
    }

    /// Returns the position of a positional argument by its name, counted from 1.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let mut names = self.required.iter().chain(self.optional);
        names.position(|known| *known == name).map(|index| index + 1)
    }
}

/// How a helper is called and which function implements it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Returns a value, which is rendered or passed to another helper.
    Value(ValueFn),
    /// The same, for a helper whose first argument is the path of a variable. If the path is a
    /// literal, a missing variable is reported, unless the first argument is optional.
    KeyValue(ValueFn),
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
    /// `raw`, which renders the content of a raw block unchanged. `analyze` replaces these blocks
    /// with their content.
    Raw,
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
}
