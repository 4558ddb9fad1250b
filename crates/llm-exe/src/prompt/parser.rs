//! The parser of statements: source in, syntax tree out. Partials are in `parser_partials`,
//! expressions in `expression`.

use super::ast::{Arm, Block, Call, Mustache, Node, Path, Program, Span, Strip, Target, Text};
use super::error::{ProblemKind, TemplateProblem};
use super::lexer::{Lexer, Opening, Piece};
use super::token::{Closing, Token};

/// How deep blocks and sub-expressions may stand inside each other in one source.
pub(crate) const NESTING: usize = 100;

pub(crate) type Parsed<T> = Result<T, Box<TemplateProblem>>;

/// Reads a template.
pub(crate) fn parse(source: &str) -> Parsed<Program> {
    let mut parser = Parser { lexer: Lexer::new(source), peeked: None, depth: 0 };
    match parser.program()? {
        (program, Stop::End) => Ok(program),
        (_, Stop::Close { at, .. }) => {
            Err(parser.wrong(at, "this closes a block, but no block is open here"))
        }
        (_, Stop::Else { at, .. } | Stop::ElseIf { at, .. }) => {
            Err(parser.wrong(at, "`else` outside of a block"))
        }
    }
}

/// What ended a run of statements.
pub(crate) enum Stop {
    End,
    Close { before: bool, at: usize },
    Else { strip: Strip, at: usize },
    ElseIf { before: bool, at: usize },
}

/// A block's name as its closing tag must repeat it; `12` and `"12"` are different names.
#[derive(Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    pub(crate) quoted: bool,
}

pub(crate) struct Parser<'t> {
    pub(crate) lexer: Lexer<'t>,
    pub(crate) peeked: Option<(Token, usize)>,
    pub(crate) depth: usize,
}

impl Parser<'_> {
    pub(crate) fn wrong(&self, at: usize, message: impl Into<String>) -> Box<TemplateProblem> {
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

    /// Goes one level deeper into the source.
    pub(crate) fn enter(&mut self, at: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= NESTING {
            return Ok(());
        }
        let message = format!("blocks and sub-expressions are more than {NESTING} levels deep");
        Err(self.problem(ProblemKind::TooDeep, at, message))
    }

    pub(crate) fn program(&mut self) -> Parsed<(Program, Stop)> {
        let mut body = Vec::new();
        loop {
            let piece = self.lexer.piece().map_err(|(at, message)| self.wrong(at, message))?;
            let (opening, before, at) = match piece {
                Piece::Text(span) => {
                    body.push(text(span));
                    continue;
                }
                Piece::End => return Ok((self.inside(body), Stop::End)),
                Piece::Tag { opening, before, at } => (opening, before, at),
            };
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
            return Ok((self.inside(body), stop));
        }
    }

    fn inside(&self, body: Vec<Node>) -> Program {
        Program { body, ..Program::default() }
    }

    fn statement(&mut self, opening: Opening, before: bool, at: usize) -> Parsed<Node> {
        match opening {
            Opening::Comment { after } => Ok(Node::Comment(Strip { before, after })),
            Opening::Triple => self.mustache(before, Closing::Three),
            Opening::Decorator => Err(self.wrong(at, NO_DECORATORS)),
            Opening::Block => self.block(before, at, false),
            Opening::InverseBlock => self.block(before, at, true),
            Opening::DecoratorBlock => self.inline(before, at),
            Opening::Partial => self.partial(before, at),
            Opening::PartialBlock => self.partial_block(before, at),
            Opening::Raw => self.raw_block(at),
            _ => self.mustache(before, Closing::Two),
        }
    }

    fn mustache(&mut self, before: bool, closing: Closing) -> Parsed<Node> {
        let (call, _) = self.call(closing)?;
        let after = self.close(closing)?;
        let strip = Strip { before, after };
        Ok(Node::Mustache(Box::new(Mustache { call, strip })))
    }

    fn block(&mut self, before: bool, at: usize, inverted: bool) -> Parsed<Node> {
        let (call, name) = self.call(Closing::Two)?;
        let params = self.block_params()?;
        let open = Strip { before, after: self.close(Closing::Two)? };
        let (mut program, mut stop) = self.program()?;
        program.params = params;

        let mut chain = Vec::new();
        while let Stop::ElseIf { before, at } = stop {
            if inverted {
                return Err(self.wrong(at, "an inverted block takes a plain `else` only"));
            }
            let (arm, next) = self.arm(before)?;
            chain.push(arm);
            stop = next;
        }
        let mut inverse = None;
        let mut inverse_strip = Strip::default();
        if let Stop::Else { strip, .. } = stop {
            inverse_strip = strip;
            let (otherwise, next) = self.program()?;
            inverse = Some(otherwise);
            stop = next;
        }
        let close = self.closing_tag(stop, &name, at)?;
        let (program, inverse) =
            if inverted { (inverse, Some(program)) } else { (Some(program), inverse) };
        let block = Block { call, open, program, chain, inverse, inverse_strip, close };
        Ok(Node::Block(Box::new(block)))
    }

    /// `else if x}}` and what follows it.
    fn arm(&mut self, before: bool) -> Parsed<(Arm, Stop)> {
        let (call, _) = self.call(Closing::Two)?;
        let params = self.block_params()?;
        let strip = Strip { before, after: self.close(Closing::Two)? };
        let (mut program, stop) = self.program()?;
        program.params = params;
        Ok((Arm { call, strip, program }, stop))
    }

    /// The closing tag of the block `name` that opened at byte `opened`.
    pub(crate) fn closing_tag(&mut self, stop: Stop, name: &Name, opened: usize) -> Parsed<Strip> {
        let (before, at) = match stop {
            Stop::Close { before, at } => (before, at),
            Stop::End => {
                let message = format!("the block `{}` is never closed", name.text);
                return Err(self.wrong(opened, message));
            }
            Stop::Else { at, .. } | Stop::ElseIf { at, .. } => {
                return Err(self.wrong(at, "no `else` can stand here"));
            }
        };
        let (_, closed) = self.name(Closing::Two)?;
        if closed != *name {
            let Name { text, .. } = name;
            let message = format!("`{text}` doesn't match `{}`, which closes it", closed.text);
            return Err(self.wrong(at, message));
        }
        Ok(Strip { before, after: self.close(Closing::Two)? })
    }

    fn raw_block(&mut self, at: usize) -> Parsed<Node> {
        let (call, name) = self.call(Closing::Four)?;
        self.close(Closing::Four)?;
        let Some((texts, closed)) = self.lexer.raw_contents() else {
            return Err(self.wrong(at, format!("the raw block `{}` is never closed", name.text)));
        };
        let closed_name = closed.of(self.lexer.source);
        if *closed_name != *name.text || !name.quoted {
            let message = format!("`{}` doesn't match `{closed_name}`", name.text);
            return Err(self.wrong(closed.start, message));
        }
        let program = self.inside(texts.into_iter().map(text).collect());
        Ok(Node::Block(Box::new(Block {
            call,
            open: Strip::default(),
            program: Some(program),
            chain: Vec::new(),
            inverse: None,
            inverse_strip: Strip::default(),
            close: Strip::default(),
        })))
    }

    /// A name with its arguments, as in a tag or a sub-expression.
    pub(crate) fn call(&mut self, closing: Closing) -> Parsed<(Call, Name)> {
        let (path, name): (Path, Name) = self.name(closing)?;
        let (args, hash) = self.arguments(closing)?;
        Ok((Call { path, args, hash, target: Target::Value }, name))
    }
}

/// Why a decorator is refused.
pub(crate) const NO_DECORATORS: &str =
    "of decorators, only the block `{{#*inline \"name\"}}` is known";

fn text(span: Span) -> Node {
    Node::Text(Text { whole: span, shown: span, cut_left: false, cut_right: false })
}
