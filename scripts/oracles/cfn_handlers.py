"""Prints the IAM actions that CloudFormation needs for each resource type, per AWS's schemas.

cfn-lint contains the schemas. `./scripts/test-cdk` installs it and checks that the output of this
command is the same as the file:

    .tools/cfn-lint-1.58.0/bin/python scripts/oracles/cfn_handlers.py > cdk/test/cases/handlers.json
"""

import importlib.metadata
import json
import pathlib
import sys

import cfnlint

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANDLERS = ("create", "read", "update", "delete")


def schemas() -> dict:
    folder = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
    parsed = (json.loads(path.read_text()) for path in folder.glob("*.json"))
    return {schema.get("typeName"): schema for schema in parsed}


def main() -> None:
    cases = ROOT / "cdk/test/cases"
    tables = ("resources.json", "bootstrap.json")
    resources = {name for table in tables for name in json.loads((cases / table).read_text())}
    known = schemas()
    table = {}
    for name in sorted(resources):
        handlers = known.get(name, {}).get("handlers", {})
        table[name] = {
            step: sorted(set(handlers[step]["permissions"])) for step in HANDLERS if step in handlers
        }
    version = importlib.metadata.version("cfn-lint")
    json.dump({"cfn-lint": version, "handlers": table}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
