"""Prints the total size of the given files and folders, unpacked and as a zip at level 9.

For a single zip file, it prints the sizes of its contents and of the file itself.

Development tools and hidden files are skipped, because a deployment does not contain them.
"""

import io
import sys
import zipfile
from pathlib import Path

DEVELOPMENT = {"esbuild", "@esbuild"}


def files(root: Path):
    """Yields all files in a folder, or the given file."""
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        is_skipped = any(part.startswith(".") or part in DEVELOPMENT for part in parts)
        if path.is_file() and not is_skipped:
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
