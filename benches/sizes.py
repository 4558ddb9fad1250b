"""Prints how large the files given are, folders included: unpacked, and as a zip at level 9.

A single zip is measured as it is: the size of its contents, and its own size.

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


def print_sizes_of_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    print(unpacked, path.stat().st_size)


def main() -> None:
    roots = [Path(argument) for argument in sys.argv[1:]]
    if len(roots) == 1 and roots[0].suffix == ".zip":
        print_sizes_of_zip(roots[0])
        return
    unpacked = 0
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for root in roots:
            for path in files(root):
                unpacked += path.stat().st_size
                archive.write(path, path.relative_to(root.parent))
    print(unpacked, len(out.getvalue()))


main()
