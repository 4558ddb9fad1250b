//! The position of the generator in a schema and in the generated value.

use std::cell::Cell;

use serde_json::Value;

/// The maximum number of visited nodes. Schemas whose references refer to each other have
/// exponentially many paths.
const MAX_NODES: u32 = 5_000;

/// The position of the generator in a schema and in the generated value.
#[derive(Clone)]
pub(super) struct Position<'a> {
    /// The whole schema, in which references are resolved.
    pub(super) root: &'a Value,
    /// The number of nodes that may still be visited.
    pub(super) nodes_left: &'a Cell<u32>,
    /// The references that were followed to get here.
    pub(super) references: Vec<String>,
    /// Selects one of several different values, for example for the items of an array.
    pub(super) variant: usize,
    /// The name of the property to which the value belongs.
    pub(super) label: String,
    /// The depth of the value.
    pub(super) depth: usize,
}

impl<'a> Position<'a> {
    /// The root of a schema.
    pub(super) fn root(root: &'a Value, nodes_left: &'a Cell<u32>) -> Self {
        nodes_left.set(MAX_NODES);
        let references = vec!["#".to_owned()];
        Self { root, nodes_left, references, variant: 0, label: String::new(), depth: 0 }
    }

    /// Counts a visited node. `None` if the maximum was reached.
    pub(super) fn count_node(&self) -> Option<()> {
        self.nodes_left.set(self.nodes_left.get().checked_sub(1)?);
        Some(())
    }

    /// A property of the value.
    pub(super) fn property(&self, label: &str) -> Self {
        Self { label: label.to_owned(), depth: self.depth + 1, ..self.clone() }
    }

    /// An item of the value.
    pub(super) fn item(&self, variant: usize) -> Self {
        Self { variant, depth: self.depth + 1, ..self.clone() }
    }

    /// A branch of the schema for the same value.
    pub(super) fn branch(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }
}
