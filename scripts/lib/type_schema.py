"""Simplifies the JSON Schemas that ts-json-schema-generator makes from TypeScript types.

The simulator needs only what decides whether a body fits: no descriptions, no lists of model names
that any other text may replace, and no definitions that a body cannot reach.
"""

import re

# The keywords that decide whether a value fits.
KEYWORDS = ["type", "enum", "const", "required", "additionalProperties"]
# The descriptions of fields that are not in the body: Anthropic's package has fields that it sends
# as headers, and Google's describes a second API.
NOT_IN_BODY = re.compile(
    r"^Header param|This (field|data type|enum) is not supported in Gemini API"
)
REF = "#/definitions/"


def simplify(schema, source):
    """Returns a schema of the same values, whose comment says where it comes from."""
    definitions = schema.get("definitions", {})
    names = {name: short_name(name) for name in definitions}
    if len(set(names.values())) != len(names):
        raise ValueError("two definitions have the same name")
    simple = {names[name]: node(value, names) for name, value in definitions.items()}
    # A list of texts becomes part of the unions that refer to it.
    for _ in range(2):
        simple = {name: inline_texts(value, simple) for name, value in simple.items()}
    root = inline_texts(node(schema, names), simple)
    root["definitions"] = simple
    return prune({"$schema": schema["$schema"], "$comment": source, **inline_root(root)})


def short_name(name):
    """Returns a name that may be part of a URI, without the number that the compiler added."""
    name = re.sub(r"interface-[\d-]+", "interface", name)
    return re.sub(r"_\d$", "", re.sub(r"[^\w.]+", "_", name).strip("_"))


def inline_root(root):
    """Replaces a reference at the root by its definition."""
    if "$ref" not in root:
        return root
    name = root["$ref"].removeprefix(REF)
    return {**root["definitions"][name], "definitions": root["definitions"]}


def node(schema, names):
    """Simplifies a schema and those in it."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": REF + names[schema["$ref"].removeprefix(REF)]}
    result = {name: schema[name] for name in KEYWORDS if name in schema}
    if isinstance(result.get("additionalProperties"), dict):
        additional = node(result["additionalProperties"], names)
        result["additionalProperties"] = additional or True
    if "properties" in schema:
        properties = schema["properties"].items()
        result["properties"] = {
            name: node(value, names)
            for name, value in properties
            if not NOT_IN_BODY.search(value.get("description", ""))
        }
    if "items" in schema:
        result["items"] = node(schema["items"], names)
    if "anyOf" in schema:
        result.update(union([node(branch, names) for branch in schema["anyOf"]]))
    return result


def inline_texts(schema, definitions):
    """Replaces references to texts in the unions of a schema, and merges the texts of a union."""
    if isinstance(schema, list):
        return [inline_texts(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: inline_texts(value, definitions) for name, value in schema.items()}
    branches = result.pop("anyOf", None)
    if not isinstance(branches, list):
        return result if branches is None else {**result, "anyOf": branches}
    targets = [definitions.get(branch.get("$ref", "").removeprefix(REF)) for branch in branches]
    pairs = zip(targets, branches)
    branches = [target if target and is_text(target) else branch for target, branch in pairs]
    return {**result, **union(branches)}


def union(branches):
    """Returns the schema of a union. Any text includes those of an enumeration."""
    texts = [branch for branch in branches if is_text(branch)]
    branches = [branch for branch in branches if not is_text(branch)]
    if any(len(text) == 1 for text in texts):
        branches.insert(0, {"type": "string"})
    elif texts:
        values = [value for text in texts for value in text.get("enum", [text.get("const")])]
        branches.insert(0, {"type": "string", "enum": list(dict.fromkeys(values))})
    if {} in branches:
        return {}
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


def is_text(schema):
    """Whether a schema accepts only texts: any, or those of an enumeration."""
    return schema.get("type") == "string" and schema.keys() <= {"type", "enum", "const"}


def prune(schema):
    """Removes the definitions that the root does not reach."""
    reached, open_nodes = set(), [{key: schema[key] for key in schema if key != "definitions"}]
    while open_nodes:
        for name in references(open_nodes.pop()):
            if name not in reached:
                reached.add(name)
                open_nodes.append(schema["definitions"][name])
    definitions = {name: schema["definitions"][name] for name in reached}
    return {**schema, "definitions": definitions}


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(REF)
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)
