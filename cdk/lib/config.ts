// What cdk.json's context says. In: the context, as CDK has it. Out: a `Config`, typed and checked,
// or every problem with it at once.

import { nearest } from './near.mjs';
import { at, flag, jsonObject, list, oneOf, text, texts, whole, type Reader } from './readers.ts';
import { BATCH_PREFIX, SETTINGS_OF_OPTIONS } from './settings.ts';

/** A key of the context. */
export interface Option<T> {
  /** What holds where it is not set, as it would be written in cdk.json. */
  readonly shipped: unknown;
  /** What it does, as docs/deploy.md says it. */
  readonly what: string;
  readonly read: Reader<T>;
}

function option<T>(shipped: unknown, what: string, read: Reader<T>): Option<T> {
  return { shipped, what, read };
}

function optional<T>(what: string, read: Reader<T>): Option<T | undefined> {
  return { shipped: undefined, what, read };
}

const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

/**
 * Options that send requests without waiting for a response: a result that is neither stored nor
 * sent is lost.
 */
const RECORD_SOURCES = ['queueEnabled', 'eventPattern', 'inboxPrefix'] as const;

/** The `resultPrefix` with one of these, unless the context has one. */
const DEFAULT_RESULT_PREFIX = 'results';

const bucketName = text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of an S3 bucket');
const folder = text(
  /^[\w!.*'()-]+(\/[\w!.*'()-]+)*\/?$/,
  'a prefix of S3 keys that begins with no slash, like "inbox/"',
);
// A pattern says more than `*`, after a geography like `us.` too.
const bedrockModel = text(
  /^(arn:aws[\w-]*:bedrock:[\w-]*:\d*:[a-z-]+\/(?=.*[A-Za-z0-9])[\w/.:*-]+|(?!arn:|(([a-z]{2}(-gov)?|apac|global)\.)?[^a-z]*$)[a-z0-9.*][a-z0-9.:*-]*)$/,
  'a model ID, a pattern like "anthropic.*", or the ARN of a profile',
);

/** Every key of the context, in the order of docs/deploy.md. */
export const OPTIONS = {
  stackName: option(
    'LlmExeLambda',
    'the name of the stack, and of its keys in Parameter Store',
    text(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'at most 40 letters, digits and hyphens, a letter first'),
  ),
  architecture: option('x86_64', 'the processor: x86_64 or arm64', oneOf('x86_64', 'arm64')),
  codePath: optional(
    'a zip, or a folder, that holds the built function as `bootstrap`; unset, cargo-lambda builds it',
    text(/\S/, 'the path of a zip or a folder'),
  ),
  memorySize: option(512, 'MB of memory', whole(128, 10_240)),
  timeoutSeconds: option(300, 'the time for one invocation', whole(1, 900)),
  reservedConcurrency: optional(
    'the most invocations at a time; unset, what the account has',
    whole(0, 100_000),
  ),
  retryAttempts: option(
    0,
    'how often Lambda repeats a failed asynchronous call; each is paid for',
    whole(0, 2),
  ),
  logRetentionDays: option(30, 'how long logs are kept', at(RETENTION_DAYS)),
  logLevel: option('info', 'error, warn, info or debug', oneOf('error', 'warn', 'info', 'debug')),
  permissionsBoundary: option(
    'LlmExeLambdaCdkPermissionBoundaryPolicy',
    'the policy that bounds every role of the stack; `none` for no boundary',
    text(/^[\w+=,.@-]{1,128}$/, "a policy's name, or none"),
  ),
  terminationProtection: option(false, 'the stack can’t be deleted until this is taken off', flag),
  tags: option({}, 'tags of everything, like `{"team": "research"}`', texts),
  alarmEmail: optional(
    'who is told of errors, throttles and dead letters; AWS asks the address first',
    text(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
  ),

  endpointEnabled: option(true, 'a function URL', flag),
  endpointAuth: option(
    'AWS_IAM',
    'who may call over HTTP: AWS_IAM, API_KEY, or NONE, which is anybody at your cost',
    oneOf('AWS_IAM', 'API_KEY', 'NONE'),
  ),
  endpointCallers: option(
    [],
    'accounts, roles or users of other accounts that may call the function URL, as ARNs',
    list(
      text(
        /^(\d{12}|arn:aws[\w-]*:(iam|sts)::\d{12}:[\w+=,.@/-]+)$/,
        'an account or an ARN of IAM',
      ),
    ),
  ),
  endpointAllowedOrigins: option(
    [],
    'web pages that may call, like `https://app.example.com`',
    list(text(/^(\*|https?:\/\/[^\s/]+)$/, 'an origin like https://app.example.com, or *')),
  ),
  httpApiEnabled: option(
    false,
    'an API Gateway HTTP API; needs a further statement in the boundary policy',
    flag,
  ),
  httpDeadlineSeconds: optional(
    'the time for callers behind an API Gateway (29 unless set)',
    whole(1, 900),
  ),

  allowedBedrockModels: option(
    ['anthropic.*', 'meta.*'],
    'models of Amazon Bedrock that the function may call, with their inference profiles',
    list(bedrockModel),
  ),
  allowedModels: option(
    [],
    'the only models that requests may name, like `openai:gpt-4o*`; empty, all',
    list(text(/^\S+$/, 'a pattern like openai:gpt-4o*')),
  ),
  maxTokensCeiling: optional('the most `maxTokens`', whole(1, 10_000_000)),
  strictVariables: option(false, 'a variable that `data` lacks is an error', flag),
  openAiCompatibleProviders: option(
    {},
    'servers that speak OpenAI’s dialect, as in docs/providers.md',
    jsonObject,
  ),
  environment: option(
    {},
    'further settings of docs/lambda.md, like `OPENAI_BASE_URL`; never a key',
    texts,
  ),

  promptBucketName: optional(
    'a bucket that exists, used as the prompt bucket; unset, the stack makes one',
    bucketName,
  ),
  configBuckets: option([], 'further buckets that configs are read from', list(bucketName)),
  configUrlHosts: option(
    [],
    'the only hosts that configs are fetched from; empty, any public one',
    list(text(/^(\*\.)?[a-z0-9.-]+(:\d{1,5})?$/, 'a host like *.example.com or a.example:8443')),
  ),
  configCacheSeconds: optional('how long a config is used without asking', whole(0, 86_400)),
  secretCacheSeconds: optional('how long a key is kept (300 unless set)', whole(0, 86_400)),

  queueEnabled: option(
    false,
    'an SQS queue of requests, with a dead-letter queue; results go to `resultPrefix`',
    flag,
  ),
  queueBatchSize: option(10, 'messages for one invocation', whole(1, 10_000)),
  queueBatchingWindowSeconds: option(0, 'how long messages are gathered', whole(0, 300)),
  queueMaxReceiveCount: option(3, 'tries before a message is a dead letter', whole(1, 1000)),
  queueMaxConcurrency: optional(
    'the most invocations for the queue at a time; unset, `reservedConcurrency`',
    whole(2, 1000),
  ),
  recordConcurrency: optional('records of one event side by side (10 unless set)', whole(1, 1000)),
  eventPattern: optional(
    'an EventBridge pattern; the `detail` of what fits is a request',
    jsonObject,
  ),
  eventBusName: option(
    'default',
    'the bus of `eventPattern`',
    text(/^[\w./-]{1,256}$/, "an event bus's name"),
  ),
  inboxPrefix: optional('objects put here, like `inbox/`, are run as configs', folder),

  resultPrefix: optional(
    'where results are stored: a prefix in the prompt bucket, or `s3://bucket/prefix`; unset, ' +
      '`results` with `queueEnabled`, `eventPattern` or `inboxPrefix`, else results are not stored',
    text(
      /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/)?[\w!.'()-]+(\/[\w!.'()-]+)*\/?$/,
      'a prefix like "results", or s3://bucket/prefix',
    ),
  ),
  resultDays: optional(
    'how long results in the prompt bucket are kept; unset, for ever',
    whole(1, 36_500),
  ),
  resultDestination: optional(
    'who is told of each result: the URL of an SQS queue, or the ARN of an event bus',
    text(
      /^(https:\/\/sqs\.[\w.-]+\/\d{12}\/[\w-]{1,80}(\.fifo)?|arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/[\w./-]+)$/,
      'https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, or the ARN of an event bus',
    ),
  ),
  resultDestinationOverride: option(
    [],
    'prefixes of destinations that a request may name itself',
    list(
      text(
        /^(s3:\/\/[a-z0-9.-]+\/[^\s*?,]*|https:\/\/sqs\.[\w.-]+\/\d{12}\/[\w.-]*|arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/[\w./-]*)$/,
        'a prefix of s3://bucket/key, of a queue’s URL with its account, or of a bus’s ARN',
      ),
    ),
  ),
  offloadResultsOver: optional('bytes over which an answer goes to S3', whole(4096, 6_291_456)),

  batchEnabled: option(false, 'a state machine that runs a JSONL file of requests', flag),
  batchMaxConcurrency: option(10, 'requests of a batch side by side', whole(1, 10_000)),
  batchToleratedFailurePercentage: option(
    5,
    'how much of a batch may fail before it is stopped',
    whole(0, 100),
  ),
} as const;

/** The context, read. */
export type Config = {
  readonly [Name in keyof typeof OPTIONS]: (typeof OPTIONS)[Name] extends Option<infer T>
    ? T
    : never;
};

/** Something in the context. The message is for the user: a line for each problem. */
export class ConfigError extends Error {}

/** Context of others: CDK's own flags and look-ups, and what its CLI keeps in cdk.json. */
const FOREIGN = /[:/@]|^(acknowledged-issue-numbers|cli-telemetry|cdk-migrate)$/;

/**
 * Reads the context of an app (`app.node.getAllContext()`, that is cdk.json, `-c` and ~/.cdk.json).
 */
export function readConfig(context: Readonly<Record<string, unknown>>): Config {
  const problems: string[] = [];
  for (const name of Object.keys(context).filter((name) => !FOREIGN.test(name))) {
    if (!(name in OPTIONS)) problems.push(unknown(name));
  }
  const read = ([name, row]: [string, Option<unknown>]): [string, unknown] => {
    const given = context[name];
    const isSet = given !== undefined && given !== null && given !== '';
    if (!isSet && row.shipped === undefined) return [name, undefined];
    const result = row.read(isSet ? given : row.shipped);
    if ('value' in result) return [name, result.value];
    problems.push(`${name}: expected ${result.expected}, got ${shown(result.got ?? given)}`);
    return [name, undefined];
  };
  const given = Object.fromEntries(Object.entries(OPTIONS).map(read)) as unknown as Config;
  const config = withResultPrefix(given, context['resultPrefix'] === '');
  if (problems.length === 0) problems.push(...together(config));
  if (problems.length > 0) {
    throw new ConfigError(problems.map((text) => `context of cdk.json: ${text}`).join('\n'));
  }
  return config;
}

/** Stores results by default where no caller waits for them; an empty prefix turns that off. */
function withResultPrefix(config: Config, isEmpty: boolean): Config {
  if (config.resultPrefix !== undefined || isEmpty || !recordSource(config)) return config;
  return { ...config, resultPrefix: DEFAULT_RESULT_PREFIX };
}

/** The first option that sends requests without waiting for a response. */
function recordSource(config: Config): string | undefined {
  return RECORD_SOURCES.find((name) => config[name]);
}

/** What is fine by itself but not beside the rest. */
function together(config: Config): string[] {
  const problems: string[] = [];
  if (config.queueBatchSize > 10 && config.queueBatchingWindowSeconds === 0) {
    problems.push(
      `queueBatchSize: more than 10 needs queueBatchingWindowSeconds of 1 or more, ` +
        `got ${config.queueBatchSize}`,
    );
  }
  const { queueMaxConcurrency: most, reservedConcurrency: reserved } = config;
  if (config.queueEnabled && most !== undefined && reserved !== undefined && most > reserved) {
    problems.push(
      `queueMaxConcurrency: ${most} is over reservedConcurrency (${reserved}), ` +
        'so that messages would be throttled into the dead-letter queue',
    );
  }
  if (config.queueEnabled && reserved !== undefined && reserved < 2) {
    problems.push(
      `reservedConcurrency: expected 2 or more beside queueEnabled, got ${reserved}, ` +
        'so that messages would be throttled into the dead-letter queue',
    );
  }
  problems.push(...overlaps(config));
  const result = config.resultPrefix;
  const source = recordSource(config);
  if (source && result === undefined && !config.resultDestination) {
    problems.push(
      `resultPrefix: expected a prefix with ${source}, got "", so that results would be neither ` +
        `stored nor sent; remove it to store them under "${DEFAULT_RESULT_PREFIX}", or set ` +
        'resultDestination to send them',
    );
  }
  if (config.inboxPrefix && config.promptBucketName) {
    problems.push(
      'inboxPrefix: needs the bucket of the stack, as S3 is told there whom to notify; ' +
        'unset promptBucketName',
    );
  }
  if (config.resultDays && (!result || result.startsWith('s3://') || config.promptBucketName)) {
    problems.push('resultDays: is for a resultPrefix in the bucket that the stack makes');
  }
  if (config.offloadResultsOver !== undefined && !result) {
    problems.push('offloadResultsOver: needs resultPrefix, as answers are put there');
  }
  for (const name of Object.keys(config.tags)) {
    if (/^aws:/i.test(name))
      problems.push(`tags: ${shown(name)} is AWS's own, as it begins with aws:`);
  }
  problems.push(...Object.keys(config.environment).flatMap(settingProblem));
  problems.push(...serverProblems(config.openAiCompatibleProviders));
  return problems;
}

/** Prefixes of the prompt bucket that lie in each other, so that one's objects are the other's too. */
function overlaps(config: Config): string[] {
  const { inboxPrefix, resultPrefix, promptBucketName, batchEnabled } = config;
  const own = promptBucketName ? `s3://${promptBucketName}/` : undefined;
  const result =
    own && resultPrefix?.startsWith(own) ? resultPrefix.slice(own.length) : resultPrefix;
  const isHere = result && !result.startsWith('s3://');
  const folder = (path: string): string => path.replace(/\/?$/, '/');
  // The rule of the inbox compares the start of a key, so that `in` also matches `index/`.
  const overlap = (prefix: string, path: string): boolean =>
    folder(path).startsWith(prefix) || prefix.startsWith(folder(path));
  const problems: string[] = [];
  if (inboxPrefix && isHere && overlap(inboxPrefix, result)) {
    problems.push(
      `inboxPrefix: ${shown(inboxPrefix)} and resultPrefix ${shown(resultPrefix)} overlap, ` +
        'so that results would start runs; set another inboxPrefix or resultPrefix',
    );
  }
  if (batchEnabled && inboxPrefix && overlap(inboxPrefix, BATCH_PREFIX)) {
    problems.push(
      `inboxPrefix: ${shown(inboxPrefix)} and ${BATCH_PREFIX}/ of batchEnabled overlap, ` +
        'so that files and results of batches would start runs',
    );
  }
  if (batchEnabled && isHere && overlap(folder(result), BATCH_PREFIX)) {
    problems.push(
      `resultPrefix: ${shown(resultPrefix)} and ${BATCH_PREFIX}/ of batchEnabled overlap, ` +
        'so that results would lie among files of batches, and expire with them',
    );
  }
  return problems;
}

/** As Lambda lists them; it refuses them itself, but late. */
const OF_LAMBDA =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_XRAY_(CONTEXT_MISSING|DAEMON_ADDRESS)|AWS_LAMBDA_.*|LAMBDA_.*)$/;

/** What is wrong with a name of `environment`. */
function settingProblem(name: string): string[] {
  const owner = SETTINGS_OF_OPTIONS[name];
  if (owner) return [`environment: ${name} is set by ${owner}`];
  if (OF_LAMBDA.test(name)) return [`environment: ${name} is Lambda's own`];
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
    return [`environment: expected names in capitals, got ${shown(name)}`];
  }
  // No setting that is left has one of these in its name.
  if (!/KEY|SECRET|PASSW|TOKEN/.test(name)) return [];
  return [
    `environment: ${name} looks like a secret, which would be readable in the template; ` +
      'put it into .env and run npm run update-secrets',
  ];
}

/** Keys that stand where names of keys belong. No message shows what came. */
function serverProblems(servers: Config['openAiCompatibleProviders']): string[] {
  return Object.entries(servers).flatMap(([name, server]) => {
    const { key, keyEnv } = (server ?? {}) as { key?: unknown; keyEnv?: unknown };
    const fits = (value: unknown, form: RegExp): boolean =>
      value === undefined || value === null || (typeof value === 'string' && form.test(value));
    const expected = (what: string, like: string): string =>
      `openAiCompatibleProviders: ${name}: expected ${what} like ${like}, got something else ` +
      '(not shown, as it may be a key)';
    return [
      ...(fits(key, /^Key[A-Za-z0-9]+$/)
        ? []
        : [expected('as key the name of a parameter', 'KeyTogether')]),
      ...(fits(keyEnv, /^[A-Z][A-Z0-9_]*$/)
        ? []
        : [expected('as keyEnv the name of a variable', 'TOGETHER_API_KEY')]),
    ];
  });
}

function unknown(name: string): string {
  const names = Object.keys(OPTIONS);
  const near = nearest(name, names);
  const hint = near ? `did you mean ${near}?` : `known are ${names.join(', ')}`;
  return `${name} is not known; ${hint}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
