"""Writes crates/llm-exe/tests/cases/schemas/suite: the JSON Schema Test Suite, one file per draft
with one group of tests per line. The suite is taken from the source package of the Python library
jsonschema, which contains it.

    pip download --no-deps --no-binary :all: jsonschema==4.26.0
    python scripts/oracles/schema_suite.py jsonschema-4.26.0.tar.gz

The tests of formats are skipped because `format` is never validated.
"""

import json
import re
import sys
import tarfile
from pathlib import Path

OUT = Path(__file__).parents[2] / "crates/llm-exe/tests/cases/schemas/suite"
DRAFTS = ["draft2020-12", "draft2019-09", "draft7", "draft6", "draft4"]
SKIPPED = "optional/format/"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


def groups(text):
    """Returns the texts of the items of a JSON array. Numbers are not converted, so that
    they keep all digits."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while True:
        at = re.compile(r"[\s,]*").match(text, at).end()
        if text[at] == "]":
            return
        _, end = decoder.raw_decode(text, at)
        yield "".join(TOKEN.findall(text[at:end]))
        at = end


def main(package):
    OUT.mkdir(exist_ok=True)
    with tarfile.open(package) as archive:
        files = {name.partition("/json/")[2]: name for name in archive.getnames()}
        read = lambda name: archive.extractfile(files[name]).read().decode()
        (OUT / "LICENSE").write_text(read("LICENSE"))
        for draft in DRAFTS:
            folder = f"tests/{draft}/"
            lines = []
            for name in sorted(name for name in files if name.startswith(folder)):
                file = name.removeprefix(folder)
                if not file.endswith(".json") or file.startswith(SKIPPED):
                    continue
                file = json.dumps(file.removesuffix(".json"))
                lines += [f'{{"file":{file},"group":{group}}}\n' for group in groups(read(name))]
            (OUT / f"{draft}.jsonl").write_text("".join(lines))
            print(f"{draft}: {len(lines)} groups")


main(sys.argv[1])
