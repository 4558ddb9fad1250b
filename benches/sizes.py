"""Prints how large the files given are, folders included: unpacked, and as a zip at level 9.

What a deployment leaves out is left out: development tools, and names that begin with a dot.
"""

import io
import sys
import zipfile
from pathlib import Path

DEVELOPMENT = {"esbuild", "@esbuild"}


def files(root: Path):
    """Every file under a root, which may be a file itself."""
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        left_out = any(part.startswith(".") or part in DEVELOPMENT for part in parts)
        if path.is_file() and not left_out:
            yield path


def main() -> None:
    unpacked = 0
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for root in map(Path, sys.argv[1:]):
            for path in files(root):
                unpacked += path.stat().st_size
                archive.write(path, path.relative_to(root.parent))
    print(unpacked, len(out.getvalue()))


main()
