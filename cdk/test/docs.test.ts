// The documentation says what the code says: its two tables, its commands, its options, its links.
// `UPDATE=1 npm run check` writes the tables.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

import { OPTIONS } from '../lib/config.ts';
import { ENV } from '../lib/env.mjs';
import { SETTINGS_OF_OPTIONS } from '../lib/settings.ts';
import { ROOT } from './support/synth.ts';

const DEPLOY = join(ROOT, 'docs', 'deploy.md');
const PAGES = ['docs/deploy.md', 'docs/step-functions.md', 'documentation/setup/README.md'];

const TABLES: Record<string, string[]> = {
  env: [
    '| variable | | |',
    '|---|---|---|',
    ...ENV.map(({ name, also = [], what, secret }) => {
      const names = also.length > 0 ? ` (or ${also.map((one) => `\`${one}\``).join(', ')})` : '';
      return `| \`${name}\`${names} | ${secret ? 'optional' : 'required'} | ${what} |`;
    }),
  ],
  context: [
    '| key | shipped | |',
    '|---|---|---|',
    ...Object.entries(OPTIONS).map(([name, { shipped, what }]) => {
      const value = shipped === undefined ? '' : `\`${JSON.stringify(shipped)}\``;
      return `| \`${name}\` | ${value} | ${what} |`;
    }),
  ],
};

for (const [name, rows] of Object.entries(TABLES)) {
  test(`the table of ${name} is that of the code`, () => {
    const text = readFileSync(DEPLOY, 'utf8');
    const table = new RegExp(`(<!-- ${name}: [^\n]* -->\n)([^]*?)(<!-- end -->)`);
    const expected = `\n${rows.join('\n')}\n\n`;
    if (process.env['UPDATE']) writeFileSync(DEPLOY, text.replace(table, `$1${expected}$3`));
    assert.equal(table.exec(readFileSync(DEPLOY, 'utf8'))?.[2], expected);
  });
}

for (const page of PAGES) {
  const text = readFileSync(join(ROOT, page), 'utf8');

  test(`${page}: its commands and options are there`, () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, command] of text.matchAll(/npm run ([a-z-]+)/g)) {
      assert.ok(scripts[command!], command);
    }
    for (const [, key] of text.matchAll(/-c (\w+)=/g)) assert.ok(key! in OPTIONS, key);
  });

  test(`${page}: its links lead somewhere`, () => {
    for (const [, link] of text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)) {
      if (link!.startsWith('https://')) continue;
      assert.ok(existsSync(resolve(ROOT, dirname(page), link!)), link);
    }
  });
}

test('every command is in the table', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const text = readFileSync(DEPLOY, 'utf8');
  const documented = [...text.matchAll(/^\| `npm run ([a-z-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    documented.sort(),
    Object.keys(scripts)
      .filter((n) => n !== 'format')
      .sort(),
  );
});

/** All text of a folder's files of Rust. */
function rustOf(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rs'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n');
}

test('the function knows each setting and each key by the name that is written here', () => {
  const rust = ['llm-exe', 'llm-exe-events', 'llm-exe-function']
    .map((one) => rustOf(`crates/${one}/src`))
    .join('\n');
  const secrets = ENV.flatMap(({ secret }) => secret ?? []);
  for (const name of [...Object.keys(SETTINGS_OF_OPTIONS), ...secrets]) {
    assert.ok(rust.includes(`"${name}"`), name);
  }
});
