//! A limited list of warnings about a schema or about the changes of a value.

/// Maximum number of warnings. Further ones are only counted.
const MAX_WARNINGS: usize = 10;

/// Warnings, of which only the first are stored.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    texts: Vec<String>,
    more: usize,
}

impl Warnings {
    /// Adds a warning. Its text is created only if it is stored.
    pub(super) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.texts.len() < MAX_WARNINGS {
            self.texts.push(text());
        } else {
            self.more += 1;
        }
    }

    /// Returns the warnings, and the number of those that were not stored.
    pub(super) fn into_texts(self) -> Vec<String> {
        let Warnings { mut texts, more } = self;
        if more > 0 {
            texts.push(format!("{more} more warnings of this kind"));
        }
        texts
    }
}
