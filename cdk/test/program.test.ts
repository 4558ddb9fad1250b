// Tests the checks of the program in a zip file or a folder.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawnSync } from 'node:child_process';

import { checkProgram, type ArchitectureName } from '../lib/program.ts';
import { elfHeader, scratch, template } from './support/synth.ts';

const FOLDER = scratch('program-');

/** Writes a zip with these files, their modes and their compression. */
function zip(name: string, files: Record<string, Buffer>, mode = 0o755, isStored = false): string {
  const path = join(FOLDER, name);
  const script = `
import base64, json, sys, zipfile
path, files, mode, stored = json.load(sys.stdin)
with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as target:
    for name, content in files.items():
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3 if mode else 0
        entry.external_attr = mode << 16
        entry.compress_type = target.compression
        target.writestr(entry, base64.b64decode(content))
    target.comment = b'a comment'
`;
  const encoded = Object.entries(files).map(([name, data]) => [name, data.toString('base64')]);
  const input = JSON.stringify([path, Object.fromEntries(encoded), mode, isStored]);
  const { status, stderr } = spawnSync('python3', ['-c', script], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return path;
}

function folder(name: string, program: Buffer, mode = 0o755): string {
  const path = join(FOLDER, name);
  mkdirSync(path);
  writeFileSync(join(path, 'bootstrap'), program);
  chmodSync(join(path, 'bootstrap'), mode);
  return path;
}

const X86 = elfHeader('x86_64');
const ARM = elfHeader('arm64');
const needing = (version: string): Buffer =>
  Buffer.concat([X86, Buffer.from(`\0GLIBC_2.17\0GLIBC_${version}\0`)]);

test('a program for the architecture is accepted', () => {
  for (const [path, architecture] of [
    [zip('x86.zip', { bootstrap: X86 }), 'x86_64'],
    [zip('stored.zip', { LICENSE: Buffer.from('x'), bootstrap: X86 }, 0o755, true), 'x86_64'],
    // A zip without permissions, such as one that was made on Windows.
    [zip('modeless.zip', { bootstrap: ARM }, 0), 'arm64'],
    [folder('arm', ARM), 'arm64'],
    [folder('new', needing('2.34')), 'x86_64'],
  ] as [string, ArchitectureName][]) {
    assert.equal(checkProgram(path, architecture), undefined);
  }
});

test('a program that Lambda cannot start is rejected', () => {
  const other = /: `bootstrap` is built for x86_64, but the architecture is arm64$/;
  for (const [path, architecture, message] of [
    [zip('other.zip', { bootstrap: X86 }), 'arm64', other],
    [folder('other', X86), 'arm64', other],
    [folder('swapped', ARM), 'x86_64', /built for arm64, but the architecture is x86_64$/],
    [
      zip('none.zip', { 'llm-exe': X86 }),
      'x86_64',
      /^expected a zip with a file `bootstrap` at its/,
    ],
    [
      zip('nested.zip', { 'a/bootstrap': X86 }),
      'x86_64',
      /^expected a zip with a file `bootstrap`/,
    ],
    [zip('mode.zip', { bootstrap: X86 }, 0o644), 'x86_64', /not executable; run chmod \+x on it$/],
    [folder('mode', X86, 0o644), 'x86_64', /`bootstrap` is not executable/],
    [zip('text.zip', { bootstrap: Buffer.from('#!/bin/sh') }), 'x86_64', /not a program for Linux/],
    [folder('empty', Buffer.alloc(0)), 'arm64', /not a program for Linux on arm64$/],
    [
      folder('glibc', needing('2.38')),
      'x86_64',
      /needs glibc 2\.38, but Amazon Linux 2023 has 2\.34/,
    ],
  ] as [string, ArchitectureName, RegExp][]) {
    assert.match(checkProgram(path, architecture) ?? 'accepted', message);
  }
  const broken = join(FOLDER, 'broken.zip');
  writeFileSync(broken, 'PK\u0003\u0004 and no directory');
  assert.match(checkProgram(broken, 'x86_64') ?? '', /^expected a zip with a file `bootstrap`/);
});

test('synth rejects a zip for another architecture', () => {
  const codePath = zip('synth.zip', { bootstrap: X86 });
  template({ codePath });
  assert.throws(
    () => template({ codePath, architecture: 'arm64' }),
    /^Error: CDK context: codePath: .*synth\.zip: `bootstrap` is built for x86_64, but/,
  );
});
