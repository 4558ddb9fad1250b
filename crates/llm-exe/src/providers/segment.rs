//! A name as one segment of a path: what is not unreserved (RFC 3986) is percent-encoded, slashes
//! and colons too.

/// The name, percent-encoded whole.
pub(crate) fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn encodes_all_that_means_something_in_a_path() {
        assert_eq!(segment("gemini-2.5-pro_x~"), "gemini-2.5-pro_x~");
        assert_eq!(segment("a/b:c?d e"), "a%2Fb%3Ac%3Fd%20e");
        assert_eq!(segment("é"), "%C3%A9");
    }
}
