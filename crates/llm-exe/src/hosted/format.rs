//! The format of a document, by the extension of its name. A document at a URL without a known
//! extension is recognized as JSON by its first characters.

use crate::ports::DocumentLocation;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A request object in JSON.
    Json,
    /// A request object in YAML.
    Yaml,
    /// Front matter and a prompt.
    Markdown,
}

impl Format {
    /// Returns the format of a file or S3 object by its name. The default is Markdown.
    pub fn from_name(name: &str) -> Format {
        Format::from_extension(name).unwrap_or(Format::Markdown)
    }

    /// Returns the format of a fetched document. A document at a URL without a known extension is
    /// JSON if its body starts like an object.
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

/// The path of a URL, without query and fragment.
fn path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

/// Whether the body starts with `{"` or `{}`, ignoring white space. A body that starts with `{{`
/// is a template.
fn starts_like_object(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut bytes = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.next() == Some(&b'{') && matches!(bytes.next(), Some(b'"' | b'}'))
}
