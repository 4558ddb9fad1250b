//! Determines the format of a document by its file extension. If a URL has no known extension, the
//! first characters of the document decide whether it is JSON.

use crate::ports::DocumentLocation;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A request object in JSON.
    Json,
    /// A request object in YAML.
    Yaml,
    /// A prompt in Markdown, with optional YAML front matter.
    Markdown,
}

impl Format {
    /// Returns the format for a file name or S3 object key. If the extension is unknown, the format
    /// is Markdown.
    pub fn from_name(name: &str) -> Format {
        Format::from_extension(name).unwrap_or(Format::Markdown)
    }

    /// Returns the format of a fetched document. If a URL has no known extension, a body that
    /// starts like an object is treated as JSON, and any other body as Markdown.
    pub(super) fn detect(location: &DocumentLocation, body: &[u8]) -> Format {
        match location {
            DocumentLocation::Object { key, .. } => Format::from_name(key),
            DocumentLocation::Url(url) => Format::from_extension(path(url)).unwrap_or({
                if starts_like_object(body) { Format::Json } else { Format::Markdown }
            }),
        }
    }

    fn from_extension(name: &str) -> Option<Format> {
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let (_, extension) = file_name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            "md" | "markdown" | "txt" | "hbs" => Some(Format::Markdown),
            _ => None,
        }
    }
}

/// Returns the path of a URL, without the query and the fragment.
fn path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

/// Returns whether the body starts with `{"` or `{}`, ignoring white space. A body that starts with
/// `{{` is a template and not JSON.
fn starts_like_object(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut bytes = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.next() == Some(&b'{') && matches!(bytes.next(), Some(b'"' | b'}'))
}
