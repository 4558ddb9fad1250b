//! The header `X-Amzn-Trace-Id`, which names X-Ray's segment around an invocation.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>

use llm_exe::trace::{SpanId, TraceId, TraceParent};

/// Returns the value of a part of the header, such as `Root`.
fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Returns the id of the trace, such as `1-5759e988-bd862e3fe1be46a994272793`.
pub(crate) fn xray_root(header: &str) -> Option<&str> {
    // The root comes first. A search in the whole header would cost each invocation more.
    let root = match header.strip_prefix("Root=") {
        Some(rest) => rest.get(..rest.bytes().position(|byte| byte == b';').unwrap_or(rest.len())),
        None => part(header, "Root"),
    };
    root.filter(|root| root.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Returns the segment around an invocation, if the header names one.
pub(super) fn xray_parent(header: &str) -> Option<TraceParent> {
    let mut parts = xray_root(header)?.strip_prefix("1-")?.split('-');
    let (time, random) = (parts.next()?, parts.next()?);
    let trace_id = TraceId::from_hex(&format!("{time}{random}").to_lowercase())?;
    let span_id = SpanId::from_hex(&part(header, "Parent")?.to_lowercase())?;
    let is_sampled = part(header, "Sampled") == Some("1");
    Some(TraceParent { trace_id, span_id, is_sampled })
}

#[cfg(test)]
mod tests {
    use super::{xray_parent, xray_root};

    #[test]
    fn parents_are_read_from_the_header_of_x_ray() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let expected = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(xray_parent(header).unwrap().to_string(), expected);
        assert_eq!(xray_root(header), Some("1-5759e988-bd862e3fe1be46a994272793"));
        let unsampled = header.replace("Sampled=1", "Sampled=0;Lineage=1:a:0");
        assert!(!xray_parent(&unsampled).unwrap().is_sampled);
        for header in [
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "Root=1-5759e988;Parent=53995c3f42cd8ad8;Sampled=1",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Self=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "",
        ] {
            assert!(xray_parent(header).is_none(), "{header}");
        }
    }
}
