//! The position of the generator in a schema and in the generated value.

use std::cell::Cell;

use serde_json::Value;

/// The maximum number of nodes that are visited for one value. The limit is needed because schemas
/// with mutually recursive references have exponentially many paths.
const MAX_NODES: u32 = 5_000;

/// The position of the generator in a schema and in the generated value.
#[derive(Clone)]
pub(super) struct Position<'a> {
    /// The whole schema, which is the base of references.
    pub(super) root: &'a Value,
    /// The number of nodes that may still be visited.
    pub(super) nodes_left: &'a Cell<u32>,
    /// The references that were followed to reach this position.
    pub(super) references: Vec<String>,
    /// The number of the variant. Variants make values of the same schema differ, such as array
    /// items.
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

    /// Returns the schema position for the items of this array, one level deeper.
    pub(super) fn item(&self, variant: usize) -> Self {
        Self { variant, depth: self.depth + 1, ..self.clone() }
    }

    /// Returns the position of a branch of the schema, which describes the same value.
    pub(super) fn branch(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }
}
