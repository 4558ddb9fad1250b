//! Limits the number of values in a JSON text.
//!
//! A parsed value takes about a hundred bytes of memory, but may take only two bytes of the text. A
//! field of an object takes twice as much, so its name counts as a value too.

/// Maximum number of values and names of fields in a JSON text.
pub(crate) const MAX_VALUES: usize = 1_000_000;

/// Returns the position of the first value or name beyond [`MAX_VALUES`], or `None` if the text has
/// at most that many. The text may be invalid.
pub(crate) fn find_excess_value(text: &[u8]) -> Option<usize> {
    // A value and the comma before it take at least two bytes.
    if text.len() / 2 < MAX_VALUES {
        return None;
    }
    let mut values = 1;
    let mut in_string = false;
    let mut is_after_bracket = false;
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if in_string {
            match byte {
                b'\\' => drop(bytes.next()),
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        let begins_value = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => continue,
            b']' | b'}' => false,
            b',' | b':' => true,
            _ => is_after_bracket,
        };
        is_after_bracket = matches!(byte, b'[' | b'{');
        in_string = *byte == b'"';
        values += usize::from(begins_value);
        if values > MAX_VALUES {
            return Some(at);
        }
    }
    None
}
