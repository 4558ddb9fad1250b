// What `.env` says: where to deploy to, and keys. In: the file's text. Out: its values, checked, or
// every problem with it at once. Plain JavaScript, because the scripts read it too.
// @ts-check

import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

import { nearest } from './near.mjs';

/**
 * @typedef {object} EnvRow
 * @property {string} name the variable
 * @property {string[]} [also] another name of the same variable
 * @property {string} what what it does, as docs/deploy.md says it
 * @property {string} [secret] the parameter under `/{stack}/Secret/` that it is put into
 */

/**
 * Every variable of `.env`. Those without a secret are required.
 * @type {readonly EnvRow[]}
 */
export const ENV = [
  {
    name: 'NODE_ENV',
    what: 'any word; the tag `environment` of what is deployed, unless `tags` has it',
  },
  { name: 'DEPLOY_ACCOUNT', what: 'your AWS account, 12 digits' },
  { name: 'DEPLOY_REGION', what: 'the region that is deployed to, like `us-west-2`' },
  { name: 'DEPLOY_PROFILE', what: 'the profile of the AWS CLI that deploys' },
  {
    name: 'OPEN_AI_API_KEY',
    also: ['OPENAI_API_KEY'],
    what: 'the key of OpenAI',
    secret: 'KeyOpenAI',
  },
  { name: 'ANTHROPIC_API_KEY', what: 'the key of Anthropic', secret: 'KeyAnthropic' },
  { name: 'XAI_API_KEY', what: 'the key of xAI', secret: 'KeyXAI' },
  { name: 'GEMINI_API_KEY', what: 'the key of Google’s Gemini', secret: 'KeyGoogle' },
  { name: 'DEEPSEEK_API_KEY', what: 'the key of DeepSeek', secret: 'KeyDeepSeek' },
  {
    name: 'ENDPOINT_API_KEY',
    what: 'the key that callers show where `endpointAuth` is `API_KEY`',
    secret: 'KeyEndpoint',
  },
];

/**
 * @typedef {object} Deployment
 * @property {string} environment
 * @property {string} account
 * @property {string} region
 * @property {string} profile
 * @property {{ name: string, parameter: string, value: string }[]} secrets those that are set
 */

/** Something in `.env`, or its absence. The message is for the user, and never holds a secret. */
export class EnvError extends Error {}

/** @type {Record<string, { fits: RegExp, expected: string }>} */
const FORMS = {
  NODE_ENV: {
    fits: /^[\w.:/=+@-]{1,256}$/,
    expected: 'one word of letters, digits and _ . : / = + @ -',
  },
  DEPLOY_ACCOUNT: { fits: /^\d{12}$/, expected: 'the 12 digits of an AWS account' },
  DEPLOY_REGION: {
    fits: /^(us|us-gov|us-iso[a-z]?|ca|mx|sa|eu|eusc-de|eu-isoe|il|af|me|ap|cn)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/,
    expected: 'an AWS region like us-west-2',
  },
  // AWS's SDK for JavaScript, and so the CDK, finds no profile of another name.
  DEPLOY_PROFILE: {
    fits: /^[\w@+.%:/-]+$/,
    expected: 'the name of a profile, of letters, digits and _ @ + . % : / -',
  },
};

/**
 * Reads a file like `.env`.
 * @param {string} path
 * @param {readonly EnvRow[]} [more] keys of further providers
 * @returns {Deployment}
 */
export function readEnvFile(path, more = []) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    const why = code === 'ENOENT' ? 'there is no such file' : `it can't be read (${code})`;
    throw new EnvError(`${path}: ${why}; copy .env.sample to .env and fill it in`);
  }
  return readEnv(text, path, more);
}

/**
 * Reads the text of a file like `.env`. A variable that is set but empty is not set.
 * @param {string} text
 * @param {string} [path] what the messages call it
 * @param {readonly EnvRow[]} [more] keys of further providers
 * @returns {Deployment}
 */
export function readEnv(text, path = '.env', more = []) {
  const values = parse(text);
  const rows = [...ENV, ...more];
  const problems = [...misspelt(Object.keys(values), rows), ...unsure(text, values, rows)];
  /** @param {EnvRow} row */
  const look = (row) => {
    const set = [row.name, ...(row.also ?? [])].filter((name) => (values[name] ?? '').trim());
    const texts = new Set(set.map((name) => values[name]?.trim() ?? ''));
    if (texts.size > 1) problems.push(`${set.join(' and ')} are the same and differ; keep one`);
    return [...texts][0] ?? '';
  };
  /** @param {string} name */
  const required = (name) => {
    const row = /** @type {EnvRow} */ (ENV.find((known) => known.name === name));
    const value = look(row);
    const form = FORMS[name];
    if (!value) problems.push(`${name} is not set: ${row.what}`);
    else if (form && !form.fits.test(value))
      problems.push(`${name}: expected ${form.expected}, got ${JSON.stringify(value)}`);
    return value;
  };
  const deployment = {
    environment: required('NODE_ENV'),
    account: required('DEPLOY_ACCOUNT'),
    region: required('DEPLOY_REGION'),
    profile: required('DEPLOY_PROFILE'),
    secrets: rows.flatMap((row) => {
      const value = row.secret ? look(row) : '';
      if (value && /[\r\n]/.test(value)) problems.push(`${row.name}: a key is one line`);
      return value && row.secret ? [{ name: row.name, parameter: row.secret, value }] : [];
    }),
  };
  if (problems.length > 0)
    throw new EnvError(problems.map((text) => `${path}: ${text}`).join('\n'));
  return deployment;
}

const SHORTEST_MISSPELT = 12;

/**
 * Names that are almost known. Others are somebody else's: the command line reads its own from the
 * same file.
 * @param {string[]} names
 * @param {readonly EnvRow[]} rows
 */
function misspelt(names, rows) {
  const known = rows.flatMap(({ name, also = [] }) => [name, ...also]);
  return names.flatMap((name) => {
    // Short ones are near to everything: ZAI_API_KEY is another's.
    const isOdd = !known.includes(name) && name.length >= SHORTEST_MISSPELT;
    const near = isOdd ? nearest(name, known) : undefined;
    return near ? [`${name} is not known; did you mean ${near}?`] : [];
  });
}

/**
 * Values that dotenv would cut at a `#`, or keep a quote of. What came is not shown: it may be a key.
 * @param {string} text
 * @param {Record<string, string>} values as dotenv read them
 * @param {readonly EnvRow[]} rows
 */
function unsure(text, values, rows) {
  const known = rows.flatMap(({ name, also = [] }) => [name, ...also]);
  const lines = text.matchAll(/^[^\S\n\r]*(?:export\s+)?([\w.-]+)[^\S\n\r]*(?:=|:(?=\s))(.*)$/gm);
  return [...lines].flatMap(([, name = '', rest = '']) => {
    // One of several lines is told by its reader.
    if (!known.includes(name) || /[\r\n]/.test(values[name] ?? '')) return [];
    const expected = `${name}: expected the value in quotes that it does not hold itself, got`;
    const hidden = '(not shown, as it may be a key)';
    if (/^\s*['"`]/.test(rest)) {
      // With a comment after it, the first quote that is its like must be the end.
      const isClosed =
        /^\s*(['"`])(?:\\\1|(?!\1).)*\1(\s+#.*)?\s*$/.test(rest) ||
        /^\s*(['"`])[^#]*\1\s*$/.test(rest);
      return isClosed ? [] : [`${expected} a quote that is not closed ${hidden}`];
    }
    const [, value = '', comment = ''] = /^([^#]*)(.*)$/.exec(rest) ?? [];
    if (comment && !(/\s$/.test(value) && /^#(\s|$)/.test(comment))) {
      return [`${expected} a # without a space on both sides ${hidden}`];
    }
    return /['"`]$/.test(value.trim()) ? [`${expected} a quote at the end alone ${hidden}`] : [];
  });
}

/**
 * The keys of the context's `openAiCompatibleProviders`, as rows of `.env`.
 * @param {unknown} servers
 * @returns {EnvRow[]}
 */
export function compatibleRows(servers) {
  if (typeof servers !== 'object' || servers === null) return [];
  return Object.entries(servers).flatMap(([name, server]) => {
    const { key: secret, keyEnv } = server ?? {};
    if (typeof secret !== 'string' || typeof keyEnv !== 'string') return [];
    return [{ name: keyEnv, what: `the key of ${name}`, secret }];
  });
}
