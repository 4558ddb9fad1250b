//! The markers of list items: bullets, dashes, arrows, numbers and letters.

use super::js_text::{is_space, trim};

/// Returns the line without its list marker, or `None` if the line has no marker.
pub(super) fn strip_marker(line: &str) -> Option<&str> {
    let first = line.chars().next()?;
    let rest = line.get(first.len_utf8()..).unwrap_or_default();
    if is_bullet(first) {
        return Some(trim(rest.trim_start_matches('\u{fe0f}')));
    }
    if let Some(rest) = strip_unspaced_number(line) {
        return Some(trim(rest));
    }
    if let Some(rest) = ARROWS.split(' ').find_map(|arrow| line.strip_prefix(arrow)) {
        return Some(trim(rest));
    }
    let rest = if is_dash(first) || matches!(first, '*' | '+' | '»' | '›') {
        rest
    } else {
        let digits = line.trim_start_matches(is_digit);
        match digits.strip_prefix('.').filter(|_| digits.len() < line.len()) {
            Some(rest) => rest,
            None => strip_parenthesis(line).or_else(|| strip_keycap(line))?,
        }
    };
    rest.starts_with(is_space).then(|| trim(rest))
}

/// Returns the text after `1)`, `(1)`, `a)` or `(a)`.
fn strip_parenthesis(line: &str) -> Option<&str> {
    let inside = line.strip_prefix(['(', '（']).unwrap_or(line);
    let (number, rest) = inside.split_once([')', '）'])?;
    let is_number = is_short_number(number);
    let mut letters = number.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    (is_number || is_letter).then_some(rest)
}

/// Returns the text after a number and a sign of East Asian scripts, which no white space follows:
/// `1、`, `１．`, `一、`, `（1）`.
fn strip_unspaced_number(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('（');
    let label = inside.unwrap_or(line);
    let end = label.find(|c| !is_digit(c) && !HAN_DIGITS.contains(c))?;
    let (number, rest) = label.split_at_checked(end)?;
    let rest = match inside {
        Some(_) => rest.strip_prefix('）')?,
        None => rest.strip_prefix(['、', '．', '）'])?,
    };
    // "1、2、3" is an enumeration, and "１．５" a number.
    let is_item = !rest.starts_with(|c| is_digit(c) || HAN_DIGITS.contains(c));
    let is_number = (1..=3).contains(&number.chars().count());
    (is_number && is_item).then_some(rest)
}

fn is_short_number(text: &str) -> bool {
    (1..=3).contains(&text.chars().count()) && text.chars().all(is_digit)
}

/// Returns whether a character is a decimal digit of Latin, Arabic, Devanagari or Thai script, or a
/// full-width digit.
fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}'
            | '\u{e50}'..='\u{e59}' | '\u{ff10}'..='\u{ff19}')
}

/// Returns the lines without their numbering if they are numbered in order, in a form that is not a
/// marker on its own: `[1]`, `#1`, `1 -`, `**1.**`, `A.`, `I.`, `ii)`.
pub(super) fn strip_numbering<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let first = lines.first()?.trim_start_matches(['*', '(', '[', '#']);
    let label: fn(usize) -> Option<String> = match first.chars().next()? {
        '1' => |index| Some((index + 1).to_string()),
        'a' => |index| letter(b'a', index),
        'A' => |index| letter(b'A', index),
        'i' => |index| roman(index).map(str::to_lowercase),
        'I' => |index| roman(index).map(str::to_owned),
        _ => return None,
    };
    let items = lines.iter().enumerate();
    let items = items.map(|(index, line)| strip_label(line, &label(index)?));
    if lines.len() > 1 { items.collect() } else { None }
}

/// Returns the text after a label of a numbered list.
fn strip_label<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let emphasized = line.strip_prefix("**");
    let open = emphasized.unwrap_or(line);
    let rest = open.strip_prefix(['(', '[', '#']).unwrap_or(open).strip_prefix(label)?;
    let signs = rest.trim_start_matches(['.', ')', ']']);
    let has_sign = signs.len() < rest.len() || open.starts_with('#');
    let dash = rest.strip_prefix(' ').and_then(|rest| rest.strip_prefix(is_dash));
    let mut rest = if has_sign { signs } else { dash? };
    if emphasized.is_some() {
        // Either the label or the whole line is emphasized.
        let after = rest.strip_prefix("**");
        rest = after.or_else(|| rest.strip_suffix("**").filter(|text| !text.contains("**")))?;
    }
    (rest.starts_with(is_space) && !trim(rest).is_empty()).then(|| trim(rest))
}

fn letter(first: u8, index: usize) -> Option<String> {
    let letter = first + u8::try_from(index).ok().filter(|index| *index < 26)?;
    Some(char::from(letter).to_string())
}

fn roman(index: usize) -> Option<&'static str> {
    "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX".split(' ').nth(index)
}

/// Returns the text after the emoji of a digit, such as 1️⃣.
fn strip_keycap(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(|c: char| c.is_ascii_digit())?;
    rest.trim_start_matches('\u{fe0f}').strip_prefix('\u{20e3}')
}

/// Arrows of ASCII characters at the start of a line, with or without white space.
const ARROWS: &str = "--> -> ==> => ~>";

/// The digits of Chinese and Japanese.
const HAN_DIGITS: &str = "一二三四五六七八九十";

/// Returns whether a character at the start of a line followed by white space is a list marker. It
/// is not one without white space, as in "-5".
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '−' | '﹘' | '﹣' | '－')
}

/// Returns whether a character at the start of a line is a bullet, with or without white space.
fn is_bullet(c: char) -> bool {
    matches!(c,
        '•' | '‣' | '⁃' | '⁌' | '⁍' | '·' | '∙' | '⋅' | '・' | '･' | '￮' | '※'
        | '\u{2190}'..='\u{21ff}' // arrows
        | '\u{2460}'..='\u{24ff}' | '\u{2776}'..='\u{2793}' // numbers in circles
        | '\u{25a0}'..='\u{25ff}' // squares, circles and triangles
        | '\u{2605}'..='\u{2606}' | '\u{261a}'..='\u{261f}' // stars and pointing hands
        | '\u{2660}'..='\u{2667}' | '\u{26aa}'..='\u{26ac}' // suits, circles
        | '\u{2719}'..='\u{274b}' | '\u{274d}' | '\u{274f}'..='\u{2767}' | '\u{276d}'..='\u{2771}'
        | '\u{2794}'..='\u{27be}' // arrows
        | '⦾' | '⦿' | '⁎' | '∗' | '\u{27f0}'..='\u{27ff}' | '\u{2900}'..='\u{297f}' // arrows
        | '\u{2b05}'..='\u{2b2f}' | '\u{2b50}' | '\u{2b9a}'..='\u{2b9f}' | '⮕'
        | '\u{1f534}'..='\u{1f53b}' | '\u{1f7e0}'..='\u{1f7eb}' // coloured circles and squares
        | '\u{1f449}'
    )
}

/// Returns whether a character is a check mark, which is part of the item's meaning.
pub(super) fn is_check_mark(c: char) -> bool {
    matches!(c, '☐' | '☑' | '☒' | '✅' | '❌' | '❎' | '✓' | '✔' | '✕' | '✖' | '✗' | '✘')
}
