//! The syntax tree of a template. The parser builds it and `analyze` completes it.

use crate::prompt::helpers::args::Helper;

/// A byte range of the template's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// The text of the range.
    pub(crate) fn text<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// Whether a tag removes the white space before it (`{{~`) and after it (`~}}`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strip {
    pub(crate) before: bool,
    pub(crate) after: bool,
}

/// A sequence of statements: a whole template or the body of a block.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) body: Vec<Node>,
    /// The names in `as |a b|`.
    pub(crate) params: Vec<Box<str>>,
    /// The inline partials defined in this program. `analyze` moves them here from the body.
    pub(crate) inlines: Vec<Inline>,
}

/// A statement. `analyze` replaces each `Text` by a `Literal`, moves `Inline` out of the body and
/// removes `Comment`.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Text),
    /// Text that is rendered as it is.
    Literal(Box<str>),
    Mustache(Box<Mustache>),
    /// A mustache that consists of a path alone.
    Value(Box<Path>),
    Block(Box<Block>),
    Partial(Box<Partial>),
    Inline(Box<Inline>),
    Comment(Strip),
}

/// Text between two tags, and the part of it that remains after white space control.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) whole: Span,
    pub(crate) remaining: Span,
    pub(crate) start_stripped: bool,
    pub(crate) end_stripped: bool,
}

/// `{{x}}`, `{{{x}}}` or `{{helper x}}`.
#[derive(Debug)]
pub(crate) struct Mustache {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
}

/// `{{#x}}…{{else if y}}…{{else}}…{{/x}}`, or a raw block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) call: Call,
    pub(crate) open: Strip,
    /// `None` for `{{^x}}…{{/x}}`.
    pub(crate) program: Option<Program>,
    pub(crate) chain: Vec<Arm>,
    pub(crate) inverse: Option<Program>,
    /// The `~` flags of the `{{else}}` before `inverse`.
    pub(crate) inverse_strip: Strip,
    pub(crate) close: Strip,
}

/// `{{else if y}}…`: an arm of a block after the first.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
    pub(crate) program: Program,
}

/// `{{> name context key=value}}`, and `{{#> name}}…{{/name}}`.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) name: PartialName,
    pub(crate) context: Option<Expr>,
    pub(crate) hash: Vec<Pair>,
    pub(crate) block: Option<Program>,
    pub(crate) strip: Strip,
    /// The `~` flags of the closing tag, for a partial with a block.
    pub(crate) close: Strip,
    /// The indentation of a partial that is alone on its line.
    pub(crate) indent: Option<Span>,
    /// The byte offset of the tag.
    pub(crate) at: usize,
}

/// The name of a partial: fixed, or the result of a sub-expression as in `{{> (lookup . 'x')}}`.
#[derive(Debug)]
pub(crate) enum PartialName {
    Fixed(Box<str>),
    Computed(Call),
}

/// An inline partial: `{{#*inline "name"}}…{{/inline}}`.
#[derive(Debug)]
pub(crate) struct Inline {
    pub(crate) name: Box<str>,
    pub(crate) program: Program,
    pub(crate) open: Strip,
    pub(crate) close: Strip,
}

/// A name with its arguments: the call of a helper, or a variable.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: Path,
    pub(crate) args: Vec<Expr>,
    pub(crate) hash: Vec<Pair>,
    pub(crate) target: Target,
}

/// The meaning of the name of a call. `analyze` sets it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Variable,
    Helper(&'static Helper),
}

/// A named argument: `key=value`.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) key: Box<str>,
    pub(crate) value: Expr,
}

/// An argument of a helper or partial.
#[derive(Debug)]
pub(crate) enum Expr {
    Path(Path),
    Call(Box<Call>),
    Text(Box<str>),
    Number(serde_json::Number),
    Bool(bool),
    Null,
    Undefined,
}

/// `a.b`, `../a`, `@index`, `this`; also a literal in place of a name, as in `{{"a b"}}`.
#[derive(Debug)]
pub(crate) struct Path {
    /// Whether the path starts with `@`.
    pub(crate) is_data: bool,
    /// The number of leading `../`.
    pub(crate) up: usize,
    /// The segments. `analyze` removes the one that `start` represents.
    pub(crate) parts: Vec<Box<str>>,
    /// The text of the path, without the brackets of literal segments.
    pub(crate) text: Box<str>,
    /// The value that the path starts from. `analyze` sets it.
    pub(crate) start: PathStart,
    /// The byte offset of the path.
    pub(crate) at: usize,
}

/// The value that a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathStart {
    /// The context this many levels up; 0 is `this`.
    Context(usize),
    /// A block parameter: the number of programs up, and the index of the parameter.
    Param(usize, usize),
    /// An `@` variable, this many frames up.
    Data(DataVariable, usize),
}

/// An `@` variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataVariable {
    Root,
    Key,
    Index,
    First,
    Last,
    PartialBlock,
    Unknown,
}

impl DataVariable {
    pub(crate) fn from_name(name: &str) -> DataVariable {
        match name {
            "root" => DataVariable::Root,
            "key" => DataVariable::Key,
            "index" => DataVariable::Index,
            "first" => DataVariable::First,
            "last" => DataVariable::Last,
            "partial-block" => DataVariable::PartialBlock,
            _ => DataVariable::Unknown,
        }
    }
}

impl Path {
    /// Creates a path whose start is not resolved yet.
    pub(crate) fn new(
        is_data: bool,
        up: usize,
        parts: Vec<Box<str>>,
        text: Box<str>,
        at: usize,
    ) -> Path {
        Path { is_data, up, parts, text, start: PathStart::Context(up), at }
    }

    /// Whether the path explicitly starts at the context, by the test that handlebars.js uses.
    fn is_scoped(&self) -> bool {
        self.text.starts_with('.') || contains_this(&self.text)
    }

    /// The name, if the path is a single one, which can be a helper or a block parameter.
    pub(crate) fn simple_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if self.up == 0 && !self.is_scoped() => Some(name),
            _ => None,
        }
    }

    /// The first segment, if it can be the name of a block parameter.
    pub(crate) fn param_name(&self) -> Option<&str> {
        if self.up > 0 || self.is_scoped() { None } else { self.parts.first().map(|name| &**name) }
    }
}

/// Whether `this` ends a word anywhere in the path. handlebars.js tests it in this way too.
fn contains_this(path: &str) -> bool {
    path.match_indices("this").any(|(at, _)| {
        let next = path.get(at + 4..).and_then(|rest| rest.bytes().next());
        !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
