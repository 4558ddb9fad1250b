// Reads the account and region to deploy to, and API keys, from environment variables and from
// `.env`. All problems are reported together.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { parse } from 'dotenv';

import { PROVIDERS, type Provider } from './providers.ts';
import { closest } from './suggest.ts';

export interface EnvRow {
  /** The name of the variable. */
  readonly name: string;
  /** Other names of the same variable. */
  readonly aliases?: readonly string[];
  /** The description in the table of docs/deploy.md. */
  readonly description: string;
  /** The parameter under `/{stack}/Secret/` that stores the value. */
  readonly secret?: string;
  /** The form of the value. Messages contain its description, and never the value of a secret. */
  readonly format?: { readonly pattern: RegExp; readonly expected: string };
  /** Whether a deployment needs the variable. Keys are never required. */
  readonly isRequired?: boolean;
}

/** Returns the variable of a provider's key, if it has one. */
function keyRow({ name: provider, key }: Provider): EnvRow[] {
  const [name, ...aliases] = key?.environment ?? [];
  if (!key || !name) return [];
  return [{ name, aliases, description: `API key of ${provider}`, secret: key.secret }];
}

/** The variable of the key that callers send with `API_KEY`. */
export const ENDPOINT_KEY = 'ENDPOINT_API_KEY';

/** The variables of `.env`. */
export const ENV: readonly EnvRow[] = [
  {
    name: 'NODE_ENV',
    description:
      'any word; becomes the tag `environment` of all resources, unless `tags` has that tag',
    isRequired: true,
  },
  { name: 'DEPLOY_ACCOUNT', description: 'ID of your AWS account, 12 digits', isRequired: true },
  {
    name: 'DEPLOY_REGION',
    description: 'AWS region to deploy to, like `us-west-2`',
    isRequired: true,
  },
  {
    name: 'DEPLOY_PROFILE',
    description:
      "AWS CLI profile to deploy with; if unset, the AWS SDK's credentials, such as those that a " +
      'CI job has in its environment',
  },
  ...PROVIDERS.flatMap(keyRow),
  {
    name: ENDPOINT_KEY,
    description: 'key that callers send if `endpointAuth` is `API_KEY`',
    secret: 'KeyEndpoint',
  },
  {
    // OTEL_EXPORTER_OTLP_HEADERS, which other programs use too, could be set for another server.
    name: 'TRACE_HEADERS',
    description:
      'headers for the collector of `traceDestination`, like `authorization=Bearer%20…,x-team=a`',
    secret: 'KeyTraceHeaders',
    format: {
      // The values are percent-encoded: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
      pattern: /^[\w!#$%&'*+.^`|~-]+=[^\s,;]*(,[\w!#$%&'*+.^`|~-]+=[^\s,;]*)*$/,
      expected:
        'headers like name=value,other=value, with spaces and commas in values written as %20 and %2C',
    },
  },
];

/** A key that is set. */
export interface Secret {
  readonly name: string;
  readonly parameter: string;
  readonly value: string;
  /** Whether an environment variable sets the key, and not the file. */
  readonly isFromEnvironment?: boolean;
}

/** The account and region to deploy to, and the keys. Only a deployment needs all values. */
export interface Deployment {
  readonly environment?: string;
  readonly account?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly secrets: readonly Secret[];
}

export interface EnvOptions {
  /** The variables of other providers. */
  readonly additionalRows?: readonly EnvRow[];
  /** The environment variables, which take precedence over the file. Default: none. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Whether variables that a deployment needs may be missing. */
  readonly isPartial?: boolean;
}

/**
 * The error for a missing or invalid `.env`. The message is for the user and never contains a key.
 */
export class EnvError extends Error {}

const FORMATS: Readonly<Record<string, { pattern: RegExp; expected: string }>> = {
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
 *
 * @throws EnvError that lists all problems
 */
export function readEnvFile(path: string, options: EnvOptions = {}): Deployment {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as { code?: string };
    const reason = code === 'ENOENT' ? 'file not found' : `cannot read the file (${code})`;
    throw new EnvError(`${path}: ${reason}; copy .env.sample to .env and fill it in`);
  }
  return readEnv(text, path, options);
}

/**
 * Reads `.env` if it exists. Without the file, the environment variables must contain all values.
 *
 * @throws EnvError that lists all problems
 */
export function readOptionalEnvFile(path: string, options: EnvOptions = {}): Deployment {
  if (existsSync(path)) return readEnvFile(path, options);
  try {
    return readEnv('', path, options);
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    throw new EnvError(
      `${path}: file not found; copy .env.sample to .env and fill it in, or set the variables in ` +
        `the environment:\n${error.message}`,
    );
  }
}

/** Returns a warning if other users of this machine can read or change a file with keys. */
export function warnOfPermissions(path: string): string | undefined {
  // Windows has no such modes, and Node reports that all users can read each file.
  if (process.platform === 'win32' || !existsSync(path)) return undefined;
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return undefined;
  const octal = mode.toString(8).padStart(3, '0');
  return `${path}: other users can read or change the keys (mode ${octal}); run chmod 600 on it`;
}

/**
 * Parses the text of a file in the format of `.env`. A variable with an empty value counts as
 * unset. `path` is the name of the file in error messages.
 *
 * @throws EnvError that lists all problems
 */
export function readEnv(text: string, path = '.env', options: EnvOptions = {}): Deployment {
  const { additionalRows = [], variables = {}, isPartial = false } = options;
  const file = parse(text);
  const rows = [...ENV, ...additionalRows];
  const problems = [
    ...checkSpelling(Object.keys(file), rows),
    ...checkQuotes(text, file, rows),
  ].map((problem) => `${path}: ${problem}`);
  const find = (row: EnvRow): FoundValue => {
    const names = [row.name, ...(row.aliases ?? [])];
    const isSet = (name: string): boolean => Boolean(variables[name]?.trim());
    // An empty DEPLOY_PROFILE in the environment overrides the profile in the file.
    const isEmpty = row.name === 'DEPLOY_PROFILE' && variables[row.name] === '';
    const isFromEnvironment = isEmpty || names.some(isSet);
    const values = isFromEnvironment ? variables : file;
    const source = isFromEnvironment ? 'environment variables' : path;
    const found = names.filter((name) => values[name]?.trim());
    const distinct = new Set(found.map((name) => values[name]?.trim() ?? ''));
    if (distinct.size > 1) {
      problems.push(
        `${source}: ${found.join(' and ')} are names of the same variable but have different ` +
          'values; keep one',
      );
    }
    return { value: [...distinct][0] ?? '', source, isFromEnvironment };
  };
  const valueOf = (name: string): string | undefined => {
    const row = rows.find((known) => known.name === name) as EnvRow;
    const { value, source } = find(row);
    const format = FORMATS[name];
    if (!value) {
      if (row.isRequired && !isPartial) {
        problems.push(`${path}: ${name} is not set (${row.description})`);
      }
      return undefined;
    }
    if (format && !format.pattern.test(value)) {
      problems.push(
        `${source}: ${name}: expected ${format.expected}, got ${JSON.stringify(value)}`,
      );
    }
    return value;
  };
  const secretOf = (row: EnvRow): Secret[] => {
    if (!row.secret) return [];
    const { value, source, isFromEnvironment } = find(row);
    if (/[\r\n]/.test(value)) {
      problems.push(`${source}: ${row.name}: expected a key without line breaks`);
    }
    if (value && row.format && !row.format.pattern.test(value)) {
      problems.push(
        `${source}: ${row.name}: expected ${row.format.expected} (value not shown, because it may ` +
          'be a key)',
      );
    }
    const { name, secret: parameter } = row;
    if (!value) return [];
    return [{ name, parameter, value, ...(isFromEnvironment && { isFromEnvironment }) }];
  };
  const deployment = {
    environment: valueOf('NODE_ENV'),
    account: valueOf('DEPLOY_ACCOUNT'),
    region: valueOf('DEPLOY_REGION'),
    profile: valueOf('DEPLOY_PROFILE'),
    secrets: rows.flatMap(secretOf),
  };
  if (problems.length > 0) throw new EnvError(problems.join('\n'));
  return deployment;
}

/** The value of a variable and where it was found. */
interface FoundValue {
  value: string;
  source: string;
  isFromEnvironment: boolean;
}

/**
 * Shorter names are not checked, because unrelated names such as ZAI_API_KEY are too similar to
 * known names.
 */
const MIN_CHECKED_LENGTH = 12;

/**
 * Rejects variable names that differ slightly from a known name. Other names are ignored, because
 * the file may also contain variables for other programs, such as the `llm-exe` command line.
 */
function checkSpelling(names: string[], rows: readonly EnvRow[]): string[] {
  const known = namesOf(rows);
  return names.flatMap((name) => {
    if (known.includes(name) || name.length < MIN_CHECKED_LENGTH) return [];
    const candidate = closest(name, known);
    return candidate ? [`${name}: unknown variable (did you mean ${candidate}?)`] : [];
  });
}

function namesOf(rows: readonly EnvRow[]): string[] {
  return rows.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
}

/**
 * Rejects values that dotenv would truncate at a `#`, or whose quotes it would not remove. Messages
 * do not quote the value, because it may be a key.
 * `values` are the values as dotenv parsed them.
 */
function checkQuotes(
  text: string,
  values: Record<string, string>,
  rows: readonly EnvRow[],
): string[] {
  const known = namesOf(rows);
  const lines = text.matchAll(/^[^\S\n\r]*(?:export\s+)?([\w.-]+)[^\S\n\r]*(?:=|:(?=\s))(.*)$/gm);
  return [...lines].flatMap(([, name = '', rest = '']) => {
    // `readEnv` already rejects values with line breaks.
    if (!known.includes(name) || /[\r\n]/.test(values[name] ?? '')) return [];
    const problem = (actual: string): string =>
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
 * Returns the variables of the providers in `openAiCompatibleProviders`, which is not yet validated.
 */
export function compatibleRows(providers: unknown): EnvRow[] {
  if (typeof providers !== 'object' || providers === null) return [];
  return Object.entries(providers).flatMap(([name, provider]) => {
    const { key: secret, keyEnv } = (provider ?? {}) as { key?: unknown; keyEnv?: unknown };
    if (typeof secret !== 'string' || typeof keyEnv !== 'string') return [];
    return [{ name: keyEnv, description: `API key of ${name}`, secret }];
  });
}
