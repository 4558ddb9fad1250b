//! An event of a stream, and functions that read its fields.

use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::providers::error_body::{ErrorBody, is_reported};
use crate::providers::lenient::read_text;
use crate::providers::raw_object::RawObject;

/// An event of a stream.
#[derive(Debug)]
pub(in crate::providers) struct StreamEvent<'a> {
    /// The type of the event, or an empty text if the framing does not state it.
    pub(in crate::providers) name: &'a str,
    /// Whether the event is an exception of AWS. `name` is then that of the exception.
    pub(in crate::providers) is_exception: bool,
    /// The JSON of the event.
    pub(in crate::providers) data: &'a str,
}

impl<'a> StreamEvent<'a> {
    /// Parses the data as an object.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the data is not a JSON object.
    pub(in crate::providers) fn fields(&self) -> Result<RawObject<'a>, Error> {
        serde_json::from_str(self.data).map_err(|_| {
            let text = "the stream contains an event that is not a JSON object";
            Error::new(ErrorKind::ProviderUnavailable, text)
        })
    }
}

/// Receives an event.
pub(in crate::providers) type OnEvent<'a> = dyn FnMut(&StreamEvent<'_>) -> Result<(), Error> + 'a;

/// Returns a field of an object as a JSON value, or `None` if it is missing or null.
pub(in crate::providers) fn field<'a>(object: &RawObject<'a>, name: &str) -> Option<&'a RawValue> {
    object.value(name).filter(|value| value.get() != "null")
}

/// Returns the text in a field, or `None` if there is none.
pub(in crate::providers) fn text_field(object: &RawObject<'_>, name: &str) -> Option<String> {
    read_text(field(object, name)?).ok()
}

/// Returns the fields of the object in a field, or `None` if there is none.
pub(in crate::providers) fn object_field<'a>(
    object: &RawObject<'a>,
    name: &str,
) -> Option<RawObject<'a>> {
    RawObject::parse(field(object, name)?)
}

/// Returns the text in a field, or `None` if there is none or it is blank. Gateways send an empty
/// text for a field that the provider omitted.
pub(in crate::providers) fn non_blank_field(object: &RawObject<'_>, name: &str) -> Option<String> {
    text_field(object, name).filter(|text| !text.trim().is_empty())
}

/// Returns the number in a field, such as an index.
pub(in crate::providers) fn index_field(object: &RawObject<'_>, name: &str) -> Option<usize> {
    field(object, name)?.get().parse().ok()
}

/// Returns the event as the body of a response if it reports an error.
pub(in crate::providers) fn error_body(
    fields: &RawObject<'_>,
    event: &StreamEvent<'_>,
) -> Option<Box<RawValue>> {
    let is_error = match field(fields, "error") {
        Some(error) => serde_json::from_str(error.get()).is_ok_and(|error| is_reported(&error)),
        // Some servers send only the fields of the error.
        None if fields.get("message").is_some() || fields.get("detail").is_some() => {
            ErrorBody::parse(event.data.as_bytes()).is_bare_error()
        }
        None => false,
    };
    let body = || serde_json::from_str::<&RawValue>(event.data).ok().map(ToOwned::to_owned);
    is_error.then(body).flatten()
}
