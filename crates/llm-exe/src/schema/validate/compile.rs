//! Compiles a schema: creates a node for each subschema and links the references between them.

use serde_json::{Map, Value};

use super::builder::{Builder, Reference, ReferenceKind};
use super::defaults;
use super::draft::{Draft, KNOWN_DRAFTS};
use super::node::{ALWAYS, DynamicRef, Graph, Keyword, NEVER, Node, NodeId, ROOT, Types};
use super::places::{MAX_POINTER, Place, Places};
use super::resources::Resources;
use super::rules;
use super::warnings::Warnings;
use super::work;
use crate::error::shorten;
use crate::json::quoted;
use crate::schema::SchemaError;

/// Compiles a schema. Returns it with warnings about it.
///
/// # Errors
/// Returns an error with the position in the schema if the schema is invalid, refers to another
/// document, or could cause too much work.
pub(super) fn compile(schema: &Map<String, Value>) -> Result<(Graph, Warnings), SchemaError> {
    let draft = Draft::default().within(schema);
    let mut builder = Builder {
        places: Places::default(),
        nodes: Vec::new(),
        resources: Resources::default(),
        references: Vec::new(),
        broken: Vec::new(),
        has_default: false,
        warnings: Warnings::default(),
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
    let Builder { nodes, resources, places, has_default, mut warnings, .. } = builder;
    let mut graph = Graph { nodes, dynamic_anchors: resources.dynamic_anchors };
    if has_default {
        defaults::prepare(&mut graph, &places, &mut warnings);
    }
    Ok((graph, warnings))
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
        self.report_unknown_draft(index, schema);
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

    fn report_unknown_draft(&mut self, index: NodeId, schema: &Map<String, Value>) {
        let name = schema.get("$schema").and_then(Value::as_str);
        let Some(name) = name.filter(|name| Draft::from_uri(name).is_none()) else { return };
        let places = &self.places;
        self.warnings.add(|| {
            let pointer = places.pointer(index, &[]);
            let place = match pointer.as_str() {
                "" => "schema.$schema".to_owned(),
                pointer => format!("schema: $schema at {}", shorten(pointer, MAX_POINTER)),
            };
            format!(
                "{place}: {} is not a known draft of JSON Schema; the schema is read as draft \
                 2020-12 (known: {KNOWN_DRAFTS})",
                quoted(name)
            )
        });
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
