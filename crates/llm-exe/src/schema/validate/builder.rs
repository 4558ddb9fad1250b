//! Collects the nodes of a schema while it is compiled.

use serde_json::Value;

use super::draft::Draft;
use super::node::{ALWAYS, NEVER, Node, NodeId};
use super::places::{Place, Places, Step};
use super::resources::Resources;
use super::warnings::Warnings;
use crate::json::shown;
use crate::schema::SchemaError;

/// A schema that is being compiled.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    pub(super) places: Places<'a>,
    pub(super) nodes: Vec<Node>,
    pub(super) resources: Resources<'a>,
    /// The references that are not linked yet.
    pub(super) references: Vec<Reference<'a>>,
    /// The references to schemas that do not exist. They are errors only if a value could be
    /// checked against them.
    pub(super) broken: Vec<(NodeId, SchemaError)>,
    /// Whether one of the schemas has a default.
    pub(super) has_default: bool,
    /// Warnings about the schema.
    pub(super) warnings: Warnings,
}

/// A reference from a node to another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    pub(super) from: NodeId,
    pub(super) kind: ReferenceKind,
    pub(super) text: &'a str,
}

/// A keyword that refers to another schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReferenceKind {
    Ref,
    DynamicRef,
    RecursiveRef,
}

impl ReferenceKind {
    pub(super) fn keyword(self) -> &'static str {
        match self {
            ReferenceKind::Ref => "$ref",
            ReferenceKind::DynamicRef => "$dynamicRef",
            ReferenceKind::RecursiveRef => "$recursiveRef",
        }
    }
}

impl<'a> Builder<'a> {
    /// Adds a place whose node will be compiled, and returns the node's index.
    pub(super) fn add_place(&mut self, place: Place<'a>) -> NodeId {
        let index = NodeId::try_from(self.places.all.len()).unwrap_or(NodeId::MAX);
        self.places.all.push(place);
        index
    }

    /// Adds the subschema that the steps lead to from a node, and returns its node.
    ///
    /// # Errors
    /// Returns an error if the value is not a schema.
    pub(super) fn add_schema(
        &mut self,
        value: &'a Value,
        outer: NodeId,
        steps: (Step<'a>, Option<Step<'a>>),
    ) -> Result<NodeId, SchemaError> {
        let around = self.places.get(outer);
        let (draft, resource) = around.map_or_else(Default::default, |at| (at.draft, at.resource));
        match value {
            Value::Object(schema) => Ok(self.add_place(Place {
                schema: Some(schema),
                outer: Some((outer, steps.0, steps.1)),
                draft,
                resource,
            })),
            Value::Bool(accepts) if draft > Draft::Draft4 => {
                Ok(if *accepts { ALWAYS } else { NEVER })
            }
            other => {
                let expected = match draft {
                    Draft::Draft4 => "a schema (an object)",
                    _ => "a schema (an object or a boolean)",
                };
                let text = format!("expected {expected}, got {}", shown(other));
                let steps: Vec<Step<'a>> = [steps.0].into_iter().chain(steps.1).collect();
                Err(self.places.invalid(outer, &steps, &text))
            }
        }
    }

    pub(super) fn add_reference(&mut self, reference: Reference<'a>) {
        self.references.push(reference);
    }
}
