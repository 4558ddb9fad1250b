//! The places of subschemas in a schema, from which error messages get their JSON pointers.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::node::NodeId;
use crate::error::shorten;
use crate::schema::SchemaError;
use crate::schema::reference::push_step;

/// Maximum number of characters of a JSON pointer in a message.
pub(super) const MAX_POINTER: usize = 200;

/// A step of a JSON pointer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Name(&'a str),
    Index(usize),
    /// Several escaped steps, as a reference writes them.
    Pointer(&'a str),
}

impl Step<'_> {
    pub(super) fn append_to(&self, pointer: &mut String) {
        match self {
            Step::Name(name) => push_step(pointer, name),
            Step::Index(index) => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Step::Pointer(steps) => pointer.push_str(steps),
        }
    }
}

/// The origin of a node of the compiled schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) schema: Option<&'a Map<String, Value>>,
    /// The node of the schema around this one, and the steps from there.
    pub(super) outer: Option<(NodeId, Step<'a>, Option<Step<'a>>)>,
    pub(super) draft: Draft,
    /// The schema resource that contains the place.
    pub(super) resource: u32,
}

/// The places of all nodes, by the index of the node.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    pub(super) all: Vec<Place<'a>>,
}

impl<'a> Places<'a> {
    pub(super) fn get(&self, node: NodeId) -> Option<&Place<'a>> {
        self.all.get(usize::try_from(node).ok()?)
    }

    pub(super) fn get_mut(&mut self, node: NodeId) -> Option<&mut Place<'a>> {
        self.all.get_mut(usize::try_from(node).ok()?)
    }

    /// Returns the JSON pointer of a node, followed by more steps.
    pub(super) fn pointer(&self, node: NodeId, steps: &[Step<'a>]) -> String {
        let mut reversed: Vec<Step<'a>> = steps.iter().rev().copied().collect();
        let mut place = self.get(node);
        while let Some((outer, first, second)) = place.and_then(|place| place.outer) {
            reversed.extend(second);
            reversed.push(first);
            place = self.get(outer);
        }
        let mut pointer = String::new();
        for step in reversed.iter().rev() {
            step.append_to(&mut pointer);
        }
        pointer
    }

    /// Creates the error for a schema that is not valid JSON Schema.
    pub(super) fn invalid(&self, node: NodeId, steps: &[Step<'a>], text: &str) -> SchemaError {
        match self.pointer(node, steps) {
            pointer if pointer.is_empty() => {
                SchemaError::new(format!("invalid JSON Schema: {text}"))
            }
            pointer => {
                let pointer = shorten(&pointer, MAX_POINTER);
                SchemaError::new(format!("invalid JSON Schema at {pointer}: {text}"))
            }
        }
    }

    /// Creates the error for a schema that would cause too much work.
    pub(super) fn too_much_work(&self, node: NodeId, text: &str) -> SchemaError {
        let pointer = shorten(&self.pointer(node, &[]), MAX_POINTER);
        let place = if pointer.is_empty() { "the root" } else { &pointer };
        SchemaError::new(format!("{place} {text}"))
    }
}
