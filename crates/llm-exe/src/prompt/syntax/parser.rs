//! Parses statements, which are text, values, blocks and partials. The module `expression` parses
//! the expressions inside tags.

use super::lexer::{Lexer, Opening, Piece};
use super::token::{Closing, Token};
use super::tree::{
    Arm, Block, Call, Expr, Inline, Mustache, Node, Partial, PartialName, Program, Span, Strip,
    Target, Text,
};
use crate::prompt::error::{ProblemKind, TemplateProblem};

/// Maximum nesting depth of blocks and sub-expressions in one source.
const MAX_NESTING: usize = 100;

/// The error message for a decorator other than `inline`.
const UNSUPPORTED_DECORATOR: &str =
    "unsupported decorator; only the block `{{#*inline \"name\"}}` is supported";

/// The error message for an inline partial without a literal name.
const INVALID_INLINE_NAME: &str =
    "the name of an inline partial must be a quoted string: `{{#*inline \"name\"}}`";

/// The error message for a partial with two or more positional arguments.
const TOO_MANY_CONTEXTS: &str =
    "a partial accepts at most one context; pass other values as `key=value`";

pub(crate) type ParseResult<T> = Result<T, Box<TemplateProblem>>;

/// Parses a template.
///
/// # Errors
/// Returns the first syntax error.
pub(crate) fn parse(source: &str) -> ParseResult<Program> {
    let mut parser = Parser { lexer: Lexer::new(source), peeked: None, tag: 0, depth: 0 };
    match parser.program()? {
        (program, Stop::End) => Ok(program),
        (_, Stop::Close { at, .. }) => {
            let (_, name) = parser.name(Closing::Two)?;
            let message = format!("the closing tag `{{{{/{}}}}}` has no opening tag", name.text);
            Err(parser.syntax_error(at, message))
        }
        (_, Stop::Else { at, .. } | Stop::ElseIf { at, .. }) => {
            Err(parser.syntax_error(at, "`else` is allowed only inside a block"))
        }
    }
}

/// The tag, or the end of the source, that ends a sequence of statements. `before` is true if the
/// tag starts with `{{~`, and `at` is its byte offset.
enum Stop {
    End,
    Close { before: bool, at: usize },
    Else { strip: Strip, at: usize },
    ElseIf { before: bool, at: usize },
}

/// The name of a block, which its closing tag must repeat. `12` and `"12"` are different names.
#[derive(Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    pub(crate) quoted: bool,
}

/// A parser for the source of one template or partial.
pub(crate) struct Parser<'t> {
    pub(crate) lexer: Lexer<'t>,
    /// The next token and its byte offset, if `peek` has already read it.
    pub(crate) peeked: Option<(Token, usize)>,
    /// The byte offset of the current tag.
    pub(crate) tag: usize,
    /// The current nesting depth.
    pub(crate) depth: usize,
}

impl Parser<'_> {
    /// Creates a syntax error at byte offset `at`.
    pub(crate) fn syntax_error(
        &self,
        at: usize,
        message: impl Into<String>,
    ) -> Box<TemplateProblem> {
        self.problem(ProblemKind::Syntax, at, message)
    }

    fn problem(
        &self,
        kind: ProblemKind,
        at: usize,
        message: impl Into<String>,
    ) -> Box<TemplateProblem> {
        Box::new(TemplateProblem::new(kind, self.lexer.source, at, message))
    }

    /// Increases the nesting depth. The caller must decrease `depth` afterwards.
    pub(crate) fn enter(&mut self, at: usize) -> ParseResult<()> {
        self.depth += 1;
        if self.depth <= MAX_NESTING {
            return Ok(());
        }
        let message = format!(
            "blocks and sub-expressions are nested too deeply (maximum: {MAX_NESTING} levels)"
        );
        Err(self.problem(ProblemKind::TooDeep, at, message))
    }

    /// Parses statements up to the end of the enclosing block or of the source.
    fn program(&mut self) -> ParseResult<(Program, Stop)> {
        let mut body = Vec::new();
        loop {
            let piece =
                self.lexer.piece().map_err(|(at, message)| self.syntax_error(at, message))?;
            let (opening, before, at) = match piece {
                Piece::Text(span) => {
                    body.push(text(span));
                    continue;
                }
                Piece::End => return Ok((new_program(body), Stop::End)),
                Piece::Tag { opening, before, at } => (opening, before, at),
            };
            self.tag = at;
            let stop = match opening {
                Opening::Close => Stop::Close { before, at },
                Opening::Else { after } => Stop::Else { strip: Strip { before, after }, at },
                Opening::ElseIf => Stop::ElseIf { before, at },
                _ => {
                    self.enter(at)?;
                    body.push(self.statement(opening, before, at)?);
                    self.depth -= 1;
                    continue;
                }
            };
            return Ok((new_program(body), stop));
        }
    }

    /// Parses the rest of a statement whose opening has already been read.
    fn statement(&mut self, opening: Opening, before: bool, at: usize) -> ParseResult<Node> {
        match opening {
            Opening::Comment { after } => Ok(Node::Comment(Strip { before, after })),
            Opening::Triple => self.mustache(before, Closing::Three),
            Opening::Decorator => Err(self.syntax_error(at, UNSUPPORTED_DECORATOR)),
            Opening::Block => self.block(before, at, false),
            Opening::InverseBlock => self.block(before, at, true),
            Opening::DecoratorBlock => self.inline(before, at),
            Opening::Partial => self.partial(before, at),
            Opening::PartialBlock => self.partial_block(before, at),
            Opening::Raw => self.raw_block(at),
            _ => self.mustache(before, Closing::Two),
        }
    }

    /// Parses the rest of `{{x}}` or `{{{x}}}`.
    fn mustache(&mut self, before: bool, closing: Closing) -> ParseResult<Node> {
        let (call, _) = self.call(closing)?;
        let after = self.close(closing)?;
        let strip = Strip { before, after };
        Ok(Node::Mustache(Box::new(Mustache { call, strip })))
    }

    /// Parses the rest of `{{#name}}…{{/name}}`, or of `{{^name}}…{{/name}}` if `inverted` is true.
    fn block(&mut self, before: bool, at: usize, inverted: bool) -> ParseResult<Node> {
        let (call, name) = self.call(Closing::Two)?;
        let params = self.block_params()?;
        let open = Strip { before, after: self.close(Closing::Two)? };
        let (mut program, mut stop) = self.program()?;
        program.params = params;

        let mut chain = Vec::new();
        while let Stop::ElseIf { before, at } = stop {
            if inverted {
                return Err(self.syntax_error(
                    at,
                    "a block that begins with `{{^` allows `else` but not `else if`",
                ));
            }
            let (arm, next) = self.arm(before)?;
            chain.push(arm);
            stop = next;
        }
        let mut inverse = None;
        let mut inverse_strip = Strip::default();
        if let Stop::Else { strip, .. } = stop {
            inverse_strip = strip;
            let (program, next) = self.program()?;
            inverse = Some(program);
            stop = next;
        }
        let close = self.closing_tag(stop, &name, at)?;
        let (program, inverse) =
            if inverted { (inverse, Some(program)) } else { (Some(program), inverse) };
        let is_raw = false;
        let block = Block { call, open, program, chain, inverse, inverse_strip, close, is_raw };
        Ok(Node::Block(Box::new(block)))
    }

    /// Parses the rest of `{{else if x}}` and the statements that follow it.
    fn arm(&mut self, before: bool) -> ParseResult<(Arm, Stop)> {
        let (call, _) = self.call(Closing::Two)?;
        let params = self.block_params()?;
        let strip = Strip { before, after: self.close(Closing::Two)? };
        let (mut program, stop) = self.program()?;
        program.params = params;
        Ok((Arm { call, strip, program }, stop))
    }

    /// Parses the closing tag of the block `name`, whose opening tag is at byte offset `opened`.
    fn closing_tag(&mut self, stop: Stop, name: &Name, opened: usize) -> ParseResult<Strip> {
        let (before, at) = match stop {
            Stop::Close { before, at } => (before, at),
            Stop::End => {
                let name = &name.text;
                let message =
                    format!("the block `{name}` is never closed; expected `{{{{/{name}}}}}`");
                return Err(self.syntax_error(opened, message));
            }
            Stop::Else { at, .. } | Stop::ElseIf { at, .. } => {
                let message = format!("unexpected `else`; expected `{{{{/{}}}}}`", name.text);
                return Err(self.syntax_error(at, message));
            }
        };
        let (_, closed) = self.name(Closing::Two)?;
        if closed != *name {
            let (expected, found) = (&name.text, &closed.text);
            let message = format!(
                "expected `{{{{/{expected}}}}}` to close the block, found `{{{{/{found}}}}}`"
            );
            return Err(self.syntax_error(at, message));
        }
        Ok(Strip { before, after: self.close(Closing::Two)? })
    }

    /// Parses the rest of `{{{{name}}}}…{{{{/name}}}}`.
    fn raw_block(&mut self, at: usize) -> ParseResult<Node> {
        let (call, name) = self.call(Closing::Four)?;
        self.close(Closing::Four)?;
        let Some((texts, closed)) = self.lexer.raw_contents() else {
            let name = &name.text;
            let message = format!(
                "the raw block `{name}` is never closed; expected `{{{{{{{{/{name}}}}}}}}}`"
            );
            return Err(self.syntax_error(at, message));
        };
        let closed_name = closed.text(self.lexer.source);
        if *closed_name != *name.text || !name.quoted {
            let message = format!(
                "expected `{{{{{{{{/{}}}}}}}}}` to close the raw block, found \
                 `{{{{{{{{/{closed_name}}}}}}}}}`",
                name.text
            );
            return Err(self.syntax_error(closed.start, message));
        }
        let program = new_program(texts.into_iter().map(text).collect());
        Ok(Node::Block(Box::new(Block {
            call,
            open: Strip::default(),
            program: Some(program),
            chain: Vec::new(),
            inverse: None,
            inverse_strip: Strip::default(),
            close: Strip::default(),
            is_raw: true,
        })))
    }

    /// Parses the rest of `{{#*inline "name"}}…{{/inline}}`.
    fn inline(&mut self, before: bool, at: usize) -> ParseResult<Node> {
        let (call, name) = self.call(Closing::Two)?;
        self.block_params()?;
        let open = Strip { before, after: self.close(Closing::Two)? };
        let (program, stop) = self.program()?;
        let close = self.closing_tag(stop, &name, at)?;
        if &*name.text != "inline" {
            return Err(self.syntax_error(at, UNSUPPORTED_DECORATOR));
        }
        let name = match call.args.into_iter().next() {
            Some(Expr::Text(text)) => text,
            Some(Expr::Number(number)) => number.to_string().into(),
            _ => return Err(self.syntax_error(at, INVALID_INLINE_NAME)),
        };
        Ok(Node::Inline(Box::new(Inline { name, program, open, close })))
    }

    /// Parses the rest of `{{> name}}`.
    fn partial(&mut self, before: bool, at: usize) -> ParseResult<Node> {
        let (mut partial, _) = self.open_partial(at)?;
        partial.strip = Strip { before, after: self.close(Closing::Two)? };
        Ok(Node::Partial(Box::new(partial)))
    }

    /// Parses the rest of `{{#> name}}…{{/name}}`.
    fn partial_block(&mut self, before: bool, at: usize) -> ParseResult<Node> {
        let (mut partial, name) = self.open_partial(at)?;
        partial.strip = Strip { before, after: self.close(Closing::Two)? };
        let (program, stop) = self.program()?;
        partial.close = self.closing_tag(stop, &name, at)?;
        partial.block = Some(program);
        Ok(Node::Partial(Box::new(partial)))
    }

    /// Parses the name and the arguments of a partial. Also returns the name that a closing tag
    /// must repeat.
    fn open_partial(&mut self, at: usize) -> ParseResult<(Partial, Name)> {
        let (name, closing_name) = if self.peek(Closing::Two) == &Token::OpenCall {
            let call = self.sub_expression(Closing::Two)?;
            let closing_name = Name { text: "undefined".into(), quoted: false };
            (PartialName::Computed(call), closing_name)
        } else {
            let (path, name) = self.name(Closing::Two)?;
            (PartialName::Fixed(path.text), name)
        };
        let (mut args, hash) = self.arguments(Closing::Two)?;
        if args.len() > 1 {
            return Err(self.syntax_error(at, TOO_MANY_CONTEXTS));
        }
        let (strip, close) = (Strip::default(), Strip::default());
        let context = args.pop();
        let partial = Partial { name, context, hash, block: None, strip, close, indent: None, at };
        Ok((partial, closing_name))
    }

    /// Parses a name and its arguments in a tag or a sub-expression.
    pub(crate) fn call(&mut self, closing: Closing) -> ParseResult<(Call, Name)> {
        let (path, name) = self.name(closing)?;
        let (args, hash) = self.arguments(closing)?;
        Ok((Call { path, args, hash, target: Target::Variable }, name))
    }
}

fn new_program(body: Vec<Node>) -> Program {
    Program { body, ..Program::default() }
}

fn text(span: Span) -> Node {
    let (start_stripped, end_stripped) = (false, false);
    Node::Text(Text { whole: span, remaining: span, start_stripped, end_stripped })
}
