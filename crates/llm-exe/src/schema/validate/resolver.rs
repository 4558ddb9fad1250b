//! Resolves references to schemas of the same document and to published meta-schemas.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::builder::{Builder, Reference, ReferenceKind};
use super::draft::Draft;
use super::meta_schemas;
use super::node::{ALWAYS, NEVER, NodeId};
use super::places::{Place, Step};
use super::resources::{RECURSIVE, join};
use crate::json::{quoted, shown};
use crate::schema::SchemaError;
use crate::schema::reference::unescape_step;

/// The target of a reference.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResolvedReference {
    pub(super) node: NodeId,
    /// The dynamic anchors that can replace the node, for a dynamic reference.
    pub(super) anchors: Option<u32>,
}

/// The result of resolving a reference within the document. The inner error is the reason why the
/// target does not exist.
type Resolution = Result<ResolvedReference, SchemaError>;

impl<'a> Builder<'a> {
    /// Finds the node that a reference refers to. The inner error says that the schema does not
    /// exist.
    ///
    /// # Errors
    /// Returns an error if the reference refers to another document.
    pub(super) fn resolve(&mut self, reference: Reference<'a>) -> Result<Resolution, SchemaError> {
        let text = reference.text;
        let (uri, fragment) = text.rsplit_once('#').unwrap_or((text, ""));
        let own = self.places.get(reference.from).map_or(0, |place| place.resource);
        let resource = if uri.is_empty() {
            own
        } else {
            self.find_resource(own, uri).map_err(|document| {
                if self.resources.are_uris_too_long() {
                    let text = "the URIs of all $ids together are too long; use a shorter $id";
                    return self.reference_error(reference, text);
                }
                let text = format!(
                    "the reference {} leads to another document, which is never loaded ({}); copy \
                     the schema into $defs and refer to it as #/$defs/NAME",
                    quoted(text),
                    quoted(&document)
                );
                self.reference_error(reference, &text)
            })?
        };
        let is_recursive = reference.kind == ReferenceKind::RecursiveRef;
        let found = if fragment.is_empty() || is_recursive {
            let root = self.resources.get(resource).and_then(|resource| resource.root);
            root.ok_or_else(String::new)
        } else if fragment.starts_with('/') {
            self.follow_pointer(resource, fragment)
        } else {
            let anchor = self.resources.anchors.get(&(resource, fragment)).copied();
            anchor.ok_or_else(|| format!("no schema has the anchor {}", quoted(fragment)))
        };
        let anchors = match reference.kind {
            ReferenceKind::RecursiveRef => self.resources.dynamic_anchors_of(resource, RECURSIVE),
            ReferenceKind::DynamicRef if !fragment.is_empty() => {
                self.resources.dynamic_anchors_of(resource, fragment)
            }
            _ => None,
        };
        Ok(found.map(|node| ResolvedReference { node, anchors }).map_err(|reason| {
            let text = format!(
                "the reference {} does not lead to a schema: {reason}",
                quoted(reference.text)
            );
            self.reference_error(reference, &text)
        }))
    }

    fn reference_error(&self, reference: Reference<'a>, text: &str) -> SchemaError {
        let keyword = Step::Name(reference.kind.keyword());
        self.places.invalid(reference.from, &[keyword], text)
    }

    /// Finds the resource with a URI, which is relative to the resource `from`.
    ///
    /// # Errors
    /// Returns the absolute URI if the document does not contain such a resource.
    fn find_resource(&mut self, from: u32, uri: &str) -> Result<u32, String> {
        let base = self.resources.uri_of(from);
        let Some(mut uri) = join(base.as_ref(), uri) else { return Err(uri.to_owned()) };
        uri.set_fragment(None);
        if let Some(resource) = self.resources.by_uri.get(uri.as_str()) {
            return Ok(*resource);
        }
        let Some(meta_schema) = meta_schemas::find(uri.as_str()) else {
            return Err(uri.to_string());
        };
        let draft = Draft::default().within(meta_schema);
        let root = NodeId::try_from(self.places.all.len()).unwrap_or(NodeId::MAX);
        let resource = self.resources.add(draft.id(meta_schema), None, Some(root));
        self.add_place(Place { schema: Some(meta_schema), outer: None, draft, resource });
        self.resources.by_uri.insert(uri.into(), resource);
        Ok(resource)
    }

    /// Follows a JSON pointer from the root of a resource. The reason of an error says which step
    /// does not exist.
    fn follow_pointer(&mut self, resource: u32, pointer: &'a str) -> Result<NodeId, String> {
        let root = self.resources.get(resource).and_then(|resource| resource.root);
        let root = root.unwrap_or_default();
        let Ok(decoded) = percent_decode_str(pointer).decode_utf8() else {
            return Err("its percent-encoding is not valid UTF-8".to_owned());
        };
        self.add_addresses();
        let mut steps = decoded.split('/').skip(1);
        // The root is a map; all other places are values.
        let schema = self.places.get(root).and_then(|place| place.schema);
        let name = unescape_step(steps.next().unwrap_or_default());
        let mut value =
            schema.and_then(|schema| schema.get(&name)).ok_or_else(|| missing(&name))?;
        let mut nearest = root;
        loop {
            if let Some(node) = self.node_at(value) {
                nearest = node;
            }
            let Some(step) = steps.next() else { break };
            let name = unescape_step(step);
            let next = match value {
                Value::Object(fields) => fields.get(&name),
                Value::Array(items) => name.parse().ok().and_then(|at: usize| items.get(at)),
                _ => None,
            };
            value = next.ok_or_else(|| missing(&name))?;
        }
        match value {
            Value::Bool(true) => Ok(ALWAYS),
            Value::Bool(false) => Ok(NEVER),
            Value::Object(schema) => match self.node_at(value) {
                Some(node) => Ok(node),
                None => Ok(self.add_unknown(schema, root, nearest, pointer)),
            },
            other => Err(format!("it leads to {}", shown(other))),
        }
    }

    /// Adds a schema that is not in the place of a subschema, such as `#/components/schemas/A`.
    fn add_unknown(
        &mut self,
        schema: &'a Map<String, Value>,
        root: NodeId,
        nearest: NodeId,
        pointer: &'a str,
    ) -> NodeId {
        let around = self.places.get(nearest);
        let (draft, resource) = around.map_or_else(Default::default, |at| (at.draft, at.resource));
        let outer = Some((root, Step::Pointer(pointer), None));
        self.add_place(Place { schema: Some(schema), outer, draft, resource })
    }

    fn node_at(&self, value: &Value) -> Option<NodeId> {
        let schema = value.as_object()?;
        self.resources.by_address.get(&(std::ptr::from_ref(schema) as usize)).copied()
    }

    /// Adds the addresses of the schemas of all new places.
    fn add_addresses(&mut self) {
        let resources = &mut self.resources;
        let new = self.places.all.get(resources.addressed..).unwrap_or_default();
        for (index, place) in new.iter().enumerate() {
            if let Some(schema) = place.schema {
                let node = NodeId::try_from(resources.addressed + index).unwrap_or(NodeId::MAX);
                let address = std::ptr::from_ref(schema) as usize;
                resources.by_address.entry(address).or_insert(node);
            }
        }
        resources.addressed = self.places.all.len();
    }
}

fn missing(name: &str) -> String {
    format!("it has no {}", quoted(name))
}
