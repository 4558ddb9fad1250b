//! The schema resources of a document. A resource is a schema with an `$id`, together with its
//! subschemas that have no `$id` of their own.
//!
//! Absolute URIs are computed only if a reference needs them: most references are fragments.

use std::collections::HashMap;

use serde_json::{Map, Value};
use url::Url;

use super::draft::Draft;
use super::node::{DynamicAnchors, NodeId};

/// The base URI of a schema that does not have an absolute `$id`.
pub(crate) const DEFAULT_BASE: &str = "json-schema:///";

/// Maximum number of bytes in the absolute URIs of all resources. The URIs of embedded resources
/// repeat the base URI.
const MAX_URI_BYTES: usize = 16_000_000;

/// The name of the anchors that `$recursiveAnchor` declares. A `$dynamicAnchor` is never empty.
pub(super) const RECURSIVE: &str = "";

/// The schema resources of a document.
#[derive(Debug, Default)]
pub(super) struct Resources<'a> {
    all: Vec<Resource<'a>>,
    /// The nodes of `$anchor` and `$dynamicAnchor` by resource and name.
    pub(super) anchors: HashMap<(u32, &'a str), NodeId>,
    /// The indexes of dynamic anchors by name.
    dynamic_names: HashMap<&'a str, u32>,
    pub(super) dynamic_anchors: Vec<DynamicAnchors>,
    /// The resources by their absolute URI. Filled in when a reference needs it.
    pub(super) by_uri: HashMap<String, u32>,
    /// The absolute URIs of the resources that have been added to `by_uri`.
    uris: Vec<Option<Url>>,
    uri_bytes: usize,
    /// The nodes by the address of their schema. Filled in when a reference needs it.
    pub(super) by_address: HashMap<usize, NodeId>,
    /// The number of nodes that have been added to `by_address`.
    pub(super) addressed: usize,
}

#[derive(Debug)]
pub(super) struct Resource<'a> {
    id: Option<&'a str>,
    outer: Option<u32>,
    pub(super) root: Option<NodeId>,
}

impl<'a> Resources<'a> {
    /// Adds a resource and returns its index.
    pub(super) fn add(
        &mut self,
        id: Option<&'a str>,
        outer: Option<u32>,
        root: Option<NodeId>,
    ) -> u32 {
        let index = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(Resource { id, outer, root });
        index
    }

    /// Adds the anchors that a schema declares.
    pub(super) fn add_anchors(
        &mut self,
        resource: u32,
        node: NodeId,
        draft: Draft,
        schema: &'a Map<String, Value>,
    ) {
        if let Some(name) = draft.anchor(schema) {
            self.anchors.entry((resource, name)).or_insert(node);
        }
        let dynamic = match draft {
            Draft::Draft202012 => schema.get("$dynamicAnchor").and_then(Value::as_str),
            Draft::Draft201909 if self.is_root(resource, node) => {
                let is_recursive = schema.get("$recursiveAnchor") == Some(&Value::Bool(true));
                is_recursive.then_some(RECURSIVE)
            }
            _ => None,
        };
        if let Some(name) = dynamic {
            let anchors = &mut self.dynamic_anchors;
            let index = *self.dynamic_names.entry(name).or_insert_with(|| {
                anchors.push(DynamicAnchors::default());
                u32::try_from(anchors.len() - 1).unwrap_or(u32::MAX)
            });
            let anchors = usize::try_from(index).ok().and_then(|index| anchors.get_mut(index));
            if let Some(anchors) = anchors {
                anchors.by_resource.entry(resource).or_insert(node);
            }
            if name != RECURSIVE {
                self.anchors.entry((resource, name)).or_insert(node);
            }
        }
    }

    pub(super) fn get(&self, resource: u32) -> Option<&Resource<'a>> {
        self.all.get(usize::try_from(resource).ok()?)
    }

    fn is_root(&self, resource: u32, node: NodeId) -> bool {
        self.get(resource).is_some_and(|resource| resource.root == Some(node))
    }

    /// Returns the index of the dynamic anchors with a name, if the resource declares one.
    pub(super) fn dynamic_anchors_of(&self, resource: u32, name: &str) -> Option<u32> {
        let index = *self.dynamic_names.get(name)?;
        let anchors = self.dynamic_anchors.get(usize::try_from(index).ok()?)?;
        anchors.by_resource.contains_key(&resource).then_some(index)
    }

    /// Returns whether the absolute URIs of the resources are too long together.
    pub(super) fn are_uris_too_long(&self) -> bool {
        self.uri_bytes > MAX_URI_BYTES
    }

    /// Returns the absolute URI of a resource, and adds all new resources to `by_uri`. Returns
    /// `None` if the URIs are too long.
    pub(super) fn uri_of(&mut self, resource: u32) -> Option<Url> {
        while let Some(next) = self.all.get(self.uris.len()) {
            let outer = next.outer.and_then(|outer| self.uris.get(usize::try_from(outer).ok()?));
            let base = match next.outer {
                Some(_) => outer.cloned().flatten(),
                None => Url::parse(DEFAULT_BASE).ok(),
            };
            let mut uri = match next.id {
                _ if self.uri_bytes > MAX_URI_BYTES => None,
                Some(id) => join(base.as_ref(), id),
                None => base,
            };
            self.uri_bytes += uri.as_ref().map_or(0, |uri| uri.as_str().len());
            if let Some(uri) = &mut uri {
                uri.set_fragment(None);
                let index = u32::try_from(self.uris.len()).unwrap_or(u32::MAX);
                self.by_uri.entry(uri.as_str().to_owned()).or_insert(index);
            }
            self.uris.push(uri);
        }
        self.uris.get(usize::try_from(resource).ok()?)?.clone()
    }
}

/// Resolves a URI reference against a base URI.
pub(crate) fn join(base: Option<&Url>, reference: &str) -> Option<Url> {
    base.and_then(|base| base.join(reference).ok()).or_else(|| Url::parse(reference).ok())
}
