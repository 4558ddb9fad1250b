// Checks the settings of the function as the function does at its start. Which settings exist and
// which values they accept is in settings-data.ts, which scripts/update writes from the function's
// code. The cases in crates/llm-exe-lambda/tests/cases/settings.json are tested with both.

import { BlockList, isIP } from 'node:net';

import { isFunctionPattern } from './function-name.ts';
import { checkModelPattern } from './models.ts';
import { PROVIDERS } from './providers.ts';
import {
  API_PATHS,
  LOCAL_NAMES,
  SERVER_FIELDS,
  SETTINGS,
  STRUCTURED_OUTPUTS,
} from './settings-data.ts';
import { suggestion } from './suggest.ts';

/** What a setting accepts. The format of `text` is checked by its own rule. */
type Rule =
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly min: number; readonly max?: number }
  | { readonly kind: 'baseUrl' }
  | { readonly kind: 'text' };

const RULES = new Map<string, Rule>(SETTINGS.map((setting) => [setting.name, setting]));

/** The names of all settings. */
const SETTING_NAMES: readonly string[] = SETTINGS.map(({ name }) => name);

/**
 * Variables that the runtime or the layer of the OpenTelemetry collector reads, but not the function.
 */
const RUNTIME_VARIABLES = [
  'GLIBC_TUNABLES',
  'MALLOC_ARENA_MAX',
  'OPENTELEMETRY_COLLECTOR_CONFIG_URI',
  'RUST_BACKTRACE',
  'TZ',
];

/**
 * The variables that Lambda reserves. CloudFormation also rejects them, but only during deployment.
 */
const RESERVED_BY_LAMBDA =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_XRAY_(CONTEXT_MISSING|DAEMON_ADDRESS)|AWS_LAMBDA_.*|LAMBDA_.*)$/;

/** The value of `traceDestination` for AWS X-Ray in the region of the function. */
export const XRAY = 'xray';

/** Settings that `traceDestination` sets. */
export const TRACE_ENDPOINT_SETTINGS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];

/** Settings of OpenTelemetry whose values contain the keys of the server that receives traces. */
const HEADER_SETTING = /^OTEL_EXPORTER_OTLP_(TRACES_)?HEADERS$/;

/** Describes the settings that must not be in a template, because they contain keys. */
export function checkHeaderSettings(names: readonly string[]): string[] {
  const headers = names.filter((name) => HEADER_SETTING.test(name));
  return headers.map(
    (name) =>
      `${name} contains secrets, which would be readable in the template; put the headers into .env as ` +
      'TRACE_HEADERS and run npm run update-secrets',
  );
}

/** Returns the smallest and the largest number that a setting accepts. */
export function rangeOf(name: string): [number, number] {
  const rule = RULES.get(name);
  if (rule?.kind !== 'number') throw new Error(`${name} is not a number`);
  return [rule.min, rule.max ?? Number.MAX_SAFE_INTEGER];
}

/** Returns the words that a setting accepts. */
export function wordsOf(name: string): readonly string[] {
  const rule = RULES.get(name);
  if (rule?.kind !== 'word') throw new Error(`${name} is not a word`);
  return rule.words;
}

/**
 * Describes the problems of settings, for example of a misspelled name or a value that would end
 * the function at its start. `providers` are the names of the OpenAI-compatible providers, if
 * another option sets them.
 */
export function checkSettings(
  settings: Readonly<Record<string, string>>,
  providers: readonly string[] = [],
): string[] {
  const configured = providerNames(settings['OPENAI_COMPATIBLE_PROVIDERS']);
  const names = [...PROVIDERS.map(({ name }) => name), ...providers, ...configured];
  return Object.entries(settings).flatMap(([name, value]) => {
    const problem = checkSettingName(name) ?? checkValue(name, value, names);
    return problem === undefined ? [] : [`${name} ${problem}`];
  });
}

/** Returns why a name is not that of a setting, for a message that begins with the name. */
function checkSettingName(name: string): string | undefined {
  if (RESERVED_BY_LAMBDA.test(name)) return 'is reserved by Lambda';
  if (RULES.has(name) || RUNTIME_VARIABLES.includes(name)) return undefined;
  const hint = suggestion(name, SETTING_NAMES);
  // The names of all other settings do not contain any of these words.
  if (!hint && /KEY|SECRET|PASSW|TOKEN/.test(name)) {
    return (
      'looks like a secret, which would be readable in the template; put it into .env and run ' +
      'npm run update-secrets'
    );
  }
  return `is not a setting${hint || '; docs/lambda.md lists the settings'}`;
}

function checkValue(name: string, raw: string, providers: readonly string[]): string | undefined {
  const value = raw.trim();
  // The function treats an empty setting as unset.
  if (value === '') return undefined;
  const problem = checkRule(name, value, providers);
  return problem && `is invalid: ${problem}`;
}

function checkRule(name: string, value: string, providers: readonly string[]): string | undefined {
  const rule = RULES.get(name);
  const got = `, got ${JSON.stringify(value)}`;
  switch (rule?.kind) {
    case 'word': {
      const isKnown = rule.words.some((word) => word.toLowerCase() === value.toLowerCase());
      return isKnown ? undefined : `expected one of ${rule.words.join(', ')}${got}`;
    }
    case 'number': {
      const [min, max] = rangeOf(name);
      const isValid = /^\+?\d+$/.test(value) && Number(value) >= min && Number(value) <= max;
      const range = rule.max === undefined ? `from ${min}` : `from ${min} to ${max}`;
      return isValid ? undefined : `expected a whole number ${range}${got}`;
    }
    case 'baseUrl': {
      const isProvider = PROVIDERS.some(({ baseUrlSetting }) => baseUrlSetting === name);
      return checkBaseUrl(value, isProvider);
    }
    case 'text':
      return checkText(name, value, providers);
    default:
      return undefined;
  }
}

/** The name of an S3 bucket. */
export const BUCKET = /^(?=.{3,63}$)(?!.*\.\.)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const QUEUE_URL = /^https?:\/\/[\w.:-]+\/\d{12}\/(?=.{1,80}$)[\w-]+(\.fifo)?$/;
const BUS_ARN = /^arn:aws[^:]*:events:[a-z0-9-]{1,32}:\d{12}:event-bus\/[\w./-]{1,256}$/;

/** The formats of the settings that are neither words nor numbers nor URLs. */
const FORMATS: Readonly<Record<string, { isValid: (value: string) => boolean; expected: string }>> =
  {
    STACK_NAME: {
      isValid: (value) => /^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(value),
      expected: 'a letter, followed by letters, digits and hyphens (at most 128)',
    },
    RESPONSE_STREAMING: {
      isValid: (value) => value.split(/[, ]/).every((item) => /^(url|rest|invoke)?$/.test(item)),
      expected: 'a list of url, rest, invoke',
    },
    AWS_S3_FILES_BUCKET_NAME: {
      isValid: (value) => BUCKET.test(value),
      expected: 'a bucket name',
    },
    CONFIG_BUCKETS: {
      isValid: (value) => everyItem(value, (name) => BUCKET.test(name)),
      expected: 'bucket names separated by commas',
    },
    RESULT_PREFIX: { isValid: isResultPrefix, expected: 's3://bucket/prefix' },
    RESULT_DESTINATION: {
      isValid: (value) => QUEUE_URL.test(value) || BUS_ARN.test(value),
      expected: 'a queue URL or an event bus ARN',
    },
    RESULT_DESTINATION_OVERRIDE: {
      isValid: (value) => value.split(',').every(isDestinationPrefix),
      expected: 'prefixes of s3://bucket/key, of queue URLs or of event bus ARNs',
    },
    TOOL_FUNCTIONS: {
      isValid: (value) =>
        value.split(/[, ]/).every((item) => item === '' || isFunctionPattern(item)),
      expected: 'names or ARNs of Lambda functions, which may end in *',
    },
    METRIC_TAGS: {
      isValid: (value) =>
        value.split(/[, ]/).every((item) => item === '' || /^[A-Za-z0-9_.-]{1,64}$/.test(item)),
      expected: 'names of tags separated by commas',
    },
    CONFIG_URL_HOSTS: {
      isValid: (value) => everyItem(value, isConfigHost),
      expected: 'public hosts like *.example.com, or a.example:8443',
    },
    AWS_REGION: {
      isValid: (value) => /^[a-z0-9-]{1,32}$/.test(value),
      expected: 'an AWS region',
    },
  };

function checkText(name: string, value: string, providers: readonly string[]): string | undefined {
  if (name === 'ALLOWED_MODELS') {
    const patterns = value.split(/[,\s]+/).filter((pattern) => pattern !== '');
    if (patterns.length === 0) return 'expected at least one pattern such as openai:gpt-4o*';
    return patterns.map((pattern) => checkModelPattern(pattern, providers)).find(Boolean);
  }
  if (name === 'OPENAI_COMPATIBLE_PROVIDERS') {
    const [problem] = checkCompatibleProviders(parseObject(value));
    return problem;
  }
  if (name === 'PRICES') return checkPrices(value, providers);
  const format = FORMATS[name];
  if (!format || format.isValid(value)) return undefined;
  return `expected ${format.expected}, got ${JSON.stringify(value)}`;
}

const PRICE_FIELDS = ['input', 'cachedInput', 'cacheWrite', 'output'];
/** The maximum price in US dollars per million tokens. */
const MAX_PRICE = 4294;

/** Returns why prices are invalid. They are a JSON object, or the key of an S3 object with it. */
function checkPrices(value: string, providers: readonly string[]): string | undefined {
  const expected = 'expected a JSON object of prices, or an S3 key';
  // Keys with these characters are not supported, so that malformed JSON is not read as a key.
  if (!/[{}[\]"]/.test(value)) {
    return isObjectPlace(value) ? undefined : `${expected}, got ${JSON.stringify(value)}`;
  }
  const prices = parseObject(value);
  if (!prices) return `${expected}, got ${quote(value)}`;
  for (const [pattern, price] of Object.entries(prices)) {
    const problem = pattern.includes(':')
      ? checkModelPattern(pattern, providers)
      : `expected a pattern such as azure:*, got ${JSON.stringify(pattern)}`;
    if (problem) return problem;
    const reason = checkPrice(price);
    if (reason) return `${pattern}: ${reason}`;
  }
  return undefined;
}

function checkPrice(price: unknown): string | undefined {
  if (typeof price !== 'object' || price === null || Array.isArray(price)) {
    return `expected {input, output}, got ${quote(price)}`;
  }
  const parts: Readonly<Record<string, unknown>> = { ...price };
  const unknown = Object.keys(parts).find((name) => !PRICE_FIELDS.includes(name));
  if (unknown !== undefined) {
    return `unknown field ${JSON.stringify(unknown)}${suggestion(unknown, PRICE_FIELDS)}`;
  }
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part !== 'number' || part < 0 || part > MAX_PRICE) {
      return `${name}: expected US dollars per million tokens, from 0 to 4,000, got ${quote(part)}`;
    }
  }
  const missing = ['input', 'output'].find((name) => parts[name] === undefined);
  return missing && `${missing}: missing`;
}

/** Returns whether a text is `s3://bucket/key`, or the key of an object. */
function isObjectPlace(value: string): boolean {
  const [, bucket, key = value] = /^s3:\/\/([^/]*)\/(.+)$/s.exec(value) ?? [];
  return (
    (bucket === undefined ? !value.includes('://') : BUCKET.test(bucket)) &&
    Buffer.byteLength(key) <= 1024 &&
    !/\p{Cc}/u.test(key) &&
    key.split('/').every((part) => !['.', '..'].includes(part))
  );
}

/** Returns the bucket of `PRICES`, if the setting names one. */
export function priceBucket(value: string | undefined): string | undefined {
  return /^s3:\/\/([^/]*)\//.exec(value?.trim() ?? '')?.[1];
}

/** Returns whether each item of a comma-separated list is valid, and there is at least one. */
function everyItem(value: string, isValid: (item: string) => boolean): boolean {
  const items = value.split(',').map((item) => item.trim());
  const present = items.filter((item) => item !== '');
  return present.length > 0 && present.every(isValid);
}

function isResultPrefix(value: string): boolean {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(value) ?? [];
  const prefix = rest.replace(/\/$/, '');
  return BUCKET.test(bucket) && (prefix === '' || isObjectPrefix(prefix));
}

/** Returns whether results can be stored under a prefix without leading or trailing slashes. */
export function isObjectPrefix(prefix: string): boolean {
  return (
    Buffer.byteLength(prefix) <= 512 &&
    !/[\p{Cc}?#]/u.test(prefix) &&
    prefix.split('/').every((part) => !['', '.', '..'].includes(part))
  );
}

function isDestinationPrefix(item: string): boolean {
  const prefix = item.trim();
  if (prefix === '') return true;
  if (prefix.startsWith('s3://')) return isResultPrefix(prefix.replace(/\/+$/, ''));
  if (!prefix.startsWith('arn:')) {
    return QUEUE_URL.test(prefix.endsWith('/') ? `${prefix}x` : prefix);
  }
  const parts = prefix.split(':');
  const name = parts.slice(5).join(':');
  const isPartial = 'event-bus/'.startsWith(name);
  return (
    parts.length >= 6 &&
    BUS_ARN.test(isPartial ? `${parts.slice(0, 5).join(':')}:event-bus/x` : prefix)
  );
}

/**
 * Returns whether a config may be fetched from a host, which is public and not an address. The
 * function also accepts public addresses.
 */
export function isConfigHost(item: string): boolean {
  const [, host = '', port = '443'] = /^(?:\*\.)?([^:]*)(?::(\d{1,5}))?$/.exec(item) ?? [];
  const name = host.toLowerCase();
  return (
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/.test(name) &&
    !/\.\d+$/.test(name) &&
    !LOCAL_NAMES.some((local) => name === local || name.endsWith(`.${local}`)) &&
    Number(port) > 0 &&
    Number(port) <= 65_535
  );
}

/**
 * Returns why a base URL is not allowed. It uses https, or http with a loopback or private host,
 * and has no credentials, query or fragment.
 */
function checkBaseUrl(url: string, isProvider = true): string | undefined {
  const example = 'such as https://api.example.com/v1';
  // A URL with a password or a query may contain a secret.
  const got = /[@?]/.test(url) ? '' : `; got ${JSON.stringify(url)}`;
  if (url.includes('#')) return 'the base URL must not contain a fragment (#…)';
  const [, scheme = '', authority = '', rest = ''] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?\s]+)([^\s"<>\\^`{|}]*)$/.exec(url) ?? [];
  if (!scheme) return `expected a URL with a scheme and a host, ${example}${got}`;
  if (authority.includes('@')) return 'the base URL must not contain a user name or password';
  if (rest.includes('?')) return 'the base URL must not contain a query (?…)';
  const [, host, port = '0'] =
    /^(\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::(\d+))?$/.exec(authority) ?? [];
  if (!host || Number(port) > 65_535) return `expected a URL ${example}${got}`;
  if (!['http', 'https'].includes(scheme.toLowerCase())) {
    return `expected a URL that begins with https://, got ${scheme}://`;
  }
  if (scheme.toLowerCase() === 'http' && !isLocalHost(host)) {
    return `http is allowed only for loopback and private addresses; use https${got}`;
  }
  const base = url.replace(/\/+$/, '');
  const path = isProvider ? API_PATHS.find((ending) => base.endsWith(ending)) : undefined;
  if (!path) return undefined;
  const used = base.slice(0, -path.length);
  return `the URL must not contain the path of the API, which the provider appends; use ${used}`;
}

/** The path that the function appends to the URL of a collector. */
const TRACES_PATH = '/v1/traces';

/**
 * Returns why traces can't be sent to a destination, which is `xray` or the URL of an OpenTelemetry
 * collector.
 */
export function checkTraceDestination(destination: string): string | undefined {
  if (destination === XRAY) return undefined;
  if (!destination.includes('://')) {
    return `expected xray, or the URL of a collector, got ${JSON.stringify(destination)}`;
  }
  const problem = checkBaseUrl(destination, false);
  if (problem) return problem;
  const base = destination.replace(/\/+$/, '');
  if (!base.endsWith(TRACES_PATH)) return undefined;
  const used = base.slice(0, -TRACES_PATH.length);
  return `the URL must not contain ${TRACES_PATH}, which the function appends; use ${used}`;
}

/** Returns whether a URL is that of a program in the same sandbox, such as a Lambda extension. */
export function isInSandbox(url: string): boolean {
  const host = hostOf(url).replace(/^\[|\]$/g, '');
  return /^(localhost|.*\.localhost|127\.[\d.]+|::1)$/i.test(host);
}

const LOCAL_ADDRESSES = new BlockList();
LOCAL_ADDRESSES.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL_ADDRESSES.addSubnet('10.0.0.0', 8, 'ipv4');
LOCAL_ADDRESSES.addSubnet('172.16.0.0', 12, 'ipv4');
LOCAL_ADDRESSES.addSubnet('192.168.0.0', 16, 'ipv4');
LOCAL_ADDRESSES.addAddress('::1', 'ipv6');
LOCAL_ADDRESSES.addSubnet('fc00::', 7, 'ipv6');

/** Returns whether a host is `localhost`, a loopback address or a private address. */
function isLocalHost(text: string): boolean {
  const host = text.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const version = isIP(host);
  return version !== 0 && LOCAL_ADDRESSES.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** Returns the host of a URL that a function outside of a VPC can't reach. */
export function unreachableHost(url: string): string | undefined {
  const host = hostOf(url);
  return isLocalHost(host) ? host : undefined;
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/(\[[^\]]*\]|[^/:?#]*)/i.exec(url.trim())?.[1] ?? '';
}

/**
 * Describes the problems of `OPENAI_COMPATIBLE_PROVIDERS`. Messages do not quote `key` and `keyEnv`,
 * because the user may have set them to the key itself.
 */
export function checkCompatibleProviders(
  providers: Readonly<Record<string, unknown>> | undefined,
): string[] {
  if (!providers) {
    return ['expected JSON like {"inhouse": {"baseUrl": "https://…/v1", "key": "KeyInhouse"}}'];
  }
  return Object.entries(providers).flatMap(([name, provider]) => {
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) {
      return [`${name}: expected a name of lower case letters, digits, - and _, such as inhouse`];
    }
    if (PROVIDERS.some((known) => known.name === name)) {
      return [`${name}: a provider with this name already exists`];
    }
    if (typeof provider !== 'object' || provider === null || Array.isArray(provider)) {
      return [`${name}: expected an object with baseUrl`];
    }
    return checkProvider(name, provider as Record<string, unknown>);
  });
}

function checkProvider(name: string, provider: Readonly<Record<string, unknown>>): string[] {
  const problems = Object.keys(provider)
    .filter((field) => !(SERVER_FIELDS as readonly string[]).includes(field))
    .map((field) => `${name}.${field}: unknown field${suggestion(field, SERVER_FIELDS)}`);
  const { baseUrl, key, keyEnv, structuredOutput } = provider;
  const url = typeof baseUrl === 'string' ? checkBaseUrl(baseUrl) : 'expected a URL, got none';
  if (url) problems.push(`${name}.baseUrl: ${url}`);
  const isValid = (value: unknown, pattern: RegExp): boolean =>
    value === undefined || value === null || (typeof value === 'string' && pattern.test(value));
  const hidden = 'got something else (not shown, because it may be a key)';
  if (!isValid(key, /^Key[A-Za-z0-9]{1,61}$/)) {
    problems.push(`${name}.key: expected the name of a parameter like KeyInhouse, ${hidden}`);
  }
  if (!isValid(keyEnv, /^[A-Z][A-Z0-9_]{0,63}$/)) {
    problems.push(
      `${name}.keyEnv: expected the name of an environment variable like INHOUSE_API_KEY, ${hidden}`,
    );
  }
  const output = structuredOutput;
  if (output !== undefined && !(STRUCTURED_OUTPUTS as readonly unknown[]).includes(output)) {
    const expected = STRUCTURED_OUTPUTS.join(', ');
    problems.push(`${name}.structuredOutput: expected one of ${expected}, got ${quote(output)}`);
  }
  return problems;
}

/** Formats a value as JSON, shortened to 80 characters. */
export function quote(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

function providerNames(value: string | undefined): string[] {
  return Object.keys(parseObject(value ?? '{}') ?? {});
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
