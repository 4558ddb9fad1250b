//! Tracks where the generator is and how many schema nodes it may still visit.

use std::cell::Cell;

use serde_json::Value;

/// The maximum number of schema nodes to visit for a value. Without this limit, mutually recursive
/// references would lead to exponentially many paths.
const MAX_NODES: u32 = 5_000;

/// The position of the generator in a schema and in the generated value.
#[derive(Clone)]
pub(super) struct Position<'a> {
    /// The whole schema, in which references are resolved.
    pub(super) root: &'a Value,
    /// The number of nodes that may still be visited.
    pub(super) nodes_left: &'a Cell<u32>,
    /// The references that were followed to reach this position.
    pub(super) references: Vec<String>,
    /// A number that makes values of the same schema differ, such as the items of an array.
    pub(super) variant: usize,
    /// The name of the property that holds the value.
    pub(super) label: String,
    /// The number of steps from the root to this position.
    pub(super) depth: usize,
}

impl<'a> Position<'a> {
    /// Returns the position at the root of a schema.
    pub(super) fn root(root: &'a Value, nodes_left: &'a Cell<u32>) -> Self {
        nodes_left.set(MAX_NODES);
        let references = vec!["#".to_owned()];
        Self { root, nodes_left, references, variant: 0, label: String::new(), depth: 0 }
    }

    /// Counts a visited node. Returns `None` if the maximum number of nodes has been visited.
    pub(super) fn count_node(&self) -> Option<()> {
        self.nodes_left.set(self.nodes_left.get().checked_sub(1)?);
        Some(())
    }

    /// Returns the position of a property of this value.
    pub(super) fn property(&self, label: &str) -> Self {
        Self { label: label.to_owned(), depth: self.depth + 1, ..self.clone() }
    }

    /// Returns the position of an item of this array.
    pub(super) fn item(&self, variant: usize) -> Self {
        Self { variant, depth: self.depth + 1, ..self.clone() }
    }

    /// Returns the position of a schema branch that describes the same value.
    pub(super) fn branch(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }
}
