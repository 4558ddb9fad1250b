//! Which format a document is in: by its name's extension, and for a page without a telling one by
//! how it begins.

use crate::ports::Place;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A request object.
    Json,
    /// The same in YAML.
    Yaml,
    /// Front matter and a prompt.
    Markdown,
}

impl Format {
    /// The format that a file's or an object's name tells; anything but JSON and YAML is Markdown.
    pub fn of_name(name: &str) -> Format {
        Format::told_by(name).unwrap_or(Format::Markdown)
    }

    /// The format of a document at a place. A page whose name tells nothing is JSON if it begins
    /// as an object does.
    pub(super) fn of(place: &Place, body: &[u8]) -> Format {
        match place {
            Place::Object { key, .. } => Format::of_name(key),
            Place::Page(url) => Format::told_by(path(url)).unwrap_or({
                if begins_an_object(body) { Format::Json } else { Format::Markdown }
            }),
        }
    }

    fn told_by(name: &str) -> Option<Format> {
        let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let (_, extension) = last.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            "md" | "markdown" | "txt" | "hbs" => Some(Format::Markdown),
            _ => None,
        }
    }
}

/// The path of a URL, without its query and fragment.
fn path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

/// `{"` or `{}`, spaces aside: what begins with `{{` is a template.
fn begins_an_object(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut plain = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    plain.next() == Some(&b'{') && matches!(plain.next(), Some(b'"' | b'}'))
}
