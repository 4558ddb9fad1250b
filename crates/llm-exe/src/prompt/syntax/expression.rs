//! Parses the expressions inside a tag: names, arguments and sub-expressions.

use super::parser::{Name, ParseResult, Parser};
use super::token::{Closing, Token};
use super::tree::{Call, Expr, Pair, Path};
use crate::prompt::error::line_and_column;
use crate::prompt::number::Number;

/// Maximum number of block parameters. Helpers provide at most two values, so more parameters are
/// never useful.
const MAX_PARAMS: usize = 16;

impl Parser<'_> {
    /// Returns the next token without consuming it.
    pub(crate) fn peek(&mut self, closing: Closing) -> &Token {
        let lexer = &mut self.lexer;
        &self.peeked.get_or_insert_with(|| lexer.token(closing)).0
    }

    fn next(&mut self, closing: Closing) -> (Token, usize) {
        self.peeked.take().unwrap_or_else(|| self.lexer.token(closing))
    }

    /// Creates the error for a token. A tag that is never closed is reported at its start, because
    /// the end of the template can be many lines below it.
    fn unexpected<T>(&self, (token, at): &(Token, usize), expected: &str) -> ParseResult<T> {
        let source = self.lexer.source;
        if *token == Token::End {
            let braces = self.lexer.rest(self.tag).bytes().take_while(|byte| *byte == b'{').count();
            let closing = "}".repeat(braces);
            let message = format!("the tag is never closed; expected `{closing}`");
            return Err(self.syntax_error(self.tag, message));
        }
        let mut message = format!("expected {expected}, found {}", token.describe());
        if source.get(self.tag..*at).is_some_and(|tag| tag.contains('\n')) {
            let (line, column) = line_and_column(source, self.tag);
            message.push_str(&format!(", in the tag that opens at line {line}, column {column}"));
        }
        Err(self.syntax_error(*at, message))
    }

    /// Parses the end of the tag. Returns whether the tag removes the white space after it (`~}}`).
    pub(crate) fn close(&mut self, closing: Closing) -> ParseResult<bool> {
        match self.next(closing) {
            (Token::Close { after }, _) => Ok(after),
            token => self.unexpected(&token, closing.braces()),
        }
    }

    /// Parses the name at the start of a tag, which is either a path or a literal that is used as a
    /// path.
    pub(crate) fn name(&mut self, closing: Closing) -> ParseResult<(Path, Name)> {
        let (token, at) = self.next(closing);
        let (text, quoted) = match token {
            Token::Id { .. } | Token::Data => {
                let path = self.path((token, at), closing)?;
                let name = Name { text: path.text.clone(), quoted: true };
                return Ok((path, name));
            }
            Token::Text(text) => (text, true),
            Token::Number(number) => (Number::Literal(&number).to_js_string().into(), false),
            Token::Bool(value) => (value.to_string().into(), false),
            Token::Null => ("null".into(), false),
            Token::Undefined => ("undefined".into(), false),
            _ => return self.unexpected(&(token, at), "a name"),
        };
        let path = Path::new(false, 0, vec![text.clone()], text.clone(), at);
        Ok((path, Name { text, quoted }))
    }

    /// Parses a path whose first token has already been consumed.
    fn path(&mut self, first: (Token, usize), closing: Closing) -> ParseResult<Path> {
        let at = first.1;
        let is_data = first.0 == Token::Data;
        let mut token = if is_data { self.next(closing) } else { first };
        let mut parts = Vec::new();
        let mut up = 0;
        let mut path = String::from(if is_data { "@" } else { "" });
        loop {
            let (Token::Id { text, literal }, _) = token else {
                return self.unexpected(&token, "a name");
            };
            path.push_str(&text);
            if literal || !matches!(&*text, "." | ".." | "this") {
                parts.push(text);
            } else if !parts.is_empty() {
                let message = format!(
                    "`{path}`: `.`, `..` and `this` are allowed only at the start of a path"
                );
                return Err(self.syntax_error(at, message));
            } else if &*text == ".." {
                up += 1;
            }
            if self.peek(closing) != &Token::Separator {
                break;
            }
            let (_, separator) = self.next(closing);
            let slash = self.lexer.rest(separator).starts_with('/');
            path.push(if slash { '/' } else { '.' });
            token = self.next(closing);
        }
        Ok(Path::new(is_data, up, parts, path.into(), at))
    }

    /// Parses the positional arguments and the named arguments that follow them.
    pub(crate) fn arguments(&mut self, closing: Closing) -> ParseResult<(Vec<Expr>, Vec<Pair>)> {
        let mut args = Vec::new();
        let mut hash: Vec<Pair> = Vec::new();
        loop {
            let is_argument = matches!(
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
            if !is_argument {
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
                return self.unexpected(&first, "`key=value` (positional arguments come first)");
            }
        }
    }

    fn expression(&mut self, first: (Token, usize), closing: Closing) -> ParseResult<Expr> {
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

    /// Parses a sub-expression, `(name arguments)`.
    pub(crate) fn sub_expression(&mut self, closing: Closing) -> ParseResult<Call> {
        let (_, at) = self.next(closing);
        self.enter(at)?;
        let (call, _) = self.call(closing)?;
        match self.next(closing) {
            (Token::CloseCall, _) => {}
            token => return self.unexpected(&token, "`)`"),
        }
        self.depth -= 1;
        Ok(call)
    }

    /// Parses the block parameters `as |a b|`. Returns an empty vector if the tag does not have
    /// any.
    pub(crate) fn block_params(&mut self) -> ParseResult<Vec<Box<str>>> {
        let mut params = Vec::new();
        if self.peek(Closing::Two) != &Token::OpenParams {
            return Ok(params);
        }
        self.next(Closing::Two);
        loop {
            match self.next(Closing::Two) {
                (Token::Id { text, .. }, _) if params.len() < MAX_PARAMS => params.push(text),
                (Token::CloseParams, _) if !params.is_empty() => return Ok(params),
                token if params.len() == MAX_PARAMS => {
                    let expected = format!("`|` after at most {MAX_PARAMS} block parameters");
                    return self.unexpected(&token, &expected);
                }
                token => return self.unexpected(&token, "the name of a block parameter"),
            }
        }
    }
}
