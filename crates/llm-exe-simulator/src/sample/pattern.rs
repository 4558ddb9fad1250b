//! Texts for simple regular expressions: literals, classes, quantifiers, groups, alternatives and
//! anchors. What looks around, refers back or names Unicode properties is not attempted.
//!
//! In: a pattern and the bounds of a length. Out: a text that the pattern matches, or nothing.

use std::iter::Peekable;
use std::str::Chars;

/// Quantifiers without an upper bound are tried up to this many rounds above the lower one.
const MOST_ROUNDS: usize = 256;
/// What a negated class or a dot is tried with, in this order.
const LIKELY: &str = "xa0_ -.XA9/:@";

/// A text that the pattern matches, as long as asked for where the pattern allows it.
pub(super) fn text(pattern: &str, least: usize, most: usize, variant: usize) -> Option<String> {
    let mut chars = pattern.chars().peekable();
    let node = alternatives(&mut chars)?;
    if chars.next().is_some() {
        return None;
    }
    let open = !pattern.ends_with('$');
    for extra in 0..=MOST_ROUNDS.min(least) {
        let mut made = String::new();
        write(&node, extra, variant, &mut made)?;
        let length = made.chars().count();
        if open && length < least && extra == MOST_ROUNDS.min(least) {
            made.push_str(&"x".repeat(least - length));
        }
        if (least..=most).contains(&made.chars().count()) {
            return Some(made);
        }
    }
    None
}

enum Node {
    Nothing,
    Class { negated: bool, ranges: Vec<(char, char)> },
    All(Vec<Node>),
    Either(Vec<Node>),
    Repeat { inner: Box<Node>, least: usize, most: usize },
}

fn alternatives(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let mut branches = vec![sequence(chars)?];
    while chars.next_if_eq(&'|').is_some() {
        branches.push(sequence(chars)?);
    }
    Some(Node::Either(branches))
}

fn sequence(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let mut parts = Vec::new();
    while let Some(next) = chars.next_if(|next| !matches!(next, '|' | ')')) {
        let atom = match next {
            '^' | '$' => Node::Nothing,
            '.' => Node::Class { negated: true, ranges: vec![('\n', '\n'), ('\r', '\r')] },
            '(' => group(chars)?,
            '[' => class(chars)?,
            '\\' => escape(chars)?,
            '*' | '+' | '?' => return None,
            literal => single(literal),
        };
        parts.push(quantified(atom, chars)?);
    }
    Some(Node::All(parts))
}

fn single(literal: char) -> Node {
    Node::Class { negated: false, ranges: vec![(literal, literal)] }
}

fn group(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    if chars.next_if_eq(&'?').is_some() {
        match chars.next()? {
            ':' => {}
            'P' | '<' => {
                // A named group: what follows must be its name, else it looks around.
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
    let (least, most) = match chars.peek() {
        Some('*') => (0, usize::MAX),
        Some('+') => (1, usize::MAX),
        Some('?') => (0, 1),
        Some('{') => return counted(atom, chars),
        _ => return Some(atom),
    };
    chars.next();
    chars.next_if(|next| matches!(next, '?' | '+'));
    Some(Node::Repeat { inner: Box::new(atom), least, most })
}

fn counted(atom: Node, chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    chars.next();
    let mut inside = String::new();
    loop {
        match chars.next()? {
            '}' => break,
            next => inside.push(next),
        }
    }
    chars.next_if_eq(&'?');
    let (least, most) = match inside.split_once(',') {
        None => {
            let count = inside.parse().ok()?;
            (count, count)
        }
        Some((least, "")) => (least.parse().ok()?, usize::MAX),
        Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
    };
    Some(Node::Repeat { inner: Box::new(atom), least, most })
}

fn escape(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let next = chars.next()?;
    if matches!(next, 'A' | 'z' | 'Z') {
        return Some(Node::Nothing);
    }
    let (negated, ranges) = shorthand(next, chars)?;
    Some(Node::Class { negated, ranges })
}

fn shorthand(name: char, chars: &mut Peekable<Chars<'_>>) -> Option<(bool, Vec<(char, char)>)> {
    let one = |literal: char| (false, vec![(literal, literal)]);
    Some(match name {
        'd' | 'D' => (name == 'D', vec![('0', '9')]),
        'w' | 'W' => (name == 'W', vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]),
        's' | 'S' => (name == 'S', vec![(' ', ' '), ('\t', '\r')]),
        'n' => one('\n'),
        'r' => one('\r'),
        't' => one('\t'),
        'u' | 'x' => {
            let digits: String = chars.take(if name == 'u' { 4 } else { 2 }).collect();
            one(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?)
        }
        literal if !literal.is_ascii_alphanumeric() => one(literal),
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
                    // [\s\S] and the like: anything goes.
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

fn write(node: &Node, extra: usize, variant: usize, made: &mut String) -> Option<()> {
    match node {
        Node::Nothing => {}
        Node::Class { negated, ranges } => made.push(pick(*negated, ranges, variant)?),
        Node::All(parts) => {
            for part in parts {
                write(part, extra, variant, made)?;
            }
        }
        Node::Either(branches) => {
            let index = variant.checked_rem(branches.len())?;
            write(branches.get(index)?, extra, variant, made)?;
        }
        Node::Repeat { inner, least, most } => {
            for _ in 0..least.saturating_add(extra).min(*most) {
                write(inner, extra, variant, made)?;
            }
        }
    }
    Some(())
}

fn pick(negated: bool, ranges: &[(char, char)], variant: usize) -> Option<char> {
    let holds = |it: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&it));
    if negated {
        let mut likely = LIKELY.chars().filter(|it| !holds(*it));
        return likely.nth(variant % 3).or_else(|| LIKELY.chars().find(|it| !holds(*it)));
    }
    let all = || ranges.iter().flat_map(|(from, to)| (*from..=*to).take(64));
    let count = all().take(256).count();
    all().nth(variant.checked_rem(count)?)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn simple_patterns() {
        let made = |pattern| text(pattern, 0, usize::MAX, 0);
        assert_eq!(made("^[A-Z]{2}-\\d{3}$").as_deref(), Some("AA-000"));
        assert_eq!(made("^(?:red|green)+$").as_deref(), Some("red"));
        assert_eq!(made("^a\\.b?c*$").as_deref(), Some("a."));
        assert_eq!(made("^[^x]\\s\\w$").as_deref(), Some("a a"));
        assert_eq!(made("^(?=a)b$"), None);
        assert_eq!(made("a{").as_deref(), None);
        assert_eq!(text("^[a-z]+$", 5, 9, 0).as_deref(), Some("aaaaa"));
        assert_eq!(text("^(red|green)$", 0, 9, 1).as_deref(), Some("green"));
    }
}
