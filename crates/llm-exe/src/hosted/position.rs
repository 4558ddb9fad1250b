//! Positions of texts in a document, with which a problem in the request gets a line number.

/// The line on which a text of `message` begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextLine {
    /// The text's path in the request, like `message[1].content`.
    pub(super) path: String,
    /// The line in the document, from 1.
    pub(super) line: usize,
}
