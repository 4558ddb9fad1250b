//! Finds the nodes whose coercion can change a value, so that coercion skips the other ones.

use super::coerce::MAX_HOPS;
use super::node::{Graph, Keyword, Node, NodeId, ObjectRules, Types};

/// The types that strings can be converted to.
const CONVERTED: Types =
    Types::BOOLEAN.with(Types::NUMBER).with(Types::INTEGER).with(Types::WRITTEN_INTEGER);

/// Sets `can_coerce` of the nodes and `has_defaults` of their rules for objects.
pub(super) fn mark(graph: &mut Graph) {
    let mut found = Vec::new();
    for index in 0..graph.nodes.len() {
        let Some(node) = graph.nodes.get(index) else { break };
        let has_defaults = object_rules(node).is_some_and(|rules| has_defaults(graph, rules));
        let changes_value = has_defaults || can_change(node);
        let Some(node) = graph.nodes.get_mut(index) else { break };
        node.can_coerce = changes_value;
        for keyword in &mut node.keywords {
            if let Keyword::Object(rules) = keyword {
                rules.has_defaults = has_defaults;
            }
        }
        found.extend(NodeId::try_from(index).ok().filter(|_| changes_value));
    }
    // What a node leads to can change a part of its values.
    let edges = followed_edges(graph);
    while let Some(target) = found.pop() {
        let start = edges.partition_point(|(to, _)| *to < target);
        let rest = edges.get(start..).unwrap_or_default();
        for (_, from) in rest.iter().take_while(|(to, _)| *to == target) {
            let node = usize::try_from(*from).ok().and_then(|index| graph.nodes.get_mut(index));
            if let Some(node) = node.filter(|node| !node.can_coerce) {
                node.can_coerce = true;
                found.push(*from);
            }
        }
    }
}

fn object_rules(node: &Node) -> Option<&ObjectRules> {
    node.keywords.iter().find_map(|keyword| match keyword {
        Keyword::Object(rules) => Some(&**rules),
        _ => None,
    })
}

fn has_defaults(graph: &Graph, rules: &ObjectRules) -> bool {
    rules.properties.iter().filter_map(|rule| rule.schema).any(|schema| {
        let hops = std::iter::successors(Some(schema), |node| graph.reference_of(*node));
        hops.take(MAX_HOPS + 1).any(|node| graph.default_of(node).is_some())
    })
}

/// Returns whether a node itself, without its subschemas and defaults, can change a value.
fn can_change(node: &Node) -> bool {
    let converts = !node.types.contains(Types::STRING) && node.types.contains(CONVERTED);
    converts || object_rules(node).is_some_and(ObjectRules::is_closed)
}

/// Returns the references and subschemas that coercion follows from nodes that are not marked yet,
/// as sorted pairs of the target and the node.
fn followed_edges(graph: &Graph) -> Vec<(NodeId, NodeId)> {
    let mut edges = Vec::new();
    for (from, node) in (0..).zip(&graph.nodes).filter(|(_, node)| !node.can_coerce) {
        let mut add = |to: NodeId| edges.push((to, from));
        for keyword in &node.keywords {
            match keyword {
                Keyword::Ref(target) => add(*target),
                Keyword::Object(rules) => {
                    rules.properties.iter().filter_map(|rule| rule.schema).for_each(&mut add);
                    rules.coerced_additional().into_iter().for_each(&mut add);
                }
                Keyword::Items(rules) => {
                    rules.prefix.iter().copied().chain(rules.rest).for_each(&mut add)
                }
                _ => {}
            }
        }
    }
    edges.sort_unstable();
    edges
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::compile::compile;
    use super::super::node::ROOT;

    fn can_coerce(schema: &Value) -> bool {
        compile(schema.as_object().unwrap()).unwrap().node(ROOT).can_coerce
    }

    #[test]
    fn schemas_that_can_change_a_value_are_found() {
        for schema in [
            json!({"type": "integer"}),
            json!({"type": ["boolean", "null"]}),
            json!({"additionalProperties": false}),
            json!({"properties": {"a": {"default": 1}}}),
            json!({"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"default": 1}}}),
            json!({"prefixItems": [{}, {"type": "number"}]}),
            json!({"items": {"additionalProperties": {"type": "number"}}}),
            // Cycles that lead to a number.
            json!({"$ref": "#/$defs/a", "$defs": {
                "a": {"properties": {"b": {"$ref": "#/$defs/b"}, "n": {"type": "number"}}},
                "b": {"items": {"$ref": "#/$defs/a"}}
            }}),
            json!({"$ref": "#/$defs/a", "$defs": {
                "a": {"properties": {"b": {"$ref": "#/$defs/b"}}},
                "b": {"items": {"$ref": "#/$defs/a"}, "properties": {"n": {"type": "number"}}}
            }}),
        ] {
            assert!(can_coerce(&schema), "{schema}");
        }
    }

    #[test]
    fn schemas_that_never_change_a_value_are_found() {
        for schema in [
            json!({"type": "string", "default": "x"}),
            json!({"type": ["string", "number"]}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"anyOf": [{"type": "number"}]}),
            json!({"patternProperties": {"a": {"type": "number"}}, "additionalProperties": false}),
            json!({"properties": {"a": {"$ref": "#"}}, "items": {"$ref": "#"}}),
        ] {
            assert!(!can_coerce(&schema), "{schema}");
        }
    }
}
