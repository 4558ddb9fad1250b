// Checks that the docs match the code: tables, commands, options, settings, errors and links.
// `scripts/update` rewrites the tables in docs/deploy.md.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

import { OPTIONS, OPTION_OF_SETTING, readConfig } from '../lib/config.ts';
import { ENV } from '../lib/env.ts';
import { PROVIDERS } from '../lib/providers.ts';
import { dashboardPicture, dashboardsOf } from '../../scripts/lib/dashboard-picture.mjs';
import { OPTION_SETS } from './support/option-sets.ts';
import { ROOT, template, type Context } from './support/synth.ts';

const DEPLOY = join(ROOT, 'docs', 'deploy.md');
const PAGES = [
  'docs/deploy.md',
  'docs/observability.md',
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

  test(`${page}: the examples of the context are valid`, () => {
    for (const [, json] of text.matchAll(/```json\n([^]*?)```/g)) {
      const { context } = JSON.parse(json!) as { context?: Record<string, unknown> };
      if (context) readConfig(context);
    }
  });

  test(`${page}: all links resolve`, () => {
    for (const [, link] of text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)) {
      if (link!.startsWith('https://')) continue;
      assert.ok(existsSync(resolve(ROOT, dirname(page), link!)), link);
    }
  });
}

interface Body {
  widgets: {
    type: string;
    x: number;
    y: number;
    width: number;
    height: number;
    properties: Record<string, string>;
  }[];
}

function dashboard(context: Context): Body {
  const [body] = dashboardsOf(template(context).toJSON() as never);
  return body as Body;
}

test('docs/dashboard.svg matches the code', () => {
  const path = join(ROOT, 'docs', 'dashboard.svg');
  const picture = dashboardPicture(dashboard(OPTION_SETS['a dashboard with queues']!));
  if (process.env['UPDATE']) writeFileSync(path, picture);
  const message = 'docs/dashboard.svg is out of date; run scripts/update';
  assert.equal(readFileSync(path, 'utf8'), picture, message);
});

test('the picture of the dashboard contains the titles, the axes and the legends', () => {
  const { widgets } = dashboard(OPTION_SETS['a dashboard with queues']!);
  const texts = [
    ...readFileSync(join(ROOT, 'docs', 'dashboard.svg'), 'utf8').matchAll(/<text[^>]*>([^<]*)</g),
  ].map(([, text]) => text);
  for (const { type, properties } of widgets) {
    if (type !== 'text') assert.ok(texts.includes(properties['title']), properties['title']);
  }
  for (const expected of ['US dollars', 'provider:model, source', 'failed events', 'restP99']) {
    assert.ok(texts.includes(expected), expected);
  }
});

test('docs/observability.md describes each graph of the dashboard', () => {
  const page = readFileSync(join(ROOT, 'docs', 'observability.md'), 'utf8');
  for (const { type, properties } of dashboard(OPTION_SETS['a dashboard with queues']!).widgets) {
    if (type !== 'text')
      assert.ok(page.includes(`| ${properties['title']} |`), properties['title']);
  }
});

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

test('the dashboard uses the names of metrics and log fields that the function writes', () => {
  const line = readFileSync(join(ROOT, 'crates', 'llm-exe-function', 'src', 'log_line.rs'), 'utf8');
  const body = JSON.stringify(dashboard(OPTION_SETS['a dashboard']!)).replaceAll('\\', '');
  const metrics = [...body.matchAll(/MetricName="(\w+)"|"LlmExe","(\w+)"/g)].flatMap((match) =>
    match.slice(1).filter(Boolean),
  );
  const expected = ['attempts', 'costUsd', 'errors', 'inputTokens', 'outputTokens', 'providerMs'];
  assert.deepEqual([...new Set(metrics)].sort(), expected);
  for (const name of expected) assert.ok(line.includes(`"Name":"${name}"`), name);
  for (const dimensions of ['"source"', '"provider","model"', '"functionName"']) {
    assert.ok(line.includes(dimensions), dimensions);
  }
  const fields = ['capabilityLearned', 'coldStart', 'durationMs', 'errorType', 'providerMs'];
  for (const field of [...fields, 'records']) {
    assert.ok(body.includes(field), field);
    assert.ok(line.includes(`("${field}"`), field);
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
  'LOG_PROMPTS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_SDK_DISABLED',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_EXPORTER',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
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
