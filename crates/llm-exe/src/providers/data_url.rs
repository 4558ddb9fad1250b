//! Images for dialects that take their bytes only: `data:` URLs. Nothing is ever fetched.

use crate::error::Error;

/// The media type and the base64 text of a `data:` URL of one of these kinds (`png` and the like).
///
/// # Errors
/// `InvalidRequest` at `path` for other URLs and other kinds.
pub(crate) fn inline<'a>(
    url: &'a str,
    kinds: &[&str],
    path: impl FnOnce() -> String,
) -> Result<(&'a str, &'a str), Error> {
    let split = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let known =
        |media: &str| media.strip_prefix("image/").is_some_and(|kind| kinds.contains(&kind));
    match split {
        Some((media, data)) if known(media) => Ok((media, data)),
        _ => {
            let (last, others) = kinds.split_last().unwrap_or((&"", &[]));
            let kinds = format!("{} or {last}", others.join(", "));
            let text = format!("expected data:image/{kinds} with ;base64, for this provider");
            Err(Error::invalid(path(), text))
        }
    }
}
