//! The parser of what stands inside a tag: names, arguments, sub-expressions.

use super::ast::{Call, Expr, Pair, Path};
use super::parser::{Name, Parsed, Parser};
use super::token::{Closing, Token};

/// How many block parameters a block may name; no helper gives more than two.
const MOST_PARAMS: usize = 16;

impl Parser<'_> {
    pub(crate) fn peek(&mut self, closing: Closing) -> &Token {
        let lexer = &mut self.lexer;
        &self.peeked.get_or_insert_with(|| lexer.token(closing)).0
    }

    fn next(&mut self, closing: Closing) -> (Token, usize) {
        self.peeked.take().unwrap_or_else(|| self.lexer.token(closing))
    }

    fn unexpected<T>(&self, (token, at): &(Token, usize), wanted: &str) -> Parsed<T> {
        Err(self.wrong(*at, format!("expected {wanted}, found {}", token.name())))
    }

    /// The end of the tag; whether it eats the white space after it.
    pub(crate) fn close(&mut self, closing: Closing) -> Parsed<bool> {
        match self.next(closing) {
            (Token::Close { after }, _) => Ok(after),
            found => self.unexpected(&found, "the end of the tag"),
        }
    }

    /// What a tag starts with: a path, or a literal that stands for one.
    pub(crate) fn name(&mut self, closing: Closing) -> Parsed<(Path, Name)> {
        let (token, at) = self.next(closing);
        let (text, quoted) = match token {
            Token::Id { .. } | Token::Data => {
                let path = self.path((token, at), closing)?;
                let name = Name { text: path.written.clone(), quoted: true };
                return Ok((path, name));
            }
            Token::Text(text) => (text, true),
            Token::Number(number) => (super::number::print(number.as_str()).into(), false),
            Token::Bool(value) => (value.to_string().into(), false),
            Token::Null => ("null".into(), false),
            Token::Undefined => ("undefined".into(), false),
            _ => return self.unexpected(&(token, at), "a name"),
        };
        let (parts, written) = (vec![text.clone()], text.clone());
        let path = Path::new(false, 0, parts, written, at);
        Ok((path, Name { text, quoted }))
    }

    /// A path whose first token has been taken.
    fn path(&mut self, first: (Token, usize), closing: Closing) -> Parsed<Path> {
        let at = first.1;
        let data = first.0 == Token::Data;
        let mut token = if data { self.next(closing) } else { first };
        let mut parts = Vec::new();
        let mut up = 0;
        let mut written = String::from(if data { "@" } else { "" });
        loop {
            let (Token::Id { text, literal }, _) = token else {
                return self.unexpected(&token, "a name");
            };
            written.push_str(&text);
            if literal || !matches!(&*text, "." | ".." | "this") {
                parts.push(text);
            } else if !parts.is_empty() {
                return Err(self.wrong(at, format!("`{written}` is no path")));
            } else if &*text == ".." {
                up += 1;
            }
            if self.peek(closing) != &Token::Separator {
                break;
            }
            let (_, separator) = self.next(closing);
            let slash = self.lexer.rest(separator).starts_with('/');
            written.push(if slash { '/' } else { '.' });
            token = self.next(closing);
        }
        Ok(Path::new(data, up, parts, written.into(), at))
    }

    /// Arguments by place, then by name.
    pub(crate) fn arguments(&mut self, closing: Closing) -> Parsed<(Vec<Expr>, Vec<Pair>)> {
        let mut args = Vec::new();
        let mut hash: Vec<Pair> = Vec::new();
        loop {
            let starts = matches!(
                self.peek(closing),
                Token::Id { .. }
                    | Token::Data
                    | Token::Text(_)
                    | Token::Number(_)
                    | Token::Bool(_)
                    | Token::Null
                    | Token::Undefined
                    | Token::OpenCall
            );
            if !starts {
                return Ok((args, hash));
            }
            let first = self.next(closing);
            let is_id = matches!(first.0, Token::Id { .. });
            if is_id && self.peek(closing) == &Token::Equals {
                self.next(closing);
                let Token::Id { text: key, .. } = first.0 else {
                    continue;
                };
                let token = self.next(closing);
                let value = self.expression(token, closing)?;
                hash.push(Pair { key, value });
            } else if hash.is_empty() {
                let arg = self.expression(first, closing)?;
                args.push(arg);
            } else {
                return self.unexpected(&first, "another `key=value`");
            }
        }
    }

    fn expression(&mut self, first: (Token, usize), closing: Closing) -> Parsed<Expr> {
        Ok(match first.0 {
            Token::Text(text) => Expr::Text(text),
            Token::Number(number) => Expr::Number(number),
            Token::Bool(value) => Expr::Bool(value),
            Token::Null => Expr::Null,
            Token::Undefined => Expr::Undefined,
            Token::OpenCall => {
                self.peeked = Some(first);
                Expr::Call(Box::new(self.sub_expression(closing)?))
            }
            Token::Id { .. } | Token::Data => Expr::Path(self.path(first, closing)?),
            _ => return self.unexpected(&first, "a value"),
        })
    }

    /// `(name arguments)`
    pub(crate) fn sub_expression(&mut self, closing: Closing) -> Parsed<Call> {
        let (_, at) = self.next(closing);
        self.enter(at)?;
        let (call, _) = self.call(closing)?;
        match self.next(closing) {
            (Token::CloseCall, _) => {}
            found => return self.unexpected(&found, "`)`"),
        }
        self.depth -= 1;
        Ok(call)
    }

    /// `as |a b|`
    pub(crate) fn block_params(&mut self) -> Parsed<Vec<Box<str>>> {
        let mut params = Vec::new();
        if self.peek(Closing::Two) != &Token::OpenParams {
            return Ok(params);
        }
        self.next(Closing::Two);
        loop {
            match self.next(Closing::Two) {
                (Token::Id { text, .. }, _) if params.len() < MOST_PARAMS => params.push(text),
                (Token::CloseParams, _) if !params.is_empty() => return Ok(params),
                found => return self.unexpected(&found, "the name of a block parameter"),
            }
        }
    }
}
