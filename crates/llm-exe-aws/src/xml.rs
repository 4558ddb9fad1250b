//! Reads the text of an element in the XML of S3's error bodies.
//!
//! These bodies are flat and a few lines long, and three elements of them are used, so that a full
//! XML parser is not worth its size. A body that is misread yields an error without a code; the XML
//! of successful responses is never read.

/// Returns the text of the first element with this name, or `None` if it is missing or incomplete.
pub(crate) fn element_text(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescape(text))
}

fn unescape(text: &str) -> String {
    let mut unescaped = text.to_owned();
    // The ampersand comes last, so that nothing is unescaped twice.
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
