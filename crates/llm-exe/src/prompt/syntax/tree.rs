//! The syntax tree of a template. The parser builds the tree and `analyze` completes it.

use crate::prompt::helpers::args::Helper;

/// A range of byte offsets in the source of a template or partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Returns the text in this range of `source`.
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

/// A sequence of statements, which is either a whole template or the body of a block.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) body: Vec<Node>,
    /// The names of the block parameters, `as |a b|`.
    pub(crate) params: Vec<Box<str>>,
    /// The inline partials that this program defines. `analyze` moves them here from `body`.
    pub(crate) inlines: Vec<Inline>,
}

/// A statement. `analyze` replaces each `Text` with a `Literal`, moves each `Inline` to
/// [`Program::inlines`] and removes each `Comment`.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Text),
    /// Text that is rendered unchanged.
    Literal(Box<str>),
    Mustache(Box<Mustache>),
    /// A mustache that consists only of a path, which is rendered without a helper.
    Value(Box<Path>),
    Block(Box<Block>),
    Partial(Box<Partial>),
    Inline(Box<Inline>),
    Comment(Strip),
}

/// The text between two tags, and the part of the text that remains after white space control.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) whole: Span,
    pub(crate) remaining: Span,
    pub(crate) start_stripped: bool,
    pub(crate) end_stripped: bool,
}

/// A mustache, such as `{{x}}`, `{{{x}}}` or `{{helper x}}`.
#[derive(Debug)]
pub(crate) struct Mustache {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
}

/// A block, such as `{{#x}}…{{else if y}}…{{else}}…{{/x}}`, or a raw block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) call: Call,
    pub(crate) open: Strip,
    /// The body that is rendered if the condition is met. `None` for `{{^x}}…{{/x}}`, whose body is
    /// in `inverse`.
    pub(crate) program: Option<Program>,
    pub(crate) chain: Vec<Arm>,
    pub(crate) inverse: Option<Program>,
    /// The `~` flags of the `{{else}}` tag before `inverse`.
    pub(crate) inverse_strip: Strip,
    pub(crate) close: Strip,
    /// Whether this is a raw block, whose body is text.
    pub(crate) is_raw: bool,
}

/// An `{{else if y}}` branch of a block.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
    pub(crate) program: Program,
}

/// A tag that includes a partial, such as `{{> name context key=value}}` or
/// `{{#> name}}…{{/name}}`.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) name: PartialName,
    pub(crate) context: Option<Expr>,
    pub(crate) hash: Vec<Pair>,
    pub(crate) block: Option<Program>,
    pub(crate) strip: Strip,
    /// The `~` flags of the closing tag. They are used only if the partial has a block.
    pub(crate) close: Strip,
    /// The indentation of the tag if the tag is alone on its line.
    pub(crate) indent: Option<Span>,
    /// The byte offset of the tag in the source.
    pub(crate) at: usize,
}

/// The name of a partial. The name is fixed, or a sub-expression computes it, as in
/// `{{> (lookup . 'x')}}`.
#[derive(Debug)]
pub(crate) enum PartialName {
    Fixed(Box<str>),
    Computed(Call),
}

/// The definition of an inline partial, `{{#*inline "name"}}…{{/inline}}`.
#[derive(Debug)]
pub(crate) struct Inline {
    pub(crate) name: Box<str>,
    pub(crate) program: Program,
    pub(crate) open: Strip,
    pub(crate) close: Strip,
}

/// A name with its arguments, which is either a helper call or a variable.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: Path,
    pub(crate) args: Vec<Expr>,
    pub(crate) hash: Vec<Pair>,
    pub(crate) target: Target,
}

/// What the name of a call refers to, as determined by `analyze`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Variable,
    Helper(&'static Helper),
    /// A helper that is called with a wrong number of arguments, which is an error when the call is
    /// rendered.
    InvalidCall(&'static Helper),
}

/// A named argument, `key=value`.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) key: Box<str>,
    pub(crate) value: Expr,
}

/// An argument of a helper or of a partial.
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

/// A path, such as `a.b`, `../a`, `@index` or `this`. A literal that is used as a name, as in
/// `{{"a b"}}`, is also a path.
#[derive(Debug)]
pub(crate) struct Path {
    /// Whether the path starts with `@`.
    pub(crate) is_data: bool,
    /// The number of leading `../`.
    pub(crate) up: usize,
    /// The segments of the path. `analyze` removes the segments that `start` represents.
    pub(crate) parts: Vec<Box<str>>,
    /// The text of the path without the brackets of literal segments.
    pub(crate) text: Box<str>,
    /// The value in which the lookup of the segments starts, as determined by `analyze`.
    pub(crate) start: PathStart,
    /// The byte offset of the path in the source.
    pub(crate) at: usize,
}

/// The value that a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathStart {
    /// The context this many levels up. Level 0 is `this`.
    Context(usize),
    /// A block parameter. The first number counts the enclosing programs with block parameters to
    /// skip, and the second is the index of the parameter.
    Param(usize, usize),
    /// An `@` variable of the block this many levels up.
    Data(DataVariable, usize),
}

/// An `@` variable, such as `@index`.
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
    /// Creates a path. `analyze` resolves the start of the path later.
    pub(crate) fn new(
        is_data: bool,
        up: usize,
        parts: Vec<Box<str>>,
        text: Box<str>,
        at: usize,
    ) -> Path {
        Path { is_data, up, parts, text, start: PathStart::Context(up), at }
    }

    /// Returns whether the path explicitly starts at the context. The check is the same as in
    /// handlebars.js.
    fn is_scoped(&self) -> bool {
        self.text.starts_with('.') || contains_this(&self.text)
    }

    /// Returns the name if the path consists of a single name, which can refer to a helper or to a
    /// block parameter.
    pub(crate) fn simple_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if self.up == 0 && !self.is_scoped() => Some(name),
            _ => None,
        }
    }

    /// Returns the first segment of the path if it can be the name of a block parameter.
    pub(crate) fn param_name(&self) -> Option<&str> {
        if self.up > 0 || self.is_scoped() { None } else { self.parts.first().map(|name| &**name) }
    }
}

/// Returns whether any word in the path ends with `this`. The check is intentionally the same as in
/// handlebars.js.
fn contains_this(path: &str) -> bool {
    // Paths are short, so preparing a search for a substring would take longer than the search.
    let bytes = path.as_bytes();
    bytes.windows(4).enumerate().any(|(at, word)| {
        let next = bytes.get(at + 4);
        word == b"this" && !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    })
}
