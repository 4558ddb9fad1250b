//! The position of a part of a value while the value is walked.

use super::places::Step;
use crate::error::shorten;

/// Maximum number of characters of a position in a message.
const MAX_POINTER: usize = 120;

/// The position of a part of a value.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    last: Option<(&'p Path<'p>, Step<'p>)>,
}

impl<'p> Path<'p> {
    /// The position of the whole value.
    pub(super) const ROOT: Path<'static> = Path { last: None };

    pub(super) fn with(&'p self, step: Step<'p>) -> Path<'p> {
        Path { last: Some((self, step)) }
    }

    /// Returns the JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut last = self.last;
        while let Some((outer, step)) = last {
            steps.push(step);
            last = outer.last;
        }
        let mut pointer = String::new();
        steps.iter().rev().for_each(|step| step.append_to(&mut pointer));
        pointer
    }

    /// Returns the position for a message.
    pub(super) fn text(&self) -> String {
        match self.pointer().as_str() {
            "" => "the value".to_owned(),
            pointer => shorten(pointer, MAX_POINTER),
        }
    }
}
