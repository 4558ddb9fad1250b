// Checks that the docs match the code: tables, commands, options, settings, errors and links.
// `scripts/update` rewrites the tables in docs/deploy.md.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

import { OPTIONS, OPTION_OF_SETTING } from '../lib/config.ts';
import { ENV } from '../lib/env.ts';
import { PROVIDERS } from '../lib/providers.ts';
import { ROOT, template } from './support/synth.ts';

const DEPLOY = join(ROOT, 'docs', 'deploy.md');
const PAGES = [
  'docs/deploy.md',
  'docs/step-functions.md',
  'docs/tools.md',
  'documentation/setup/README.md',
  'cdk/README.md',
];

const TABLES: Record<string, string[]> = {
  env: [
    '| variable | required | description |',
    '|---|---|---|',
    ...ENV.map(({ name, aliases = [], description, isRequired }) => {
      const names = [name, ...aliases].map((alias) => `\`${alias}\``).join(' or ');
      return `| ${names} | ${isRequired ? 'yes' : 'no'} | ${description} |`;
    }),
  ],
  context: [
    '| option | default | description |',
    '|---|---|---|',
    ...Object.entries(OPTIONS).map(([name, row]) => {
      const value = row.default === undefined ? '' : `\`${JSON.stringify(row.default)}\``;
      return `| \`${name}\` | ${value} | ${row.description} |`;
    }),
  ],
};

for (const [name, rows] of Object.entries(TABLES)) {
  test(`docs/deploy.md: the table ${name} matches the code`, () => {
    const text = readFileSync(DEPLOY, 'utf8');
    const table = new RegExp(`(<!-- ${name}: [^\n]* -->\n)([^]*?)(<!-- end -->)`);
    const expected = `\n${rows.join('\n')}\n\n`;
    if (process.env['UPDATE']) writeFileSync(DEPLOY, text.replace(table, `$1${expected}$3`));
    const message = 'docs/deploy.md is out of date; run scripts/update';
    assert.equal(table.exec(readFileSync(DEPLOY, 'utf8'))?.[2], expected, message);
  });
}

for (const page of PAGES) {
  const text = readFileSync(join(ROOT, page), 'utf8');

  test(`${page}: all commands and options exist`, () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, command] of text.matchAll(/npm run ([a-z-]+)/g)) {
      assert.ok(scripts[command!], command);
    }
    for (const [, key] of text.matchAll(/-c (\w+)=/g)) assert.ok(key! in OPTIONS, key);
  });

  test(`${page}: all links resolve`, () => {
    for (const [, link] of text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)) {
      if (link!.startsWith('https://')) continue;
      assert.ok(existsSync(resolve(ROOT, dirname(page), link!)), link);
    }
  });
}

test('docs/deploy.md lists every command', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const text = readFileSync(DEPLOY, 'utf8');
  const documented = [...text.matchAll(/^\| `npm run ([a-z-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    documented.sort(),
    Object.keys(scripts)
      .filter((name) => name !== 'format')
      .sort(),
  );
});

test('the app, the package of the constructs and the crates have one version', () => {
  const versionOf = (path: string): string =>
    (JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as { version: string }).version;
  const [, crates] = /^version = "([^"]+)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))!;
  assert.deepEqual([versionOf('package.json'), versionOf('cdk/package.json')], [crates, crates]);
});

/** Returns the concatenated source of all Rust files in a folder. */
function rustSource(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rs'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n');
}

test('the function uses the same names of settings and keys', () => {
  const rust = ['llm-exe', 'llm-exe-events', 'llm-exe-function']
    .map((crate) => rustSource(`crates/${crate}/src`))
    .join('\n');
  const secrets = ENV.flatMap(({ secret }) => secret ?? []);
  for (const name of [...Object.keys(OPTION_OF_SETTING), ...secrets]) {
    assert.ok(rust.includes(`"${name}"`), name);
  }
});

/** Returns the cells of those table rows on a page that begin with a name in backquotes. */
function tableRows(page: string): string[][] {
  return readFileSync(join(ROOT, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

const code = (cell = ''): string => cell.replaceAll('`', '');

/** Settings without an option of their own. They are set with the option `environment`. */
const WITHOUT_OPTION = [
  ...new Set(PROVIDERS.map(({ baseUrlSetting }) => baseUrlSetting)),
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL_SSM',
  'AWS_ENDPOINT_URL_SQS',
  'AWS_ENDPOINT_URL_EVENTS',
  'AWS_ENDPOINT_URL_LAMBDA',
  'AWS_ENDPOINT_URL',
  'AWS_REGION',
  'METRIC_TAGS',
  'PRICES',
  'STRICT',
];

test('each setting in docs/lambda.md has an option or is listed as having none', () => {
  const names = tableRows('docs/lambda.md').map(([name]) => code(name));
  // The page also has a table of log fields, whose names are not in capital letters.
  const settings = names.filter((name) => /^[A-Z0-9_]+$/.test(name));
  assert.deepEqual(settings.sort(), [...Object.keys(OPTION_OF_SETTING), ...WITHOUT_OPTION].sort());
});

test('defaults in the descriptions of options are those of docs/lambda.md', () => {
  const defaults = new Map(
    tableRows('docs/lambda.md').map(([name, value]) => [code(name), code(value)]),
  );
  let count = 0;
  for (const [setting, name] of Object.entries(OPTION_OF_SETTING)) {
    const { description } = OPTIONS[name as keyof typeof OPTIONS];
    const [, value] = /\(default: ([^)]+)\)/.exec(description) ?? [];
    if (value === undefined) continue;
    assert.equal(value, defaults.get(setting), name);
    count += 1;
  }
  assert.ok(count >= 4, String(count));
});

test('asTask retries the errors for which docs/errors.md says that a retry helps', () => {
  const retryable = tableRows('docs/errors.md')
    .filter(([, , retry]) => retry === 'yes')
    .map(([name]) => code(name));
  // OutputInvalid is not retried: another reply may satisfy the schema, but each reply costs money.
  const expected = retryable.filter((name) => name !== 'OutputInvalid');
  assert.equal(expected.length, retryable.length - 1);
  const machines = template({ batchEnabled: true }).findResources(
    'AWS::StepFunctions::StateMachine',
  );
  const [, list] = /"ErrorEquals\\*":\[([^\]]*ProviderRateLimited[^\]]*)\]/.exec(
    JSON.stringify(machines).replaceAll('\\', ''),
  ) ?? ['', ''];
  const retried = list.split(',').map((name) => name.replaceAll('"', ''));
  assert.deepEqual(retried.filter((name) => !name.startsWith('Lambda.')).sort(), expected.sort());
});
