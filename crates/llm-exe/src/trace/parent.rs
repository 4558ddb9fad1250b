//! The header `traceparent`, which names the span around a request.

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The id of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// The id of a span.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

macro_rules! hex_id {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// Creates a random id.
            pub fn random() -> Self {
                let mut bytes = [0; $bytes];
                // An id of zeros is not valid.
                while bytes == [0; $bytes] {
                    fastrand::fill(&mut bytes);
                }
                $name(bytes)
            }

            /// Parses lower-case hexadecimal digits. Zeros are not a valid id.
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; $bytes];
                if text.len() != 2 * $bytes {
                    return None;
                }
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    *byte = parse_byte(digits)?;
                }
                (bytes != [0; $bytes]).then_some($name(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_id!(TraceId, 16);
hex_id!(SpanId, 8);

fn parse_byte(digits: &[u8]) -> Option<u8> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let text = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(is_hex))?;
    u8::from_str_radix(text, 16).ok()
}

/// The span around a request, as the header `traceparent` of W3C Trace Context names it.
/// <https://www.w3.org/TR/trace-context/#traceparent-header>
///
/// ```
/// use llm_exe::trace::TraceParent;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent: TraceParent = header.parse()?;
/// assert!(parent.is_sampled);
/// assert_eq!(parent.to_string(), header);
/// # Ok::<(), llm_exe::trace::InvalidTraceParent>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The id of the trace.
    pub trace_id: TraceId,
    /// The id of the span.
    pub span_id: SpanId,
    /// Whether the span is exported.
    pub is_sampled: bool,
}

/// The text is not the value of a header `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the value of a traceparent header, such as \
     \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\""
)]
pub struct InvalidTraceParent;

impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).ok_or(InvalidTraceParent)
    }
}

fn parse(text: &str) -> Option<TraceParent> {
    let mut parts = text.split('-');
    let version = parse_byte(parts.next().filter(|part| part.len() == 2)?.as_bytes())?;
    let trace_id = TraceId::from_hex(parts.next()?)?;
    let span_id = SpanId::from_hex(parts.next()?)?;
    let flags = parse_byte(parts.next().filter(|part| part.len() == 2)?.as_bytes())?;
    // Later versions can have more parts, and version 255 is not valid.
    let is_valid = match version {
        0 => parts.next().is_none(),
        version => version != u8::MAX,
    };
    is_valid.then_some(TraceParent { trace_id, span_id, is_sampled: flags & 1 == 1 })
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceParent { trace_id, span_id, is_sampled } = self;
        f.write_str("00-")?;
        write!(f, "{trace_id}-{span_id}-0")?;
        f.write_char(if *is_sampled { '1' } else { '0' })
    }
}

#[cfg(test)]
mod tests {
    use super::{SpanId, TraceId, TraceParent};

    #[test]
    fn only_values_of_the_header_are_accepted() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for (text, is_sampled) in [
            (format!("00-{trace}-{span}-01"), Some(true)),
            (format!(" 00-{trace}-{span}-00 "), Some(false)),
            (format!("00-{trace}-{span}-03"), Some(true)),
            (format!("cc-{trace}-{span}-01-what-the-future-adds"), Some(true)),
            (format!("00-{trace}-{span}-01-x"), None),
            (format!("ff-{trace}-{span}-01"), None),
            (format!("00-{trace}-{span}"), None),
            (format!("00-{trace}-{span}-1"), None),
            (format!("0-{trace}-{span}-01"), None),
            (format!("00-{}-{span}-01", trace.to_uppercase()), None),
            (format!("00-{}-{span}-01", "0".repeat(32)), None),
            (format!("00-{trace}-{}-01", "0".repeat(16)), None),
            (format!("00-{span}-{span}-01"), None),
            (format!("00-{trace}-é{}-01", &span[2..]), None),
            (String::new(), None),
        ] {
            let parsed = text.parse::<TraceParent>().ok();
            assert_eq!(parsed.map(|parent| parent.is_sampled), is_sampled, "{text}");
        }
    }

    #[test]
    fn random_ids_are_valid_and_differ() {
        let (first, second) = (TraceId::random(), TraceId::random());
        assert_ne!(first, second);
        assert_eq!(TraceId::from_hex(&first.to_string()), Some(first));
        let span = SpanId::random();
        assert_eq!(SpanId::from_hex(&span.to_string()), Some(span));
    }
}
