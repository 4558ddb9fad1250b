//! The syntax tree of a template, as the parser makes it and `check` completes it.

use super::helpers::Helper;

/// A stretch of the template's source, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn of<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// Whether a tag eats the white space before it (`{{~`) and after it (`~}}`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strip {
    pub(crate) before: bool,
    pub(crate) after: bool,
}

/// A run of statements: a whole template or the inside of a block.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) body: Vec<Node>,
    /// `as |a b|`.
    pub(crate) params: Vec<Box<str>>,
    /// The inline partials defined in here, taken out of the body by `check`.
    pub(crate) inlines: Vec<Inline>,
}

/// A statement. The parser makes texts, inline partials and comments, which `check` replaces by
/// what is shown of them, moves and drops.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Text),
    Shown(Box<str>),
    Mustache(Box<Mustache>),
    /// A mustache that is a path alone.
    Value(Box<Path>),
    Block(Box<Block>),
    Partial(Box<Partial>),
    Inline(Box<Inline>),
    Comment(Strip),
}

/// Literal text; white space control narrows `shown` and looks at `whole`.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) whole: Span,
    pub(crate) shown: Span,
    pub(crate) cut_left: bool,
    pub(crate) cut_right: bool,
}

#[derive(Debug)]
pub(crate) struct Mustache {
    pub(crate) call: Call,
    pub(crate) strip: Strip,
}

/// `{{#x}}…{{else if y}}…{{else}}…{{/x}}`; raw blocks too.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) call: Call,
    pub(crate) open: Strip,
    /// Absent in `{{^x}}…{{/x}}`.
    pub(crate) program: Option<Program>,
    pub(crate) chain: Vec<Arm>,
    pub(crate) inverse: Option<Program>,
    /// The flags of the `{{else}}` before `inverse`.
    pub(crate) inverse_strip: Strip,
    pub(crate) close: Strip,
}

/// `{{else if y}}…`
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
    /// The flags of the closing tag, of a partial with a block.
    pub(crate) close: Strip,
    /// The white space before a partial alone on its line.
    pub(crate) indent: Option<Span>,
    pub(crate) at: usize,
}

#[derive(Debug)]
pub(crate) enum PartialName {
    Fixed(Box<str>),
    Computed(Call),
}

/// `{{#*inline "name"}}…{{/inline}}`
#[derive(Debug)]
pub(crate) struct Inline {
    pub(crate) name: Box<str>,
    pub(crate) program: Program,
    pub(crate) open: Strip,
    pub(crate) close: Strip,
}

/// A name with its arguments: a helper's call, or a value.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: Path,
    pub(crate) args: Vec<Expr>,
    pub(crate) hash: Vec<Pair>,
    pub(crate) target: Target,
}

/// What a call calls; known after `check`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Value,
    Helper(&'static Helper),
}

/// `key=value`
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) key: Box<str>,
    pub(crate) value: Expr,
}

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

/// `a.b`, `../a`, `@index`, `this`; also a literal where a name is expected, as in `{{"a b"}}`.
#[derive(Debug)]
pub(crate) struct Path {
    /// `@…`
    pub(crate) data: bool,
    /// How many `../` lead it.
    pub(crate) up: usize,
    pub(crate) parts: Vec<Box<str>>,
    /// As written, without the brackets of literal segments.
    pub(crate) written: Box<str>,
    /// What it starts from; known after `check`, which takes the part that says so away.
    pub(crate) start: Start,
    pub(crate) at: usize,
}

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A context: `this`, or as many levels above.
    Context(usize),
    /// A block parameter: how many programs up, and which.
    Param(usize, usize),
    /// An `@` variable, as many frames above.
    Data(Variable, usize),
}

/// The `@` variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    Root,
    Key,
    Index,
    First,
    Last,
    PartialBlock,
    Unknown,
}

impl Variable {
    pub(crate) fn named(name: &str) -> Variable {
        match name {
            "root" => Variable::Root,
            "key" => Variable::Key,
            "index" => Variable::Index,
            "first" => Variable::First,
            "last" => Variable::Last,
            "partial-block" => Variable::PartialBlock,
            _ => Variable::Unknown,
        }
    }
}

impl Path {
    /// A path as it was read, before it is known what it starts from.
    pub(crate) fn new(
        data: bool,
        up: usize,
        parts: Vec<Box<str>>,
        written: Box<str>,
        at: usize,
    ) -> Path {
        Path { data, up, parts, written, start: Start::Context(up), at }
    }

    /// Whether it is said to start at `this` (or merely sounds so, as in handlebars.js).
    fn is_scoped(&self) -> bool {
        self.written.starts_with('.') || mentions_this(&self.written)
    }

    /// Whether it is one plain name, which could be a helper or a block parameter.
    pub(crate) fn simple_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if self.up == 0 && !self.is_scoped() => Some(name),
            _ => None,
        }
    }

    /// The name that a block parameter would have to have to be meant.
    pub(crate) fn param_name(&self) -> Option<&str> {
        if self.up > 0 || self.is_scoped() { None } else { self.parts.first().map(|name| &**name) }
    }
}

/// `this` at the end of a word anywhere in the path, which is how handlebars.js looks for it.
fn mentions_this(written: &str) -> bool {
    written.match_indices("this").any(|(at, _)| {
        let next = written.get(at + 4..).and_then(|rest| rest.bytes().next());
        !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
