//! Extracts the text of an element from an S3 error response, which is XML.
//!
//! A full XML parser is not worth its size: error responses are short and flat, and only three
//! elements are used. If an element is not found, the error merely lacks that detail. Successful
//! responses are not parsed.

/// Returns the text of the first element with this name, or `None` if it is missing or incomplete.
pub(crate) fn element_text(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescape(text))
}

fn unescape(text: &str) -> String {
    let mut unescaped = text.to_owned();
    // `&amp;` must come last, because `&amp;lt;` would otherwise be unescaped twice.
    for (entity, c) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
    {
        unescaped = unescaped.replace(entity, c);
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::element_text;

    #[test]
    fn element_text_is_first_complete_element() {
        for (xml, expected) in [
            ("<Error><Code>A</Code></Error>", Some("A")),
            ("<Code>&amp;lt;</Code><Code>B</Code>", Some("&lt;")),
            ("<Code></Code>", Some("")),
            ("<Code>A", None),
            ("<Code/>", None),
            ("", None),
        ] {
            assert_eq!(element_text(xml, "Code").as_deref(), expected, "{xml}");
        }
    }
}
