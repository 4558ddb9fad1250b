//! Parses patterns.
//!
//! The syntax is that of ECMA-262 with the flag `u`, with additions that do not change the meaning
//! of a valid pattern: a backslash before any punctuation, a literal `]` or `}`, a literal hyphen
//! next to a class such as `\w` in brackets, and `(?i)`, `(?P<name>…)`, `\A` and `\z`, which are
//! common in schemas that were not made by JavaScript.

use super::ast::{Assertion, BackReference, Lookaround, Node, Repeat, Tree};
use super::error::PatternError;
use super::set::{ALL, DIGITS, LINE_ENDS, Property, SPACE, Set, WORD, fold};

/// Maximum length of a pattern in bytes. Its syntax tree needs about forty times as much memory.
const MAX_BYTES: usize = 1 << 18;
/// Maximum nesting of groups.
const MAX_DEPTH: usize = 200;

/// Maximum number of instructions of a compiled pattern. Repeated groups count several times.
const MAX_INSTRUCTIONS: u64 = 50_000;

/// Parses a pattern.
///
/// # Errors
/// Returns the first error and its position.
pub(super) fn parse(text: &str) -> Result<Tree, PatternError> {
    if text.len() > MAX_BYTES {
        let message = format!("expected at most {MAX_BYTES} bytes, got {}", text.len());
        return Err(PatternError(message));
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        groups: 1,
        names: Vec::new(),
        references: Vec::new(),
        has_look: false,
    };
    let root = parser.parse_alternatives(Flags::default())?;
    if parser.peek().is_some() {
        return Err(parser.error("unmatched closing parenthesis"));
    }
    if count_instructions(&root) > MAX_INSTRUCTIONS {
        let message = format!("the pattern needs more than {MAX_INSTRUCTIONS} instructions");
        return Err(PatternError(message));
    }
    let references = parser.resolve_references()?;
    let needs_backtracking = parser.has_look || !references.is_empty();
    Ok(Tree { root, references, groups: parser.groups, needs_backtracking })
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
}

struct Parser<'t> {
    text: &'t str,
    /// The position in bytes.
    at: usize,
    depth: usize,
    /// The number of groups so far, including group 0.
    groups: usize,
    names: Vec<(&'t str, usize)>,
    /// Back-references, each with its position.
    references: Vec<(GroupName<'t>, usize)>,
    has_look: bool,
}

enum GroupName<'t> {
    Number(usize),
    Name(&'t str),
}

/// One element between brackets.
enum ClassItem {
    Char(char),
    /// An element that can't be an end of a range.
    Class,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Skips a text if it comes next. Returns whether it does.
    fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn error(&self, message: &str) -> PatternError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: &str) -> PatternError {
        let position = self.text.get(..at).unwrap_or(self.text).chars().count();
        PatternError(format!("{message} at character {}", position + 1))
    }

    fn resolve_references(&self) -> Result<Vec<usize>, PatternError> {
        let resolve = |(name, at): &(GroupName<'t>, usize)| match name {
            GroupName::Number(number) if *number < self.groups => Ok(*number),
            GroupName::Number(number) => {
                Err(self.error_at(*at, &format!("the pattern has no group {number}")))
            }
            GroupName::Name(name) => {
                let found = self.names.iter().find(|(known, _)| known == name);
                found.map(|(_, number)| *number).ok_or_else(|| {
                    self.error_at(*at, &format!("the pattern has no group {name:?}"))
                })
            }
        };
        self.references.iter().map(resolve).collect()
    }

    fn parse_alternatives(&mut self, mut flags: Flags) -> Result<Node, PatternError> {
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.parse_sequence(&mut flags)?);
            if !self.skip("|") {
                break;
            }
        }
        match alternatives.pop() {
            Some(only) if alternatives.is_empty() => Ok(only),
            last => {
                alternatives.extend(last);
                Ok(Node::Alternatives(alternatives))
            }
        }
    }

    fn parse_sequence(&mut self, flags: &mut Flags) -> Result<Node, PatternError> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            let groups = self.groups;
            let Some(part) = self.parse_part(flags)? else { continue };
            parts.push(self.parse_quantifier(part, groups)?);
        }
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(Node::Sequence(parts))
            }
        }
    }

    /// Parses a part without its quantifier. Returns `None` for flags such as `(?i)`.
    fn parse_part(&mut self, flags: &mut Flags) -> Result<Option<Node>, PatternError> {
        let start = self.at;
        let Some(c) = self.next() else { return Ok(None) };
        let node = match c {
            '^' if flags.multi_line => Node::Assertion(Assertion::LineStart),
            '^' => Node::Assertion(Assertion::TextStart),
            '$' if flags.multi_line => Node::Assertion(Assertion::LineEnd),
            '$' => Node::Assertion(Assertion::TextEnd),
            '.' if flags.dot_all => set(Set::from_ranges(&[ALL], false)),
            '.' => set(Set::from_ranges(LINE_ENDS, true)),
            '(' => return self.parse_group(flags),
            '[' => set(self.parse_class(*flags)?),
            '\\' => self.parse_escape(*flags)?,
            '*' | '+' | '?' => {
                return Err(self.error_at(start, "the quantifier has nothing to repeat"));
            }
            '{' => {
                let message = "a brace outside of a quantifier must be written as `\\{`";
                return Err(self.error_at(start, message));
            }
            c => literal(c, *flags),
        };
        Ok(Some(node))
    }

    fn parse_group(&mut self, flags: &mut Flags) -> Result<Option<Node>, PatternError> {
        let start = self.at - 1;
        if !self.skip("?") {
            return self.parse_capture(*flags, start).map(Some);
        }
        for (text, behind, negated) in
            [("=", false, false), ("!", false, true), ("<=", true, false), ("<!", true, true)]
        {
            if self.skip(text) {
                self.has_look = true;
                let node = self.parse_inside(*flags, start)?;
                return Ok(Some(Node::Lookaround(Lookaround { behind, negated }, Box::new(node))));
            }
        }
        if self.skip("<") || self.skip("P<") {
            let name = self.parse_name()?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return Err(self.error_at(start, &format!("the group {name:?} exists already")));
            }
            self.names.push((name, self.groups));
            return self.parse_capture(*flags, start).map(Some);
        }
        let inside = self.parse_flags(*flags)?;
        if self.skip(":") {
            let node = self.parse_inside(inside, start)?;
            return Ok(Some(Node::Group(None, Box::new(node))));
        }
        if self.skip(")") && self.at > start + 3 {
            *flags = inside;
            return Ok(None);
        }
        Err(self.error_at(start, "unknown kind of group"))
    }

    fn parse_flags(&mut self, mut flags: Flags) -> Result<Flags, PatternError> {
        let mut value = true;
        loop {
            match self.peek() {
                Some('i') => flags.ignore_case = value,
                Some('m') => flags.multi_line = value,
                Some('s') => flags.dot_all = value,
                Some('-') if value => value = false,
                Some(':' | ')') => return Ok(flags),
                _ => return Err(self.error("expected a flag of a group (i, m or s)")),
            }
            self.next();
        }
    }

    fn parse_capture(&mut self, flags: Flags, start: usize) -> Result<Node, PatternError> {
        let number = self.groups;
        self.groups += 1;
        let node = self.parse_inside(flags, start)?;
        Ok(Node::Group(Some(number), Box::new(node)))
    }

    /// Parses the rest of a group that began at `start`.
    fn parse_inside(&mut self, flags: Flags, start: usize) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("groups are nested deeper than {MAX_DEPTH} levels");
            return Err(self.error_at(start, &message));
        }
        let node = self.parse_alternatives(flags)?;
        self.depth -= 1;
        if self.skip(")") { Ok(node) } else { Err(self.error_at(start, "unclosed group")) }
    }

    /// Parses the name of a group and the `>` after it.
    fn parse_name(&mut self) -> Result<&'t str, PatternError> {
        let name = self.rest().split('>').next().unwrap_or_default();
        let is_start = |c: char| c.is_alphabetic() || matches!(c, '_' | '$');
        let is_valid = name.starts_with(is_start)
            && name.chars().all(|c| is_start(c) || c.is_alphanumeric())
            && name.len() < self.rest().len();
        if !is_valid {
            return Err(self.error("expected the name of a group and `>`"));
        }
        self.at += name.len() + 1;
        Ok(name)
    }

    fn parse_quantifier(&mut self, part: Node, groups: usize) -> Result<Node, PatternError> {
        let start = self.at;
        let Some((min, max)) = self.parse_counts()? else { return Ok(part) };
        if matches!(part, Node::Assertion(_) | Node::Lookaround(..)) {
            return Err(self.error_at(start, "a quantifier can't follow an assertion"));
        }
        if max.is_some_and(|max| max < min) {
            return Err(self.error_at(start, "the maximum of the quantifier is below its minimum"));
        }
        let greedy = !self.skip("?");
        let end = self.at;
        if self.parse_counts()?.is_some() {
            return Err(self.error_at(end, "a quantifier can't follow a quantifier"));
        }
        let repeat = Repeat { min, max, greedy, groups: groups..self.groups };
        Ok(Node::Repeat(repeat, Box::new(part)))
    }

    fn parse_counts(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let counts = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.parse_braces().map(Some),
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(counts))
    }

    fn parse_braces(&mut self) -> Result<(u32, Option<u32>), PatternError> {
        let start = self.at;
        self.next();
        let min = self.parse_count();
        let max = if !self.skip(",") {
            min
        } else if self.peek() == Some('}') {
            None
        } else {
            self.parse_count()
        };
        match min {
            Some(min) if self.skip("}") => Ok((min, max)),
            _ => Err(self.error_at(start, "expected a quantifier such as {2}, {2,} or {2,3}")),
        }
    }

    /// Parses a decimal number. A number that does not fit becomes the largest one.
    fn parse_count(&mut self) -> Option<u32> {
        let length = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.rest().get(..length).filter(|digits| !digits.is_empty())?;
        self.at += length;
        Some(digits.parse().unwrap_or(u32::MAX))
    }

    /// Parses the escape sequence after a backslash outside of brackets.
    fn parse_escape(&mut self, flags: Flags) -> Result<Node, PatternError> {
        let start = self.at - 1;
        let assertion = match self.peek() {
            Some('b') => Some(Assertion::WordBoundary),
            Some('B') => Some(Assertion::NotWordBoundary),
            Some('A') => Some(Assertion::TextStart),
            Some('z') => Some(Assertion::TextEnd),
            _ => None,
        };
        if let Some(assertion) = assertion {
            self.next();
            return Ok(Node::Assertion(assertion));
        }
        let name = if self.skip("k<") {
            Some(GroupName::Name(self.parse_name()?))
        } else if matches!(self.peek(), Some('1'..='9')) {
            let number = self.parse_count().unwrap_or(u32::MAX);
            Some(GroupName::Number(usize::try_from(number).unwrap_or(usize::MAX)))
        } else {
            None
        };
        if let Some(name) = name {
            let index = self.references.len();
            self.references.push((name, start));
            let ignore_case = flags.ignore_case;
            return Ok(Node::BackReference(BackReference { index, ignore_case }));
        }
        let mut class = Set { ignore_case: flags.ignore_case, ..Set::default() };
        match self.parse_class_escape(&mut class)? {
            ClassItem::Char(c) => Ok(literal(c, flags)),
            ClassItem::Class => Ok(set(class)),
        }
    }

    /// Parses a class such as `[a-z]` after its opening bracket.
    fn parse_class(&mut self, flags: Flags) -> Result<Set, PatternError> {
        let start = self.at - 1;
        let mut set = Set { ignore_case: flags.ignore_case, ..Set::default() };
        set.negated = self.skip("^");
        while !self.skip("]") {
            let from_at = self.at;
            let Some(from) = self.parse_class_item(&mut set)? else {
                return Err(self.error_at(start, "unclosed bracket"));
            };
            if !self.rest().starts_with('-') || self.rest().starts_with("-]") {
                add_char(&mut set, &from);
                continue;
            }
            self.next();
            let Some(to) = self.parse_class_item(&mut set)? else {
                return Err(self.error_at(start, "unclosed bracket"));
            };
            match (from, to) {
                (ClassItem::Char(from), ClassItem::Char(to)) if from <= to => {
                    set.ranges.push((u32::from(from), u32::from(to)));
                }
                (ClassItem::Char(_), ClassItem::Char(_)) => {
                    return Err(self.error_at(from_at, "the range ends before its start"));
                }
                (from, to) => {
                    [from, ClassItem::Char('-'), to]
                        .iter()
                        .for_each(|item| add_char(&mut set, item));
                }
            }
        }
        set.add_folded();
        Ok(set)
    }

    /// Parses an element between brackets. If it is a class, adds it to the set. Returns `None` at
    /// the end of the pattern.
    fn parse_class_item(&mut self, set: &mut Set) -> Result<Option<ClassItem>, PatternError> {
        match self.next() {
            None => Ok(None),
            Some('\\') if self.skip("b") => Ok(Some(ClassItem::Char('\u{8}'))),
            Some('\\') => self.parse_class_escape(set).map(Some),
            Some(c) => Ok(Some(ClassItem::Char(c))),
        }
    }

    /// Parses an escape sequence that means the same inside and outside of brackets. If it is a
    /// class, adds it to the set.
    fn parse_class_escape(&mut self, set: &mut Set) -> Result<ClassItem, PatternError> {
        let start = self.at - 1;
        let Some(c) = self.next() else {
            return Err(self.error_at(start, "the pattern ends with a backslash"));
        };
        match c {
            'd' | 'D' => set.add(DIGITS, c == 'D'),
            'w' | 'W' => set.add(WORD, c == 'W'),
            's' | 'S' => set.add(SPACE, c == 'S'),
            'p' | 'P' => {
                let name = self.parse_property()?;
                set.properties.push((name.into(), c == 'P'));
            }
            _ => return self.parse_char_escape(c, start).map(ClassItem::Char),
        }
        Ok(ClassItem::Class)
    }

    fn parse_char_escape(&mut self, c: char, start: usize) -> Result<char, PatternError> {
        let c = match c {
            't' => Some('\t'),
            'n' => Some('\n'),
            'v' => Some('\u{b}'),
            'f' => Some('\u{c}'),
            'r' => Some('\r'),
            '0' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => Some('\0'),
            'c' => {
                let letter = self.next().filter(char::is_ascii_alphabetic);
                letter.and_then(|letter| char::from_u32(u32::from(letter) % 32))
            }
            'x' => self.parse_hex(2).and_then(char::from_u32),
            'u' => self.parse_unicode_escape(),
            c if !c.is_alphanumeric() => Some(c),
            _ => None,
        };
        c.ok_or_else(|| self.error_at(start, "unknown escape sequence"))
    }

    /// Parses what follows `\u`: four digits, two surrogates, or any number of digits in braces.
    fn parse_unicode_escape(&mut self) -> Option<char> {
        if self.skip("{") {
            let length = self.rest().find('}')?;
            let digits = self.rest().get(..length)?.trim_start_matches('0');
            let valid = length > 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            self.at += length + 1;
            let code = if digits.is_empty() { Ok(0) } else { u32::from_str_radix(digits, 16) };
            return code.ok().filter(|_| valid).and_then(char::from_u32);
        }
        let first = self.parse_hex(4)?;
        if !(0xd800..0xdc00).contains(&first) || !self.skip("\\u") {
            return char::from_u32(first);
        }
        let second = self.parse_hex(4).filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn parse_hex(&mut self, length: usize) -> Option<u32> {
        let digits = self.rest().get(..length)?;
        let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.at += length;
        u32::from_str_radix(digits, 16).ok().filter(|_| valid)
    }

    /// Parses what follows `\p` and checks the name.
    fn parse_property(&mut self) -> Result<&'t str, PatternError> {
        let start = self.at - 2;
        let name = if self.skip("{") {
            let length = self.rest().find('}').unwrap_or(0);
            let name = self.rest().get(..length).unwrap_or_default();
            self.at += length + 1;
            name
        } else {
            // One letter without braces is the syntax of Rust, Go and PCRE.
            let length = self.peek().map_or(0, char::len_utf8);
            let name = self.rest().get(..length).unwrap_or_default();
            self.at += length;
            name
        };
        match Property::from_name(name) {
            Some(_) => Ok(name),
            None => {
                let name = crate::json::quoted(name);
                Err(self.error_at(start, &format!("unsupported Unicode property {name}")))
            }
        }
    }
}

/// Returns about how many instructions a node needs.
fn count_instructions(node: &Node) -> u64 {
    let sum = |nodes: &[Node]| {
        nodes.iter().fold(0, |sum: u64, node| sum.saturating_add(count_instructions(node)))
    };
    match node {
        Node::Repeat(_, inside) if matches!(**inside, Node::Char(_) | Node::Set(_)) => 1,
        Node::Repeat(repeat, inside) => {
            let copies = repeat.max.unwrap_or(repeat.min).max(1);
            count_instructions(inside).saturating_add(4).saturating_mul(u64::from(copies))
        }
        Node::Group(_, inside) | Node::Lookaround(_, inside) => {
            count_instructions(inside).saturating_add(2)
        }
        Node::Sequence(parts) => sum(parts),
        Node::Alternatives(parts) => {
            sum(parts).saturating_add(2 * u64::try_from(parts.len()).unwrap_or(u64::MAX))
        }
        Node::Char(_) | Node::Set(_) | Node::Assertion(_) | Node::BackReference(_) => 1,
    }
}

/// Returns the node of a character.
fn literal(c: char, flags: Flags) -> Node {
    let has_cases = || c.to_lowercase().ne(c.to_uppercase()) || fold(c) != c;
    if !flags.ignore_case || !has_cases() {
        return Node::Char(c);
    }
    let code = u32::from(c);
    let mut literal = Set { ranges: vec![(code, code)], ignore_case: true, ..Set::default() };
    literal.add_folded();
    set(literal)
}

fn set(set: Set) -> Node {
    Node::Set(Box::new(set))
}

fn add_char(set: &mut Set, item: &ClassItem) {
    if let ClassItem::Char(c) = item {
        set.ranges.push((u32::from(*c), u32::from(*c)));
    }
}
