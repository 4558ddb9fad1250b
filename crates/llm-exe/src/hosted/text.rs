//! Decodes the bytes of a document to text. A document may be compressed with gzip, and may be
//! encoded in UTF-16 with a byte order mark, as PowerShell and some Windows editors write it.

use std::borrow::Cow;

use super::error::ConfigError;
use crate::gzip::{self, GzipError};

/// Decodes a document to text without a byte order mark. The document is UTF-8, or UTF-16 with a
/// byte order mark, and may be compressed with gzip.
///
/// # Errors
/// Fails if the document, or the decompressed document, is larger than `max_bytes`, or if it is not
/// valid in its encoding. The message names the encoding.
pub fn decode_text(bytes: &[u8], max_bytes: usize) -> Result<Cow<'_, str>, ConfigError> {
    if bytes.len() > max_bytes {
        return Err(too_large(&format!("has {} bytes", bytes.len()), max_bytes));
    }
    if !gzip::is_gzip(bytes) {
        return decode_unicode(bytes);
    }
    let decoded = gzip::decode(bytes, max_bytes).map_err(|error| match error {
        GzipError::TooLarge => too_large("is larger after gzip is decoded", max_bytes),
        GzipError::Invalid => ConfigError::new(
            "the document begins as gzip does, but is not valid gzip; it is damaged or incomplete",
        ),
    })?;
    Ok(Cow::Owned(decode_unicode(&decoded)?.into_owned()))
}

fn too_large(size: &str, max_bytes: usize) -> ConfigError {
    let unit = max_bytes / 1024 / 1024;
    ConfigError::new(format!("the document {size}; the maximum is {max_bytes} ({unit} MiB)"))
}

fn decode_unicode(bytes: &[u8]) -> Result<Cow<'_, str>, ConfigError> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                ConfigError::new(match binary_format(bytes) {
                    Some(format) => format!("the document is {format}; store it as UTF-8 text"),
                    None => {
                        let byte = error.valid_up_to() + 1;
                        format!("the document is not valid UTF-8 at byte {byte}")
                    }
                })
            })?;
            Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)))
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, ConfigError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        let message = "the document is not valid UTF-16: it has an odd number of bytes";
        return Err(ConfigError::new(message));
    }
    let mut text = String::with_capacity(bytes.len());
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = character.map_err(|_| {
            let line = text.matches('\n').count() + 1;
            let message = format!(
                "the document is not valid UTF-16: line {line} has half of a surrogate pair"
            );
            ConfigError::new(message)
        })?;
        text.push(character);
    }
    Ok(Cow::Owned(text))
}

/// Returns the format of a document that is not UTF-8, if its first bytes show it.
fn binary_format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("compressed with gzip twice"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file"),
        _ => None,
    }
}
