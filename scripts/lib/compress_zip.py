#!/usr/bin/env python3
"""Compresses the program in a zip again, with zopfli: compress_zip.py ZIP

The format stays the same, and the zip becomes about 3% smaller. Python's zipfile module can't write
data that is already compressed, so this script writes the records of a zip with one file itself.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
"""

import struct
import sys
import zipfile

import zopfli.zlib

# More iterations save less than 0.1%.
ITERATIONS = 5
DEFLATE = 8
VERSION = 20
# Made by version 2.0 on Unix, whose file modes are the upper half of the attributes.
MADE_ON_UNIX = 3 << 8 | VERSION
# 1 January 1980, so that equal programs have equal zips.
DATE = 1 << 5 | 1


def compress(path: str) -> None:
    with zipfile.ZipFile(path) as archive:
        [entry] = archive.infolist()
        program = archive.read(entry)
    # A zlib stream is a deflate stream between a header of two bytes and a checksum of four.
    deflated = zopfli.zlib.compress(program, numiterations=ITERATIONS)[2:-4]
    name = entry.filename.encode()
    sizes = struct.pack("<III", entry.CRC, len(deflated), len(program))
    common = struct.pack("<HHHH", 0, DEFLATE, 0, DATE) + sizes + struct.pack("<HH", len(name), 0)
    local = struct.pack("<IH", 0x04034B50, VERSION) + common + name
    attributes = struct.pack("<HHHII", 0, 0, 0, entry.external_attr, 0)
    central = struct.pack("<IHH", 0x02014B50, MADE_ON_UNIX, VERSION) + common + attributes + name
    start = len(local) + len(deflated)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), start, 0)
    with open(path, "wb") as file:
        file.write(local + deflated + central + end)
    with zipfile.ZipFile(path) as archive:
        if archive.read(entry.filename) != program:
            sys.exit(f"{path}: the compressed program is different")


compress(sys.argv[1])
