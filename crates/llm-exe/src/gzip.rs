//! Decodes gzip, in which documents may be stored and gateways may send responses. No request asks
//! for compressed data.
//!
//! The format is RFC 1952: one or more members, each with a header, a deflate stream, a checksum
//! and a size. <https://www.rfc-editor.org/rfc/rfc1952>

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// The first bytes of every gzip member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The size of the output buffer at the beginning, in bytes.
const MIN_BUFFER_BYTES: usize = 8 * 1024;

/// Why data could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GzipError {
    /// The data is not valid gzip, or ends too early.
    Invalid,
    /// The decoded data is larger than the limit.
    TooLarge,
}

/// Returns whether the data begins as gzip does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Returns whether the value of a `content-encoding` header is gzip only.
pub fn is_gzip_encoding(value: &str) -> bool {
    let is_gzip =
        |name: &str| ["gzip", "x-gzip"].iter().any(|gzip| name.eq_ignore_ascii_case(gzip));
    is_gzip(value.trim())
}

/// Decodes gzip data. Decoding stops as soon as the decoded data exceeds `max_bytes`.
pub(crate) fn decode(bytes: &[u8], max_bytes: usize) -> Result<Vec<u8>, GzipError> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    loop {
        rest = decode_member(rest, &mut decoded, max_bytes)?;
        // Some programs pad the data with zeros.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(decoded);
        }
    }
}

/// Decodes the first member, appends its data to `decoded` and returns the bytes after the member.
fn decode_member<'a>(
    bytes: &'a [u8],
    decoded: &mut Vec<u8>,
    max_bytes: usize,
) -> Result<&'a [u8], GzipError> {
    let start = decoded.len();
    let compressed = skip_header(bytes).ok_or(GzipError::Invalid)?;
    let trailer = inflate(compressed, decoded, max_bytes)?;
    let (checksum, rest) = trailer.split_first_chunk().ok_or(GzipError::Invalid)?;
    let (size, rest) = rest.split_first_chunk().ok_or(GzipError::Invalid)?;
    let data = decoded.get(start..).unwrap_or_default();
    // The size is stored modulo 2^32.
    let has_size = u64::from(u32::from_le_bytes(*size)) == data.len() as u64 & 0xffff_ffff;
    let is_intact = has_size && u32::from_le_bytes(*checksum) == crc32(data);
    if is_intact { Ok(rest) } else { Err(GzipError::Invalid) }
}

/// Returns the bytes after the header of a member, or `None` if the header is not valid.
fn skip_header(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let (&[magic_1, magic_2, method, flags, ..], mut rest) = bytes.split_first_chunk::<10>()?;
    if [magic_1, magic_2] != MAGIC || method != 8 || flags & RESERVED != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 { rest.get(2..) } else { Some(rest) }
}

/// Decodes a deflate stream, appends its data to `decoded` and returns the bytes after the stream.
fn inflate<'a>(
    mut bytes: &'a [u8],
    decoded: &mut Vec<u8>,
    max_bytes: usize,
) -> Result<&'a [u8], GzipError> {
    let mut state = Box::<DecompressorOxide>::default();
    let start = decoded.len();
    let mut length: usize = 0;
    loop {
        // One byte more than the limit distinguishes data of exactly that size from larger data.
        let wanted = (length.saturating_mul(2)).max(MIN_BUFFER_BYTES).saturating_add(start);
        decoded.resize(wanted.min(max_bytes.saturating_add(1)), 0);
        let buffer = decoded.get_mut(start..).ok_or(GzipError::TooLarge)?;
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, read, written) = decompress(&mut state, bytes, buffer, length, flags);
        length += written;
        bytes = bytes.get(read..).ok_or(GzipError::Invalid)?;
        if start + length > max_bytes {
            return Err(GzipError::TooLarge);
        }
        match status {
            TINFLStatus::Done => {
                decoded.truncate(start + length);
                return Ok(bytes);
            }
            TINFLStatus::HasMoreOutput => {}
            _ => return Err(GzipError::Invalid),
        }
    }
}

/// Returns the CRC-32 of the data. A table of 16 entries is fast enough, because compressed data is
/// an exception.
pub(crate) fn crc32(data: &[u8]) -> u32 {
    const TABLE: [u32; 16] = crc32_table();
    let step = |crc: u32| {
        let entry = usize::try_from(crc & 0xf).ok().and_then(|index| TABLE.get(index));
        (crc >> 4) ^ entry.copied().unwrap_or_default()
    };
    !data.iter().fold(u32::MAX, |crc, byte| step(step(crc ^ u32::from(*byte))))
}

const fn crc32_table() -> [u32; 16] {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut table = [0; 16];
    let mut index = 0;
    while index < 16 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{GzipError, crc32, decode, is_gzip_encoding};

    /// The text `Hi`, compressed by zlib, with a name, a comment, an extra field and a header
    /// checksum.
    const WITH_ALL_FIELDS: &[u8] = &[
        0x1f, 0x8b, 8, 30, 0, 0, 0, 0, 0, 255, 3, 0, b'x', b'y', b'z', b'a', 0, b'c', 0, 1, 2,
        0xf3, 0xc8, 0x04, 0x00, 0x0e, 0x0e, 0x17, 0x4d, 2, 0, 0, 0,
    ];

    /// Encodes data as a gzip member.
    fn encode(data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        bytes.extend(miniz_oxide::deflate::compress_to_vec(data, 6));
        bytes.extend(crc32(data).to_le_bytes());
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes
    }

    #[test]
    fn checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn optional_header_fields_are_skipped() {
        assert_eq!(decode(WITH_ALL_FIELDS, 10), Ok(b"Hi".to_vec()));
        for end in 0..WITH_ALL_FIELDS.len() {
            assert_eq!(decode(&WITH_ALL_FIELDS[..end], 10), Err(GzipError::Invalid), "{end}");
        }
    }

    #[test]
    fn members_are_joined_and_padding_is_ignored() {
        let mut bytes = [encode(b"ab"), encode(b""), encode(b"c")].concat();
        assert_eq!(decode(&bytes, 3), Ok(b"abc".to_vec()));
        assert_eq!(decode(&bytes, 2), Err(GzipError::TooLarge));
        bytes.extend([0; 20]);
        assert_eq!(decode(&bytes, 3), Ok(b"abc".to_vec()));
        bytes.push(b'x');
        assert_eq!(decode(&bytes, 3), Err(GzipError::Invalid));
    }

    #[test]
    fn limit_counts_decoded_bytes() {
        let bomb = encode(&vec![b'a'; 4 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(decode(&bomb, (4 << 20) - 1), Err(GzipError::TooLarge));
        assert_eq!(decode(&bomb, 4 << 20).map(|data| data.len()), Ok(4 << 20));
        assert_eq!(decode(&bomb, 0), Err(GzipError::TooLarge));
    }

    #[test]
    fn encodings_are_compared_without_case() {
        for (value, expected) in
            [("gzip", true), (" GZIP ", true), ("x-gzip", true), ("gzip, br", false), ("", false)]
        {
            assert_eq!(is_gzip_encoding(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn encoded_data_is_decoded(data in prop::collection::vec(any::<u8>(), 0..30_000)) {
            prop_assert_eq!(decode(&encode(&data), data.len()), Ok(data));
        }

        #[test]
        fn changed_bytes_are_never_decoded_as_other_data(
            data in prop::collection::vec(0_u8..4, 0..300),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encode(&data);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // Padding and the time in the header may change.
            if let Ok(decoded) = decode(&bytes, 1000) {
                prop_assert_eq!(decoded, data);
            }
        }
    }
}
