// Reads `.env`, which contains the account and region to deploy to, and API keys. All problems are
// reported together. This file is plain JavaScript, because the scripts import it without a
// TypeScript loader.
// @ts-check

import { readFileSync, statSync } from 'node:fs';
import { parse } from 'dotenv';

import { closest } from './suggest.mjs';

/**
 * @typedef {object} EnvRow
 * @property {string} name the name of the variable
 * @property {string[]} [aliases] other names of the same variable
 * @property {string} description the description in the table of docs/deploy.md
 * @property {string} [secret] the parameter under `/{stack}/Secret/` that stores the value
 */

/**
 * @typedef {object} Provider
 * @property {string} name
 * @property {string} baseUrlSetting the setting of the function for the base URL
 * @property {{ secret: string, environment: string[] }} [key] the parameter and the variables of the key
 */

/**
 * The built-in providers. `scripts/update` writes the file from the function's code.
 * @type {readonly Provider[]}
 */
export const PROVIDERS = JSON.parse(
  readFileSync(new URL('./providers.json', import.meta.url), 'utf8'),
);

/**
 * @param {Provider} provider
 * @returns {EnvRow[]} the variable of the provider's key, if it has one
 */
function keyRow({ name: provider, key }) {
  const [name, ...aliases] = key?.environment ?? [];
  if (!name) return [];
  return [{ name, aliases, description: `API key of ${provider}`, secret: key?.secret }];
}

/**
 * The variables of `.env`. Variables without a `secret` are required.
 * @type {readonly EnvRow[]}
 */
export const ENV = [
  {
    name: 'NODE_ENV',
    description:
      'any word; becomes the tag `environment` of all resources, unless `tags` has that tag',
  },
  { name: 'DEPLOY_ACCOUNT', description: 'ID of your AWS account, 12 digits' },
  { name: 'DEPLOY_REGION', description: 'AWS region to deploy to, like `us-west-2`' },
  { name: 'DEPLOY_PROFILE', description: 'AWS CLI profile to deploy with' },
  ...PROVIDERS.flatMap(keyRow),
  {
    name: 'ENDPOINT_API_KEY',
    description: 'key that callers send if `endpointAuth` is `API_KEY`',
    secret: 'KeyEndpoint',
  },
];

/**
 * @typedef {object} Deployment
 * @property {string} environment
 * @property {string} account
 * @property {string} region
 * @property {string} profile
 * @property {{ name: string, parameter: string, value: string }[]} secrets the keys that are set
 */

/**
 * The error for a missing or invalid `.env`. The message is for the user and never contains a key.
 */
export class EnvError extends Error {}

/** @type {Record<string, { pattern: RegExp, expected: string }>} */
const FORMATS = {
  NODE_ENV: {
    pattern: /^[\w.:/=+@-]{1,256}$/,
    expected: 'one word of letters, digits and _ . : / = + @ -',
  },
  DEPLOY_ACCOUNT: { pattern: /^\d{12}$/, expected: 'the 12 digits of an AWS account' },
  DEPLOY_REGION: {
    pattern:
      /^(us|us-gov|us-iso[a-z]?|ca|mx|sa|eu|eusc-de|eu-isoe|il|af|me|ap|cn)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/,
    expected: 'an AWS region like us-west-2',
  },
  // The AWS SDK for JavaScript, which the CDK uses, finds only profiles whose names consist of
  // these characters. The name becomes an argument of the CDK's command line, where a leading dash
  // would make it a flag.
  DEPLOY_PROFILE: {
    pattern: /^[\w@+.%:/][\w@+.%:/-]*$/,
    expected: 'the name of a profile, of letters, digits and _ @ + . % : / -, without a leading -',
  },
};

/**
 * Reads and parses a file in the format of `.env`.
 * @param {string} path
 * @param {readonly EnvRow[]} [additionalRows] the variables of other providers
 * @returns {Deployment}
 * @throws {EnvError} that lists all problems
 */
export function readEnvFile(path, additionalRows = []) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    const reason = code === 'ENOENT' ? 'file not found' : `cannot read the file (${code})`;
    throw new EnvError(`${path}: ${reason}; copy .env.sample to .env and fill it in`);
  }
  return readEnv(text, path, additionalRows);
}

/**
 * Returns a warning if other users of this machine can read or change a file with keys.
 * @param {string} path
 * @returns {string | undefined}
 */
export function warnOfPermissions(path) {
  // Windows has no such modes, and Node reports that everybody can read each file.
  if (process.platform === 'win32') return undefined;
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return undefined;
  const octal = mode.toString(8).padStart(3, '0');
  return `${path}: other users can read or change the keys (mode ${octal}); run chmod 600 on it`;
}

/**
 * Parses the text of a file in the format of `.env`. A variable with an empty value counts as
 * unset.
 * @param {string} text
 * @param {string} [path] the name of the file in error messages
 * @param {readonly EnvRow[]} [additionalRows] the variables of other providers
 * @returns {Deployment}
 * @throws {EnvError} that lists all problems
 */
export function readEnv(text, path = '.env', additionalRows = []) {
  const values = parse(text);
  const rows = [...ENV, ...additionalRows];
  const problems = [
    ...checkSpelling(Object.keys(values), rows),
    ...checkQuotes(text, values, rows),
  ];
  /** @param {EnvRow} row */
  const valueOf = (row) => {
    const names = [row.name, ...(row.aliases ?? [])].filter((name) => (values[name] ?? '').trim());
    const distinct = new Set(names.map((name) => values[name]?.trim() ?? ''));
    if (distinct.size > 1) {
      problems.push(
        `${names.join(' and ')} are names of the same variable but have different values; keep one`,
      );
    }
    return [...distinct][0] ?? '';
  };
  /** @param {string} name */
  const required = (name) => {
    const row = /** @type {EnvRow} */ (ENV.find((known) => known.name === name));
    const value = valueOf(row);
    const format = FORMATS[name];
    if (!value) problems.push(`${name} is not set (${row.description})`);
    else if (format && !format.pattern.test(value)) {
      problems.push(`${name}: expected ${format.expected}, got ${JSON.stringify(value)}`);
    }
    return value;
  };
  const deployment = {
    environment: required('NODE_ENV'),
    account: required('DEPLOY_ACCOUNT'),
    region: required('DEPLOY_REGION'),
    profile: required('DEPLOY_PROFILE'),
    secrets: rows.flatMap((row) => {
      const value = row.secret ? valueOf(row) : '';
      if (value && /[\r\n]/.test(value)) {
        problems.push(`${row.name}: expected a key without line breaks`);
      }
      return value && row.secret ? [{ name: row.name, parameter: row.secret, value }] : [];
    }),
  };
  if (problems.length > 0)
    throw new EnvError(problems.map((problem) => `${path}: ${problem}`).join('\n'));
  return deployment;
}

/**
 * Shorter names are not checked, because unrelated names such as ZAI_API_KEY are too similar to
 * known names.
 */
const MIN_CHECKED_LENGTH = 12;

/**
 * Rejects variable names that differ slightly from a known name. Other names are ignored, because
 * the file may also contain variables for other programs, such as the `llm-exe` command line.
 * @param {string[]} names
 * @param {readonly EnvRow[]} rows
 */
function checkSpelling(names, rows) {
  const known = namesOf(rows);
  return names.flatMap((name) => {
    if (known.includes(name) || name.length < MIN_CHECKED_LENGTH) return [];
    const candidate = closest(name, known);
    return candidate ? [`${name}: unknown variable (did you mean ${candidate}?)`] : [];
  });
}

/** @param {readonly EnvRow[]} rows */
function namesOf(rows) {
  return rows.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
}

/**
 * Rejects values that dotenv would truncate at a `#`, or whose quotes it would not remove. Messages
 * do not quote the value, because it may be a key.
 * @param {string} text
 * @param {Record<string, string>} values the values as dotenv parsed them
 * @param {readonly EnvRow[]} rows
 */
function checkQuotes(text, values, rows) {
  const known = namesOf(rows);
  const lines = text.matchAll(/^[^\S\n\r]*(?:export\s+)?([\w.-]+)[^\S\n\r]*(?:=|:(?=\s))(.*)$/gm);
  return [...lines].flatMap(([, name = '', rest = '']) => {
    // `readEnv` already rejects values with line breaks.
    if (!known.includes(name) || /[\r\n]/.test(values[name] ?? '')) return [];
    /** @param {string} actual */
    const problem = (actual) =>
      `${name}: expected the value in quotes that do not occur in it, got ${actual} (value not ` +
      'shown, because it may be a key)';
    if (/^\s*['"`]/.test(rest)) {
      // If a comment follows the value, the next quote of the same type must end the value.
      const isClosed =
        /^\s*(['"`])(?:\\\1|(?!\1).)*\1(\s+#.*)?\s*$/.test(rest) ||
        /^\s*(['"`])[^#]*\1\s*$/.test(rest);
      return isClosed ? [] : [problem('a quote that is not closed')];
    }
    const [, value = '', comment = ''] = /^([^#]*)(.*)$/.exec(rest) ?? [];
    if (comment && !(/\s$/.test(value) && /^#(\s|$)/.test(comment))) {
      return [problem('a # without a space on both sides')];
    }
    return /['"`]$/.test(value.trim()) ? [problem('a quote only at the end')] : [];
  });
}

/**
 * Returns the variables of the providers in `openAiCompatibleProviders`.
 * @param {unknown} providers the option as given, not yet validated
 * @returns {EnvRow[]}
 */
export function compatibleRows(providers) {
  if (typeof providers !== 'object' || providers === null) return [];
  return Object.entries(providers).flatMap(([name, provider]) => {
    const { key: secret, keyEnv } = provider ?? {};
    if (typeof secret !== 'string' || typeof keyEnv !== 'string') return [];
    return [{ name: keyEnv, description: `API key of ${name}`, secret }];
  });
}
