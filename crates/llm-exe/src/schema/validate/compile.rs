//! Compiles a schema: creates a node for each subschema and links the references between them.

use serde_json::{Map, Value};

use super::builder::{Builder, Reference, ReferenceKind};
use super::coercible;
use super::draft::Draft;
use super::node::{ALWAYS, DynamicRef, Graph, Keyword, NEVER, Node, NodeId, ROOT, Types};
use super::places::{Place, Places};
use super::resources::Resources;
use super::rules;
use super::work;
use crate::schema::SchemaError;

/// Compiles a schema.
///
/// # Errors
/// Returns an error with the position in the schema if the schema is invalid, refers to another
/// document, or could cause too much work.
pub(super) fn compile(schema: &Map<String, Value>) -> Result<Graph, SchemaError> {
    let draft = Draft::default().within(schema);
    let mut builder = Builder {
        places: Places::default(),
        nodes: Vec::new(),
        resources: Resources::default(),
        references: Vec::new(),
        broken: Vec::new(),
    };
    let resource = builder.resources.add(draft.id(schema), None, Some(ROOT));
    for _ in [ALWAYS, NEVER] {
        let place = Place { schema: None, outer: None, draft, resource };
        builder.places.all.push(place);
    }
    builder.add_place(Place { schema: Some(schema), outer: None, draft, resource });
    builder.compile_places()?;
    while !builder.references.is_empty() {
        let references = std::mem::take(&mut builder.references);
        for reference in references {
            builder.link(reference)?;
        }
        // A reference can lead to schemas that are not in the place of a subschema.
        builder.compile_places()?;
    }
    work::check(&builder)?;
    let Builder { nodes, resources, .. } = builder;
    let mut graph = Graph { nodes, dynamic_anchors: resources.dynamic_anchors };
    coercible::mark(&mut graph);
    Ok(graph)
}

impl<'a> Builder<'a> {
    /// Compiles the places that have no node yet, including those that are added meanwhile. This
    /// is a loop, so that a deep schema does not overflow the stack.
    fn compile_places(&mut self) -> Result<(), SchemaError> {
        while let Some(place) = self.places.all.get(self.nodes.len()) {
            let index = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
            let node = match (place.schema, index) {
                (Some(schema), _) => self.compile_place(index, schema)?,
                (None, NEVER) => Node::accepting(Types::NONE),
                (None, _) => Node::accepting(Types::ALL),
            };
            self.nodes.push(node);
        }
        Ok(())
    }

    fn compile_place(
        &mut self,
        index: NodeId,
        schema: &'a Map<String, Value>,
    ) -> Result<Node, SchemaError> {
        if let Some(place) = self.places.get_mut(index) {
            place.draft = place.draft.within(schema);
            let draft = place.draft;
            // The resource of a document is added together with its root.
            if let (Some(id), Some(_)) = (draft.id(schema), place.outer) {
                let outer = Some(place.resource);
                place.resource = self.resources.add(Some(id), outer, Some(index));
            }
            self.resources.add_anchors(place.resource, index, draft, schema);
        }
        rules::compile(self, index, schema)
    }

    /// Sets the target of a reference.
    fn link(&mut self, reference: Reference<'a>) -> Result<(), SchemaError> {
        let resolved = match self.resolve(reference)? {
            Ok(resolved) => resolved,
            Err(error) => {
                self.broken.push((reference.from, error));
                return Ok(());
            }
        };
        let node = usize::try_from(reference.from).ok().and_then(|at| self.nodes.get_mut(at));
        let keywords = node.into_iter().flat_map(|node| &mut node.keywords);
        for keyword in keywords {
            match (keyword, reference.kind) {
                (Keyword::Ref(target), ReferenceKind::Ref) => *target = resolved.node,
                (
                    Keyword::DynamicRef(dynamic),
                    ReferenceKind::DynamicRef | ReferenceKind::RecursiveRef,
                ) => *dynamic = DynamicRef { target: resolved.node, anchors: resolved.anchors },
                _ => {}
            }
        }
        Ok(())
    }
}
