//! The text of an element in S3's error bodies: flat, a few lines long, and read for three names.
//!
//! A whole XML reader would be the largest part of this crate. What is misread here ends as an
//! error without a name, never as another answer: of successes no XML is read.

/// The text of the first element with this name, if it is whole.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescaped(text))
}

fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    // The ampersand last, so that nothing is unescaped twice.
    for (entity, c) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
    {
        plain = plain.replace(entity, c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn elements_are_found_or_not() {
        for (xml, expected) in [
            ("<Error><Code>A</Code></Error>", Some("A")),
            ("<Code>&amp;lt;</Code><Code>B</Code>", Some("&lt;")),
            ("<Code></Code>", Some("")),
            ("<Code>A", None),
            ("<Code/>", None),
            ("", None),
        ] {
            assert_eq!(text(xml, "Code").as_deref(), expected, "{xml}");
        }
    }
}
