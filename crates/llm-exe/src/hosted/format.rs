//! Determines the format of a document by the extension of its name, or else by its content. Hosted
//! configs, local files and standard input use the same rules.

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
    /// Returns the format of a document with this file name or S3 object key.
    pub fn detect(name: &str, text: &str) -> Format {
        Format::from_extension(name).unwrap_or_else(|| Format::from_content(text))
    }

    /// Returns the format that the extension of a name stands for, or `None` if the extension is
    /// not known. The extension `.gz` is skipped.
    pub fn from_extension(name: &str) -> Option<Format> {
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let (stem, mut extension) = file_name.rsplit_once('.')?;
        if extension.eq_ignore_ascii_case("gz") {
            (_, extension) = stem.rsplit_once('.')?;
        }
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            "md" | "markdown" | "txt" | "hbs" | "prompt" => Some(Format::Markdown),
            _ => None,
        }
    }

    /// Returns the format of a text without a name. A text that begins with `{"` or `{}` is JSON,
    /// and one that consists of YAML fields, of which one is `provider`, is YAML. Any other text is
    /// Markdown.
    pub fn from_content(text: &str) -> Format {
        if starts_like_object(text) {
            Format::Json
        } else if consists_of_fields(text) {
            Format::Yaml
        } else {
            Format::Markdown
        }
    }

    /// Returns the format of a fetched document.
    pub(super) fn of_document(location: &DocumentLocation, text: &str) -> Format {
        match location {
            DocumentLocation::Object { key, .. } => Format::detect(key, text),
            DocumentLocation::Url(url) => Format::detect(path(url), text),
        }
    }
}

/// Returns the path of a URL, without the query and the fragment.
fn path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

/// Returns whether the text starts with `{"` or `{}`, or is only `{`, ignoring white space. A text
/// that starts with `{{` is a template and not JSON.
pub(super) fn starts_like_object(text: &str) -> bool {
    let mut bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    bytes.next() == Some(b'{') && matches!(bytes.next(), None | Some(b'"' | b'}'))
}

/// Returns whether each line without indentation is a YAML field, a list item, a closing bracket or
/// a comment, and one of the fields names the provider. A prompt in Markdown does not
/// have this form.
fn consists_of_fields(text: &str) -> bool {
    let mut has_provider = false;
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with(['#', ']', '}']) || line.starts_with("- ") {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { return false };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty()
            || !name.chars().all(is_name)
            || !value.is_empty() && !value.starts_with(' ')
        {
            return false;
        }
        has_provider |= matches!(name, "provider" | "providor");
    }
    has_provider
}

#[cfg(test)]
mod tests {
    use super::Format;
    use crate::ports::DocumentLocation;

    #[test]
    fn extension_decides_before_content() {
        for (name, text, expected) in [
            ("a.json", "Hi", Format::Json),
            ("a.JSON", "Hi", Format::Json),
            ("a.json.gz", "Hi", Format::Json),
            ("a.yml", "{\"a\":1}", Format::Yaml),
            ("a.md", "{\"a\":1}", Format::Markdown),
            ("a.prompt", "provider: openai", Format::Markdown),
            ("a.hbs", "{}", Format::Markdown),
            ("folder.json/a", "Hi", Format::Markdown),
            ("a", " {\n \"message\": \"Hi\"}", Format::Json),
            ("a.v2", "{}", Format::Json),
            (".gz", "{}", Format::Json),
            ("a", "{{name}}", Format::Markdown),
            ("a", "{a}", Format::Markdown),
            ("a", "", Format::Markdown),
            ("a", "{ \n", Format::Json),
            (
                "a",
                "provider: openai\nmodel: gpt-4o\nmessage: |\n  Hi\n\n  you: there\n",
                Format::Yaml,
            ),
            ("a", "# a note\nmodel: m\ndata: {\n  a: 1\n}\nprovider:\n  openai\n", Format::Yaml),
            ("a", "---\nprovider: openai\n---\nHi", Format::Markdown),
            ("a", "provider: openai\nPick one.", Format::Markdown),
            ("a", "System: Hi\nUser: provider: x", Format::Markdown),
            ("a", "model: x", Format::Markdown),
            ("a", "provider:openai", Format::Markdown),
        ] {
            assert_eq!(Format::detect(name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn query_of_a_url_is_not_part_of_the_name() {
        for (url, expected) in [
            ("https://a.example/p.json?x=.md", Format::Json),
            ("https://a.example/p?x=.json", Format::Markdown),
            ("https://a.json", Format::Markdown),
        ] {
            let location = DocumentLocation::Url(url.to_owned());
            assert_eq!(Format::of_document(&location, "Hi"), expected, "{url}");
        }
    }
}
