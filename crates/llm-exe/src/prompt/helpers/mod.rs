//! The table of helpers. To add a helper, implement it in a file in this folder and add an entry to
//! the table.

pub(crate) mod args;
pub(crate) mod builtin;
mod comparison;
mod cut;
mod fallback;
mod json;
mod json_schema_example;
mod text;

use args::{Helper, Kind, TestFn, ValueFn};

/// All helpers. The helpers of Handlebars come first, then those of npm llm-exe, then those that
/// only this crate provides.
const HELPERS: &[Helper] = &[
    builtin("if", Kind::If { expected: true })
        .usage("{{#if paid}}…{{else}}…{{/if}}")
        .about(
            "Renders the block if the value is truthy and not an empty list. With \
             `includeZero=true`, 0 also passes.",
        )
        .first_argument_optional(),
    builtin("unless", Kind::If { expected: false })
        .usage("{{#unless paid}}…{{/unless}}")
        .about("Renders the block if `if` would not render it.")
        .first_argument_optional(),
    builtin("each", Kind::Each)
        .usage("{{#each orders as |order index|}}…{{/each}}")
        .about("Renders the block for each element of a list or member of an object."),
    builtin("with", Kind::With)
        .usage("{{#with customer}}…{{/with}}")
        .about("Renders the block with the value as its context."),
    builtin("lookup", Kind::Value(builtin::lookup))
        .usage("{{lookup names 1}}")
        .about("Returns the element at a computed key or index."),
    builtin("log", Kind::Value(builtin::log))
        .usage("{{log name}}")
        .about("Renders nothing and logs nothing.")
        .first_argument_optional(),
    test("eq", comparison::eq).usage("{{#eq role \"user, assistant\"}}…{{/eq}}").about(
        "Returns whether a string equals one of several strings that are separated by commas.",
    ),
    test("neq", comparison::neq)
        .usage("{{#neq role \"system\"}}…{{/neq}}")
        .about("Returns the opposite of `eq`."),
    test("ifCond", comparison::if_cond).usage("{{#ifCond count \">\" 3}}…{{/ifCond}}").about(
        "Compares two values with a JavaScript operator: `<`, `<=`, `>`, `>=`, `==`, `!=`, \
             `===`, `!==`, `&&` or `||`.",
    ),
    value("getOr", fallback::get_or)
        .usage("{{getOr name \"you\"}}")
        .about("Returns the value, or the second argument if it is missing or an empty string.")
        .first_argument_optional(),
    value("getKeyOr", fallback::get_key_or)
        .usage("{{getKeyOr \"user.name\" \"you\"}}")
        .about(
            "Like `getOr`, but the first argument is a string that contains the path of the value.",
        )
        .first_argument_optional(),
    value("join", text::join)
        .usage("{{join tags}}")
        .about("Joins the elements of a list with a comma and a space."),
    value("pluralize", text::pluralize).usage("{{pluralize \"cat|cats\" count}}").about(
        "Returns the second form if the number is greater than 1, and the first form otherwise.",
    ),
    value("cut", cut::cut)
        .usage("{{cut text \"[0-9]+\"}}")
        .about("Removes every match of a regular expression from a string."),
    value("substring", text::substring)
        .usage("{{substring text 0 100}}")
        .about("Returns the part of a string between two indexes."),
    value("objectToList", text::object_to_list)
        .usage("{{objectToList facts}}")
        .about("Returns a line `- key: value` for each member of an object."),
    value("indentJson", json::indent_json).usage("{{indentJson facts}}").about(
        "Returns an object or list as indented JSON, or as JSON on one line if the second \
             argument is `true`.",
    ),
    value("jsonSchemaExample", json_schema_example::json_schema_example)
        .usage("{{jsonSchemaExample \"schema\" \"description\"}}")
        .about(
            "Returns an example for the JSON Schema with this key. Each property has the value of \
             the named keyword. Without a keyword, only properties with a `default` are included. \
             If the third argument is `true`, the example is on one line.",
        ),
    value("json", json::json)
        .usage("{{json facts indent=2}}")
        .about("Returns a value as JSON. Without `indent`, the JSON is on one line."),
    value("default", fallback::default)
        .usage("{{default name \"you\"}}")
        .about(
            "Returns the value, or the second argument if it is missing, null or an empty string.",
        )
        .first_argument_optional(),
    value("upper", text::upper).usage("{{upper name}}").about("Converts a string to upper case."),
    value("lower", text::lower).usage("{{lower name}}").about("Converts a string to lower case."),
    value("trim", text::trim)
        .usage("{{trim name}}")
        .about("Removes the white space around a string."),
];

/// The documentation of a helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelperInfo {
    /// The name of the helper.
    pub name: &'static str,
    /// An example call in a template.
    pub usage: &'static str,
    /// A description in Markdown.
    pub about: &'static str,
}

/// Returns the documentation of every helper, in the same order as the table in docs/templates.md.
pub fn helpers() -> Vec<HelperInfo> {
    let info = |Helper { name, usage, about, .. }: &Helper| HelperInfo { name, usage, about };
    HELPERS.iter().map(info).collect()
}

/// Returns the helper with the given name.
pub(crate) fn find(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// Creates the table entry for a helper that is built into Handlebars.
const fn builtin(name: &'static str, kind: Kind) -> Helper {
    Helper { is_builtin: true, ..Helper::new(name, kind) }
}

/// Creates the table entry for a helper that returns a value.
const fn value(name: &'static str, function: ValueFn) -> Helper {
    Helper::new(name, Kind::Value(function))
}

/// Creates the table entry for a helper that tests a condition.
const fn test(name: &'static str, test: TestFn) -> Helper {
    Helper::new(name, Kind::Test { test })
}
