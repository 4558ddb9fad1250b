//! The table of helpers. To add a helper, implement it in a file in this folder and add an entry to
//! the table.

pub(crate) mod args;
pub(crate) mod builtin;
pub(crate) mod comparison;
mod cut;
pub(crate) mod fallback;
mod json;
mod json_schema_example;
mod text;

use args::{Helper, Kind, TestFn, ValueFn};

use crate::request::suggestion;

/// The helpers that are built into Handlebars. Variables can't have the name of such a helper.
const BUILTINS: &[Helper] = &[
    Helper::new("if", Kind::If { expected: true })
        .exactly(&["condition"])
        .named(&["includeZero"])
        .usage("{{#if paid}}…{{else}}…{{/if}}")
        .about(
            "Renders the block if the value is truthy and not an empty list. With \
             `includeZero=true`, 0 also passes.",
        )
        .first_argument_optional(),
    Helper::new("unless", Kind::If { expected: false })
        .exactly(&["condition"])
        .named(&["includeZero"])
        .usage("{{#unless paid}}…{{/unless}}")
        .about("Renders the block if `if` would not render it.")
        .first_argument_optional(),
    Helper::new("each", Kind::Each)
        .exactly(&["list"])
        .usage("{{#each orders as |order index|}}…{{/each}}")
        .about("Renders the block for each element of a list or member of an object."),
    Helper::new("with", Kind::With)
        .exactly(&["value"])
        .usage("{{#with customer}}…{{/with}}")
        .about("Renders the block with the value as its context."),
    Helper::new("lookup", Kind::Value(builtin::lookup))
        .accepts(&["object", "key"], &[])
        .usage("{{lookup names 1}}")
        .about("Returns the element at a computed key or index."),
    Helper::new("log", Kind::Value(builtin::log))
        .variadic(&["value"])
        .named(&["level"])
        .usage("{{log name}}")
        .about("Renders nothing and logs nothing.")
        .first_argument_optional(),
];

/// The other helpers: first those of npm llm-exe, then those that only this crate provides.
const HELPERS: &[Helper] = &[
    test("eq", comparison::eq)
        .exactly(&["value", "texts"])
        .usage("{{#eq role \"user, assistant\"}}…{{/eq}}")
        .about(
            "Returns whether a string equals one of several strings that are separated by commas.",
        ),
    test("neq", comparison::neq)
        .exactly(&["value", "texts"])
        .usage("{{#neq role \"system\"}}…{{/neq}}")
        .about("Returns the opposite of `eq`."),
    test("ifCond", comparison::if_cond)
        .exactly(&["left", "operator", "right"])
        .usage("{{#ifCond count \">\" 3}}…{{/ifCond}}")
        .about(
            "Compares two values with a JavaScript operator: `<`, `<=`, `>`, `>=`, `==`, `!=`, \
             `===`, `!==`, `&&` or `||`.",
        ),
    value("getOr", fallback::get_or)
        .accepts(&["value"], &["fallback"])
        .usage("{{getOr name \"you\"}}")
        .about("Returns the value, or the second argument if it is missing or an empty string.")
        .first_argument_optional(),
    Helper::new("getKeyOr", Kind::KeyValue(fallback::get_key_or))
        .accepts(&["path"], &["fallback"])
        .usage("{{getKeyOr \"user.name\" \"you\"}}")
        .about(
            "Like `getOr`, but the first argument is a string that contains the path of the value.",
        )
        .first_argument_optional(),
    value("join", text::join)
        .accepts(&["list"], &[])
        .usage("{{join tags}}")
        .about("Joins the elements of a list with a comma and a space."),
    value("pluralize", text::pluralize)
        .accepts(&["forms", "count"], &[]).usage("{{pluralize \"cat|cats\" count}}").about(
        "Returns the second form if the number is greater than 1, and the first form otherwise.",
    ),
    value("cut", cut::cut)
        .exactly(&["text", "pattern"])
        .usage("{{cut text \"[0-9]+\"}}")
        .about("Removes every match of a regular expression from a string."),
    value("substring", text::substring)
        .accepts(&["text", "start", "end"], &[])
        .usage("{{substring text 0 100}}")
        .about(
            "Returns the part of a string from the index `start` up to, but not including, the \
             index `end`. A string that is not longer than `end` is returned unchanged.",
        ),
    value("objectToList", text::object_to_list)
        .accepts(&["object"], &[])
        .usage("{{objectToList facts}}")
        .about("Returns a line `- key: value` for each member of an object."),
    value("indentJson", json::indent_json)
        .accepts(&["value"], &["collapse"]).usage("{{indentJson facts}}").about(
        "Returns an object or list as indented JSON, or as JSON on one line if the second \
             argument is `true`.",
    ),
    Helper::new("jsonSchemaExample", Kind::KeyValue(json_schema_example::json_schema_example))
        .accepts(&["key"], &["keyword", "collapse"])
        .usage("{{jsonSchemaExample \"schema\" \"description\"}}")
        .about(
            "Returns an example for the JSON Schema with this key. Each property has the value of \
             the named keyword. Without a keyword, only properties with a `default` are included. \
             If the third argument is `true`, the example is on one line.",
        ),
    value("json", json::json)
        .exactly(&["value"]).named(&["indent"])
        .usage("{{json facts indent=2}}")
        .about("Returns a value as JSON. Without `indent`, the JSON is on one line."),
    value("default", fallback::default)
        .exactly(&["value", "fallback"])
        .usage("{{default name \"you\"}}")
        .about(
            "Returns the value, or the second argument if it is missing, null or an empty string.",
        )
        .first_argument_optional(),
    value("upper", text::upper)
        .exactly(&["text"]).usage("{{upper name}}").about("Converts a string to upper case."),
    value("lower", text::lower)
        .exactly(&["text"]).usage("{{lower name}}").about("Converts a string to lower case."),
    value("trim", text::trim)
        .exactly(&["text"])
        .usage("{{trim name}}")
        .about("Removes the white space around a string."),
    test("ifEquals", comparison::equals)
        .exactly(&["left", "right"])
        .usage("{{#ifEquals count 5}}…{{else}}…{{/ifEquals}}")
        .about(
            "Returns whether two values are equal without conversion: the number 5 does not equal \
             the string `5`.",
        ),
    test("unlessEquals", comparison::differs)
        .exactly(&["left", "right"])
        .usage("{{#unlessEquals count 5}}…{{/unlessEquals}}")
        .about("Returns the opposite of `ifEquals`."),
    RAW,
];

/// The helper of raw blocks.
const RAW: Helper = Helper::new("raw", Kind::Raw)
    .usage("{{{{raw}}}}{{x}}{{{{/raw}}}}")
    .about("Renders the content of the raw block unchanged.");

/// The documentation of a helper.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelperInfo {
    /// The name of the helper.
    pub name: &'static str,
    /// How the helper is called. Optional arguments are in brackets.
    pub signature: String,
    /// An example call in a template.
    pub usage: &'static str,
    /// A description in Markdown.
    pub about: &'static str,
}

/// Returns the documentation of every helper, in the same order as the table in docs/templates.md.
pub fn helpers() -> Vec<HelperInfo> {
    let info = |helper: &Helper| {
        let Helper { name, usage, about, .. } = helper;
        HelperInfo { name, signature: helper.signature(), usage, about }
    };
    BUILTINS.iter().chain(HELPERS).map(info).collect()
}

/// Returns the helper with the given name, unless it is built into Handlebars.
pub(crate) fn find(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// Returns the helper of Handlebars with the given name.
pub(crate) fn find_builtin(name: &str) -> Option<&'static Helper> {
    // This function is called for every variable, so most names are rejected by their first letter.
    let first = name.as_bytes().first()?;
    if !matches!(first, b'e' | b'i' | b'l' | b'u' | b'w') {
        return None;
    }
    BUILTINS.iter().find(|helper| helper.name == name)
}

/// Returns the helper of raw blocks.
pub(crate) fn raw() -> &'static Helper {
    &RAW
}

/// Suggests a helper with a name similar to an unknown one, as the end of an error message.
pub(crate) fn suggest(name: &str) -> String {
    if let Some(hint) = hint_for_foreign_name(&name.to_lowercase().replace('_', "")) {
        return hint.to_owned();
    }
    let known: Vec<&str> = BUILTINS.iter().chain(HELPERS).map(|helper| helper.name).collect();
    suggestion(name, &known)
}

/// Returns the end of the error message for a name of other template languages or of dotprompt.
fn hint_for_foreign_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "foreach" | "for" | "loop" => " (did you mean each?)",
        "elseif" | "elif" => " (did you mean else if?)",
        "else" => " (did you mean {{else if …}}?)",
        "equals" | "isequal" => " (did you mean eq?)",
        "notequals" | "noteq" | "ne" => " (did you mean neq?)",
        "uppercase" | "touppercase" => " (did you mean upper?)",
        "lowercase" | "tolowercase" => " (did you mean lower?)",
        "stringify" | "tojson" => " (did you mean json?)",
        "gt" => "; use ifCond with the operator \">\"",
        "gte" => "; use ifCond with the operator \">=\"",
        "lt" => "; use ifCond with the operator \"<\"",
        "lte" => "; use ifCond with the operator \"<=\"",
        "and" => "; use ifCond with the operator \"&&\"",
        "or" => "; use ifCond with the operator \"||\"",
        "not" => "; use unless",
        "raw" => "; it must be used as a raw block: {{{{raw}}}}…{{{{/raw}}}}",
        "role" => "; use a list of messages, each with its role",
        "media" => "; use a part of type image_url",
        "section" => "; use an inline partial",
        _ => return None,
    })
}

/// Creates the table entry for a helper that returns a value.
const fn value(name: &'static str, function: ValueFn) -> Helper {
    Helper::new(name, Kind::Value(function))
}

/// Creates the table entry for a helper that tests a condition.
const fn test(name: &'static str, test: TestFn) -> Helper {
    Helper::new(name, Kind::Test { test })
}

#[cfg(test)]
mod tests {
    use super::{BUILTINS, find_builtin, suggest};

    #[test]
    fn helpers_of_handlebars_are_found() {
        for helper in BUILTINS {
            assert!(find_builtin(helper.name).is_some_and(|found| found.name == helper.name));
        }
    }

    #[test]
    fn similar_and_foreign_names_are_suggested() {
        assert_eq!(suggest("uper"), " (did you mean upper?)");
        assert_eq!(suggest("forEach"), " (did you mean each?)");
        assert_eq!(suggest("to_json"), " (did you mean json?)");
        assert_eq!(suggest("shout"), "");
    }
}
