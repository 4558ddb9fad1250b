//! Parses the `data:` URLs of images, for APIs that accept only inline images.

use crate::error::Error;

/// Returns the path of an image in a request. `message` and `part` are the positions of the message
/// and of the part in it.
pub(crate) fn image_path(message: usize, part: usize) -> String {
    format!("message[{message}].content[{part}].image_url.url")
}

/// Splits the `data:` URL of an image into the media type and the base64 data. `formats` lists the
/// accepted image subtypes, such as `png`.
///
/// # Errors
/// `InvalidRequest` at `path` if the URL is not a base64 `data:` URL or its format is not accepted.
pub(crate) fn parse_image<'a>(
    url: &'a str,
    formats: &[&str],
    path: impl FnOnce() -> String,
) -> Result<(&'a str, &'a str), Error> {
    let is_accepted = |media_type: &str| {
        media_type.strip_prefix("image/").is_some_and(|format| formats.contains(&format))
    };
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, data)) if is_accepted(media_type) => Ok((media_type, data)),
        _ => {
            let (last, others) = formats.split_last().unwrap_or((&"", &[]));
            let formats = format!("{} or {last}", others.join(", "));
            let message = format!("expected a data: URL with a base64-encoded {formats} image");
            Err(Error::invalid(path(), message))
        }
    }
}
