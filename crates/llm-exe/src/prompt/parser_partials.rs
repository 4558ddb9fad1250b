//! The parser of partials: their tags, their blocks, and the inline ones.

use super::ast::{Expr, Inline, Node, Partial, PartialName, Strip};
use super::parser::{NO_DECORATORS, Name, Parsed, Parser};
use super::token::{Closing, Token};

impl Parser<'_> {
    pub(crate) fn inline(&mut self, before: bool, at: usize) -> Parsed<Node> {
        let (call, name) = self.call(Closing::Two)?;
        self.block_params()?;
        let open = Strip { before, after: self.close(Closing::Two)? };
        let (program, stop) = self.program()?;
        let close = self.closing_tag(stop, &name, at)?;
        if &*name.text != "inline" {
            return Err(self.wrong(at, NO_DECORATORS));
        }
        let name = match call.args.into_iter().next() {
            Some(Expr::Text(text)) => text,
            Some(Expr::Number(number)) => number.to_string().into(),
            _ => return Err(self.wrong(at, "an inline partial's name must be a text in quotes")),
        };
        Ok(Node::Inline(Box::new(Inline { name, program, open, close })))
    }

    pub(crate) fn partial(&mut self, before: bool, at: usize) -> Parsed<Node> {
        let (mut partial, _) = self.open_partial(at)?;
        partial.strip = Strip { before, after: self.close(Closing::Two)? };
        Ok(Node::Partial(Box::new(partial)))
    }

    pub(crate) fn partial_block(&mut self, before: bool, at: usize) -> Parsed<Node> {
        let (mut partial, name) = self.open_partial(at)?;
        partial.strip = Strip { before, after: self.close(Closing::Two)? };
        let (program, stop) = self.program()?;
        partial.close = self.closing_tag(stop, &name, at)?;
        partial.block = Some(program);
        Ok(Node::Partial(Box::new(partial)))
    }

    fn open_partial(&mut self, at: usize) -> Parsed<(Partial, Name)> {
        let (name, repeated) = if self.peek(Closing::Two) == &Token::OpenCall {
            let call = self.sub_expression(Closing::Two)?;
            let repeated = Name { text: "undefined".into(), quoted: false };
            (PartialName::Computed(call), repeated)
        } else {
            let (path, name) = self.name(Closing::Two)?;
            (PartialName::Fixed(path.written), name)
        };
        let (mut args, hash) = self.arguments(Closing::Two)?;
        if args.len() > 1 {
            return Err(self.wrong(at, "a partial takes one context at most; name the others"));
        }
        let (strip, close) = (Strip::default(), Strip::default());
        let context = args.pop();
        let partial = Partial { name, context, hash, block: None, strip, close, indent: None, at };
        Ok((partial, repeated))
    }
}
