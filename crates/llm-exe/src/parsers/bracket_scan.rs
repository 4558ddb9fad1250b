//! Finds the brackets of a text, and those of them that enclose valid JSON, in one pass.

use std::ops::Range;

/// The brackets in a text. All positions are byte offsets in ascending order.
#[derive(Debug, Default)]
pub(super) struct BracketScan {
    /// Objects and lists that are valid JSON. None of them is inside of a bracket that closes, or
    /// that began as JSON. Numbers at the start of a list can be an interval in prose (`[0, 5)`).
    pub(super) values: Vec<Range<usize>>,
    /// Brackets that close but do not enclose JSON, without the closing bracket.
    pub(super) pairs: Vec<Range<usize>>,
    /// Opening brackets without a partner.
    pub(super) opening: Vec<usize>,
    /// Closing brackets without a partner.
    pub(super) closing: Vec<usize>,
}

impl BracketScan {
    /// Returns whether there are brackets outside of the values.
    pub(super) fn has_other_brackets(&self) -> bool {
        !(self.pairs.is_empty() && self.opening.is_empty() && self.closing.is_empty())
    }
}

/// Finds the brackets of a text.
pub(super) fn scan_brackets(text: &str) -> BracketScan {
    let mut scanner = Scanner { bytes: text.as_bytes(), ..Scanner::default() };
    let mut at = 0;
    while let Some(byte) = scanner.bytes.get(at) {
        at = scanner.read(*byte, at);
    }
    scanner.scan.opening.retain(|start| *start != CLOSED);
    scanner.scan
}

/// An entry in the list of opening brackets whose bracket has a partner.
const CLOSED: usize = usize::MAX;

/// What may come next inside of a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The first item of a list, or its end.
    FirstItem,
    /// A value.
    Value,
    /// The first name of an object, or its end.
    FirstName,
    /// A name.
    Name,
    Colon,
    CommaOrEnd,
}

/// An open bracket.
#[derive(Debug)]
struct OpenBracket {
    start: usize,
    /// The index in the list of opening brackets.
    index: usize,
    is_list: bool,
    next: Next,
    /// The number of values before it.
    values: usize,
    /// Whether it begins with a name, or contains an item that is not a number or literal.
    is_json: bool,
}

#[derive(Default)]
struct Scanner<'t> {
    bytes: &'t [u8],
    scan: BracketScan,
    open: Vec<OpenBracket>,
    /// The number of open brackets, from the outermost one on, whose content is not JSON. Text that
    /// is not JSON breaks all brackets that are open.
    broken: usize,
    /// The number of broken brackets that began as JSON.
    broken_json: usize,
    /// The number of open brackets that are lists.
    open_lists: usize,
}

impl Scanner<'_> {
    /// Reads a token of JSON, or one byte of other text. Returns the position after it.
    fn read(&mut self, byte: u8, at: usize) -> usize {
        if self.open.len() > self.broken {
            if let Some(end) = self.read_token(byte, at) {
                return end;
            }
            let newly_broken = self.open.iter().skip(self.broken);
            self.broken_json += newly_broken.filter(|bracket| bracket.is_json).count();
            self.broken = self.open.len();
        }
        match byte {
            b'{' | b'[' => self.open_bracket(byte == b'[', at),
            b'}' | b']' => self.close_broken(byte == b']', at),
            _ => {}
        }
        at + 1
    }

    fn open_bracket(&mut self, is_list: bool, at: usize) {
        let next = if is_list { Next::FirstItem } else { Next::FirstName };
        self.open_lists += usize::from(is_list);
        let (index, values) = (self.scan.opening.len(), self.scan.values.len());
        self.scan.opening.push(at);
        self.open.push(OpenBracket { start: at, index, is_list, next, values, is_json: false });
    }

    /// Closes a bracket in text that is not JSON. Brackets of the other kind inside of it have no
    /// partner.
    fn close_broken(&mut self, is_list: bool, at: usize) {
        let lists = self.open_lists;
        let is_open = if is_list { lists > 0 } else { self.open.len() > lists };
        if !is_open {
            self.scan.closing.push(at);
            return;
        }
        while let Some(bracket) = self.open.pop() {
            self.open_lists -= usize::from(bracket.is_list);
            self.broken_json -= usize::from(bracket.is_json);
            if bracket.is_list == is_list {
                self.scan.values.truncate(bracket.values);
                self.scan.pairs.push(bracket.start..at);
                self.set_closed(bracket.index);
                break;
            }
        }
        self.broken = self.open.len();
    }

    /// Reads a token inside of a bracket whose content is JSON so far. Returns the position after
    /// it, or `None` if the content is not JSON.
    fn read_token(&mut self, byte: u8, at: usize) -> Option<usize> {
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return Some(at + 1);
        }
        let bracket = self.open.last_mut()?;
        let expects_value = matches!(bracket.next, Next::Value | Next::FirstItem);
        match (byte, bracket.next) {
            (b'"', Next::Name | Next::FirstName) => {
                bracket.next = Next::Colon;
                let end = string_end(self.bytes, at);
                bracket.is_json |= end.is_some();
                end
            }
            (b':', Next::Colon) => {
                bracket.next = Next::Value;
                Some(at + 1)
            }
            (b',', Next::CommaOrEnd) => {
                bracket.next = if bracket.is_list { Next::Value } else { Next::Name };
                Some(at + 1)
            }
            (b']', Next::FirstItem) | (b'}', Next::FirstName) => self.close_value(at),
            (b']', Next::CommaOrEnd) if bracket.is_list => self.close_value(at),
            (b'}', Next::CommaOrEnd) if !bracket.is_list => self.close_value(at),
            (b'{' | b'[', _) if expects_value => {
                bracket.next = Next::CommaOrEnd;
                bracket.is_json = true;
                self.open_bracket(byte == b'[', at);
                Some(at + 1)
            }
            _ if expects_value => {
                bracket.next = Next::CommaOrEnd;
                let end = scalar_end(self.bytes, at);
                bracket.is_json |= byte == b'"' && end.is_some();
                end
            }
            _ => None,
        }
    }

    fn set_closed(&mut self, index: usize) {
        if let Some(start) = self.scan.opening.get_mut(index) {
            *start = CLOSED;
        }
    }

    fn close_value(&mut self, at: usize) -> Option<usize> {
        let bracket = self.open.pop()?;
        self.open_lists -= usize::from(bracket.is_list);
        self.set_closed(bracket.index);
        if self.open.len() == self.broken && self.broken_json == 0 {
            self.scan.values.push(bracket.start..at + 1);
        }
        Some(at + 1)
    }
}

/// Returns the end of the string, number or literal at a position.
fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'"' => string_end(bytes, at),
        b'-' | b'0'..=b'9' => json_number_len(rest).map(|length| at + length),
        _ => {
            let mut words = [&b"true"[..], b"false", b"null"].into_iter();
            words.find(|word| rest.starts_with(word)).map(|word| at + word.len())
        }
    }
}

/// Returns the end of the string that begins at a position.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut rest = bytes.get(at + 1..)?.iter().enumerate();
    while let Some((index, byte)) = rest.next() {
        match byte {
            b'"' => return Some(at + 2 + index),
            b'\\' => match rest.next()?.1 {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' if (0..4).all(|_| rest.next().is_some_and(|(_, c)| c.is_ascii_hexdigit())) => {
                }
                _ => return None,
            },
            0..0x20 => return None,
            _ => {}
        }
    }
    None
}

/// Returns the length of the number at the start of a text.
fn json_number_len(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match digits(at) {
        0 => return None,
        _ if text.get(at) == Some(&b'0') => 1,
        count => count,
    };
    if text.get(at) == Some(&b'.') {
        let count = digits(at + 1);
        at += if count == 0 { return None } else { count + 1 };
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let count = digits(at + 1 + sign);
        at += if count == 0 { return None } else { count + 1 + sign };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::scan_brackets;

    /// Every text that the JSON parser accepts must be one value, and no other text.
    #[test]
    fn values_are_those_of_the_json_parser() {
        for text in [
            r#"{"a":[1,-0.5e+3,"\"\\\/\b\u00e9]",true,false,null,{}],"b":{"c":[]}}"#,
            "[ ]",
            "{ }",
            "[0]",
            "[-0]",
            "[1E5, 1.0]",
            "[[[]]]",
            "[01]",
            "[-]",
            "[1.]",
            "[.5]",
            "[1e]",
            "[tru]",
            "[truefalse]",
            "[1 2]",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:2}",
            "{\"a\" 1}",
            "[\"\\x\"]",
            "[\"\\u00g0\"]",
            "[\"a\nb\"]",
            "{a:1}",
        ] {
            let values = scan_brackets(text).values;
            let is_value = values.len() == 1 && values.first() == Some(&(0..text.len()));
            assert_eq!(is_value, crate::json::parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn brackets_have_partners_of_their_kind() {
        for (text, pair, opening, closing) in [
            ("[a]", Some(0..2), vec![], vec![]),
            ("{a [b}", Some(0..5), vec![3], vec![]),
            ("[a} {b]", Some(0..6), vec![4], vec![2]),
            ("a] [1 {\"x", None, vec![3, 6], vec![1]),
            ("[[a]", Some(1..3), vec![0], vec![]),
            ("[1}", None, vec![0], vec![2]),
        ] {
            let scan = scan_brackets(text);
            assert_eq!(scan.pairs, Vec::from_iter(pair), "{text}");
            assert_eq!((scan.opening, scan.closing), (opening, closing), "{text}");
        }
    }
}
