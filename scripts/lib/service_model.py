"""Reads the types of Amazon Bedrock's Converse operation from botocore, which is not imported.

InvokeModel has no types there: its body is a blob.
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("vendor-type-packages.txt")
MODEL = "botocore/data/bedrock-runtime/2023-09-30/service-2.json.gz"
LIMITS = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
    "float": ("minimum", "maximum"),
}
TYPES = {
    "string": "string",
    "blob": "string",
    "timestamp": "number",
    "list": "array",
    "map": "object",
    "structure": "object",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
}


def read_converse(date):
    """Returns the JSON Schema of the body of a Converse request."""
    (version,) = re.findall(r"^botocore==([\d.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    shapes = download()["shapes"]
    root = structure(shapes["ConverseRequest"])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": f"PyPI botocore {version} of {date}, service model of bedrock-runtime",
        **root,
        "definitions": {name: definition(shape) for name, shape in shapes.items()},
    }


def download():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            + ["--no-deps", "--require-hashes", "--only-binary=:all:"]
            + [f"--dest={folder}", f"--requirement={REQUIREMENTS}"],
            check=True,
        )
        (wheel,) = Path(folder).glob("botocore-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return json.loads(gzip.decompress(archive.read(MODEL)))


def definition(shape):
    if shape.get("document"):
        return {}
    kind = shape["type"]
    if kind == "structure":
        return structure(shape)
    schema = {"type": TYPES[kind]}
    if "enum" in shape:
        schema["enum"] = shape["enum"]
    if kind == "list":
        schema["items"] = reference(shape["member"])
    if kind == "map":
        schema["additionalProperties"] = reference(shape["value"])
    for limit, keyword in zip(("min", "max"), LIMITS.get(kind, ())):
        # A minimum length of 0 does not limit anything.
        if shape.get(limit) or limit in shape and keyword in ("minimum", "maximum"):
            schema[keyword] = shape[limit]
    if "pattern" in shape:
        # A pattern of a service model applies to the whole text.
        schema["pattern"] = f"^(?:{shape['pattern']})$"
    return schema


def structure(shape):
    """Returns the schema of a structure, without the members that are not in the body."""
    members = {
        name: reference(member)
        for name, member in shape["members"].items()
        if member.get("location") is None
    }
    schema = {"type": "object", "properties": members, "additionalProperties": False}
    required = [name for name in shape.get("required", []) if name in members]
    if required:
        schema["required"] = required
    if shape.get("union"):
        schema.update(minProperties=1, maxProperties=1)
    return schema


def reference(member):
    return {"$ref": f"#/definitions/{member['shape']}"}
