//! Generates strings that match simple regular expressions. Literals, classes, quantifiers, groups,
//! alternatives and anchors are supported; lookaround, back-references and Unicode properties are
//! not.

use std::iter::Peekable;
use std::str::Chars;

/// The maximum number of repetitions to try beyond a quantifier's minimum.
const MAX_EXTRA: usize = 256;
/// The characters to try, in this order, for a negated class or a dot.
const LIKELY: &str = "xa0_ -.XA9/:@";

/// Generates a string that matches the pattern and the length bounds. Returns `None` if no such
/// string was found or the pattern is not supported.
pub(super) fn text(
    pattern: &str,
    min_length: usize,
    max_length: usize,
    variant: usize,
) -> Option<String> {
    let mut chars = pattern.chars().peekable();
    let node = alternatives(&mut chars)?;
    if chars.next().is_some() {
        return None;
    }
    let is_unanchored = !pattern.ends_with('$');
    let max_extra = MAX_EXTRA.min(min_length);
    for extra in 0..=max_extra {
        let mut output = String::new();
        write(&node, extra, variant, &mut output)?;
        let length = output.chars().count();
        if is_unanchored && length < min_length && extra == max_extra {
            output.push_str(&"x".repeat(min_length - length));
        }
        if (min_length..=max_length).contains(&output.chars().count()) {
            return Some(output);
        }
    }
    None
}

/// A node of a parsed pattern.
enum Node {
    Empty,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat { inner: Box<Node>, min: usize, max: usize },
}

fn alternatives(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let mut branches = vec![sequence(chars)?];
    while chars.next_if_eq(&'|').is_some() {
        branches.push(sequence(chars)?);
    }
    Some(Node::Alternatives(branches))
}

fn sequence(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let mut parts = Vec::new();
    while let Some(next) = chars.next_if(|next| !matches!(next, '|' | ')')) {
        let atom = match next {
            '^' | '$' => Node::Empty,
            '.' => Node::Class { negated: true, ranges: vec![('\n', '\n'), ('\r', '\r')] },
            '(' => group(chars)?,
            '[' => class(chars)?,
            '\\' => escape(chars)?,
            '*' | '+' | '?' => return None,
            literal => single(literal),
        };
        parts.push(quantified(atom, chars)?);
    }
    Some(Node::Sequence(parts))
}

fn single(literal: char) -> Node {
    Node::Class { negated: false, ranges: vec![(literal, literal)] }
}

fn group(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    if chars.next_if_eq(&'?').is_some() {
        match chars.next()? {
            ':' => {}
            'P' | '<' => {
                // Skip the name of a named group. A `<` without a name starts a lookbehind, which
                // is not supported.
                chars.next_if_eq(&'<');
                chars.next_if(|next| next.is_alphabetic() || *next == '_')?;
                while chars.next()? != '>' {}
            }
            _ => return None,
        }
    }
    let inner = alternatives(chars)?;
    chars.next_if_eq(&')').map(|_| inner)
}

fn quantified(atom: Node, chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let (min, max) = match chars.peek() {
        Some('*') => (0, usize::MAX),
        Some('+') => (1, usize::MAX),
        Some('?') => (0, 1),
        Some('{') => return counted_repeat(atom, chars),
        _ => return Some(atom),
    };
    chars.next();
    chars.next_if(|next| matches!(next, '?' | '+'));
    Some(Node::Repeat { inner: Box::new(atom), min, max })
}

/// Parses a quantifier such as `{2,5}`.
fn counted_repeat(atom: Node, chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    chars.next();
    let mut inside = String::new();
    loop {
        match chars.next()? {
            '}' => break,
            next => inside.push(next),
        }
    }
    chars.next_if_eq(&'?');
    let (min, max) = match inside.split_once(',') {
        None => {
            let count = inside.parse().ok()?;
            (count, count)
        }
        Some((min, "")) => (min.parse().ok()?, usize::MAX),
        Some((min, max)) => (min.parse().ok()?, max.parse().ok()?),
    };
    Some(Node::Repeat { inner: Box::new(atom), min, max })
}

fn escape(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let next = chars.next()?;
    if matches!(next, 'A' | 'z' | 'Z') {
        return Some(Node::Empty);
    }
    let (negated, ranges) = shorthand(next, chars)?;
    Some(Node::Class { negated, ranges })
}

/// Returns the class that the escape `\name` denotes, as a negation flag and ranges.
fn shorthand(name: char, chars: &mut Peekable<Chars<'_>>) -> Option<(bool, Vec<(char, char)>)> {
    let character = |literal: char| (false, vec![(literal, literal)]);
    Some(match name {
        'd' | 'D' => (name == 'D', vec![('0', '9')]),
        'w' | 'W' => (name == 'W', vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]),
        's' | 'S' => (name == 'S', vec![(' ', ' '), ('\t', '\r')]),
        'n' => character('\n'),
        'r' => character('\r'),
        't' => character('\t'),
        'u' | 'x' => {
            let digits: String = chars.take(if name == 'u' { 4 } else { 2 }).collect();
            character(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?)
        }
        literal if !literal.is_ascii_alphanumeric() => character(literal),
        _ => return None,
    })
}

fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let start = match chars.next()? {
            ']' if !first => break,
            '\\' => {
                let name = chars.next()?;
                let (inverted, inner) = shorthand(name, chars)?;
                match inner.as_slice() {
                    [(from, to)] if from == to && !inverted => *from,
                    // Assume that a negated shorthand contains `x`, as in [\s\S].
                    _ if inverted => {
                        ranges.push(('x', 'x'));
                        continue;
                    }
                    _ => {
                        ranges.extend(inner);
                        continue;
                    }
                }
            }
            start => start,
        };
        first = false;
        let mut ahead = chars.clone();
        let end = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(end)) if end != ']' => {
                chars.next();
                match chars.next()? {
                    '\\' => chars.next()?,
                    end => end,
                }
            }
            _ => start,
        };
        ranges.push((start, end));
    }
    Some(Node::Class { negated, ranges })
}

/// Appends a string that matches the node, with `extra` repetitions beyond the minimum.
fn write(node: &Node, extra: usize, variant: usize, output: &mut String) -> Option<()> {
    match node {
        Node::Empty => {}
        Node::Class { negated, ranges } => output.push(pick(*negated, ranges, variant)?),
        Node::Sequence(parts) => {
            for part in parts {
                write(part, extra, variant, output)?;
            }
        }
        Node::Alternatives(branches) => {
            let index = variant.checked_rem(branches.len())?;
            write(branches.get(index)?, extra, variant, output)?;
        }
        Node::Repeat { inner, min, max } => {
            for _ in 0..min.saturating_add(extra).min(*max) {
                write(inner, extra, variant, output)?;
            }
        }
    }
    Some(())
}

/// Selects a character from the class. Different variants get different characters where possible.
fn pick(negated: bool, ranges: &[(char, char)], variant: usize) -> Option<char> {
    let in_ranges = |it: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&it));
    if negated {
        let mut likely = LIKELY.chars().filter(|it| !in_ranges(*it));
        return likely.nth(variant % 3).or_else(|| LIKELY.chars().find(|it| !in_ranges(*it)));
    }
    let all = || ranges.iter().flat_map(|(from, to)| (*from..=*to).take(64));
    let count = all().take(256).count();
    all().nth(variant.checked_rem(count)?)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn texts_match_simple_patterns() {
        let text_for = |pattern| text(pattern, 0, usize::MAX, 0);
        assert_eq!(text_for("^[A-Z]{2}-\\d{3}$").as_deref(), Some("AA-000"));
        assert_eq!(text_for("^(?:red|green)+$").as_deref(), Some("red"));
        assert_eq!(text_for("^a\\.b?c*$").as_deref(), Some("a."));
        assert_eq!(text_for("^[^x]\\s\\w$").as_deref(), Some("a a"));
        assert_eq!(text_for("^(?=a)b$"), None);
        assert_eq!(text_for("a{").as_deref(), None);
        assert_eq!(text("^[a-z]+$", 5, 9, 0).as_deref(), Some("aaaaa"));
        assert_eq!(text("^(red|green)$", 0, 9, 1).as_deref(), Some("green"));
    }
}
