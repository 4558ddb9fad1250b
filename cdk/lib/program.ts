// Checks the program in a zip file or a folder, because Lambda reports a program that can't start
// only when the function is invoked.

import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

export type ArchitectureName = 'x86_64' | 'arm64';

/** The name of the program, which the runtime `provided.al2023` starts. */
const NAME = 'bootstrap';

/** The machine of each architecture in an ELF header (`e_machine`). */
const MACHINES: Readonly<Record<ArchitectureName, number>> = { x86_64: 0x3e, arm64: 0xb7 };

/** The glibc version of Amazon Linux 2023. */
const GLIBC: readonly [number, number] = [2, 34];

/**
 * Returns why Lambda can't start the program in a zip file or a folder, or `undefined` if it can.
 */
export function checkProgram(path: string, architecture: ArchitectureName): string | undefined {
  if (statSync(path).isDirectory()) {
    const file = join(path, NAME);
    if (!existsSync(file)) return `expected a folder with a file \`${NAME}\`, got ${path}`;
    const problem = checkElf(readFileSync(file), architecture);
    return withPath(problem ?? (isExecutable(file) ? undefined : NOT_EXECUTABLE), file);
  }
  const zip = readFileSync(path);
  if (zip.length < 4 || zip.readUInt32LE(0) !== LOCAL_HEADER) {
    return `expected a zip file, got ${path}`;
  }
  const entry = findEntry(zip);
  if (!entry) return `expected a zip with a file \`${NAME}\` at its root, got ${path}`;
  const program = readEntry(zip, entry);
  if (!program) return `${path}: \`${NAME}\` can't be unpacked; build the zip again`;
  const problem = checkElf(program, architecture);
  return withPath(problem ?? (entry.isExecutable ? undefined : NOT_EXECUTABLE), path);
}

const NOT_EXECUTABLE = `\`${NAME}\` is not executable; run chmod +x on it`;

function withPath(problem: string | undefined, path: string): string | undefined {
  return problem && `${path}: ${problem}`;
}

function isExecutable(file: string): boolean {
  // Windows has no such permission, and the CDK's zip makes every file executable there.
  if (process.platform === 'win32') return true;
  try {
    accessSync(file, constants.X_OK);
    return (statSync(file).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Checks the ELF header, and the version of glibc that the program needs. */
function checkElf(program: Buffer, architecture: ArchitectureName): string | undefined {
  const isElf = program.length >= 20 && program.readUInt32BE(0) === 0x7f454c46;
  const is64Bit = isElf && program[4] === 2 && program[5] === 1;
  if (!is64Bit) return `\`${NAME}\` is not a program for Linux on ${architecture}`;
  const machine = program.readUInt16LE(18);
  if (machine !== MACHINES[architecture]) {
    const [actual] = Object.entries(MACHINES).find(([, number]) => number === machine) ?? [];
    const found = actual ?? `another processor (machine ${machine})`;
    return `\`${NAME}\` is built for ${found}, but the architecture is ${architecture}`;
  }
  const versions = [...program.toString('latin1').matchAll(/\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)/g)]
    .map(([, major, minor]): [number, number] => [Number(major), Number(minor)])
    .filter(([major, minor]) => major > GLIBC[0] || (major === GLIBC[0] && minor > GLIBC[1]));
  if (versions.length === 0) return undefined;
  return (
    `\`${NAME}\` needs glibc ${versions.map((version) => version.join('.')).join(', ')}, but ` +
    `Amazon Linux 2023 has ${GLIBC.join('.')}; build it with cargo-lambda`
  );
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;

interface ZipEntry {
  readonly method: number;
  readonly compressedSize: number;
  /** The offset of the local header. */
  readonly offset: number;
  readonly isExecutable: boolean;
}

/** Finds the program in the central directory of a zip file (PKWARE's APPNOTE.TXT, section 4.3). */
function findEntry(zip: Buffer): ZipEntry | undefined {
  // The record of the end may be followed by a comment of at most 65,535 bytes.
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) return undefined;
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== CENTRAL_HEADER) return undefined;
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      zip.readUInt16LE(at + field),
    ) as [number, number, number];
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === NAME) {
      // Only zips that were made on Unix (3) contain permissions.
      const isUnix = zip[at + 5] === 3;
      const mode = zip.readUInt32LE(at + 38) >>> 16;
      return {
        method: zip.readUInt16LE(at + 10),
        compressedSize: zip.readUInt32LE(at + 20),
        offset: zip.readUInt32LE(at + 42),
        isExecutable: !isUnix || mode === 0 || (mode & 0o111) !== 0,
      };
    }
    at += 46 + nameLength + extraLength + commentLength;
  }
  return undefined;
}

/** Returns the content of an entry, or `undefined` if it can't be unpacked. */
function readEntry(zip: Buffer, { method, compressedSize, offset }: ZipEntry): Buffer | undefined {
  if (offset + 30 > zip.length || zip.readUInt32LE(offset) !== LOCAL_HEADER) return undefined;
  const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  const data = zip.subarray(start, start + compressedSize);
  if (method === 0) return data;
  if (method !== 8) return undefined;
  try {
    return inflateRawSync(data);
  } catch {
    return undefined;
  }
}
