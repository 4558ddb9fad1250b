//! Hexadecimal text of hashes.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Returns the bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    prefixed_hex("", bytes)
}

/// Returns a text followed by the bytes as lowercase hexadecimal digits.
pub(crate) fn prefixed_hex(prefix: &str, bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(prefix.len() + bytes.len() * 2);
    text.extend_from_slice(prefix.as_bytes());
    text.resize(prefix.len() + bytes.len() * 2, 0);
    let digits = text.get_mut(prefix.len()..).unwrap_or_default();
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 15)];
        }
    }
    // The bytes are valid UTF-8: the prefix is a string, and the digits are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{hex, prefixed_hex};

    #[test]
    fn every_byte_has_two_lowercase_digits() {
        assert_eq!(hex(&[0, 1, 0x9f, 0xa0, 0xff]), "00019fa0ff");
        assert_eq!(hex(&[]), "");
        assert_eq!(prefixed_hex("é:", &[0x1f]), "é:1f");
    }
}
