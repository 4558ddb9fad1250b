//! The names of inputs: files, standard input and URLs.

use std::path::Path;

/// Returns the name of an input. Messages contain it with
/// [`escape_name`](crate::escape::escape_name).
pub(crate) fn display_name(path: &Path) -> String {
    match hosted_url(path) {
        // Remove the query of the URL, because it can contain a secret.
        Some(url) => url.split('?').next().unwrap_or(url).to_owned(),
        None if path == Path::new("-") => "standard input".to_owned(),
        None => path.display().to_string(),
    }
}

/// Returns the argument if it is a URL, or `None` if it is a file path.
pub(crate) fn hosted_url(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (scheme, _) = text.split_once("://")?;
    let is_url = ["s3", "https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_url.then_some(text)
}
