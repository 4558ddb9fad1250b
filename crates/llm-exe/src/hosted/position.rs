//! Maps the message texts of a request to document lines, so that an error can contain the line
//! number.

/// The document line on which a message text begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextLine {
    /// The path of the message text in the request, such as `message[1].content`.
    pub(super) path: String,
    /// The line number in the document, counted from 1.
    pub(super) line: usize,
}
