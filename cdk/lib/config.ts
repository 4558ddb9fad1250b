// The options of the CDK app, which are the keys of the CDK context (cdk.json and `-c`), with their
// parsers, their defaults, and checks of combinations. All problems are reported together.

import { parseFunctionArn } from './function-name.ts';
import type { EndpointAuth } from './function.ts';
import { canMatchBedrockModel, checkModelPattern } from './models.ts';
import {
  boolean,
  integer,
  jsonObject,
  list,
  oneOf,
  oneOfNumbers,
  string,
  stringMap,
  type Parser,
} from './parsers.ts';
import { BATCH_PREFIX } from './prefixes.ts';
import { PROVIDERS } from './providers.ts';
import {
  BUCKET,
  TRACE_ENDPOINT_SETTINGS,
  checkCompatibleProviders,
  checkHeaderSettings,
  checkSettings,
  checkTraceDestination,
  isConfigHost,
  isInSandbox,
  quote,
  rangeOf,
  wordsOf,
} from './settings.ts';
import { suggestion } from './suggest.ts';

/** An option, which is a key of the CDK context. */
export interface Option<T> extends Details {
  /** The default value, as it would be written in cdk.json. */
  readonly default: unknown;
  /** The description in the table of docs/deploy.md. */
  readonly description: string;
  readonly parse: Parser<T>;
}

/** The optional fields of an option. */
interface Details {
  /** The name of the function setting (docs/lambda.md) that the option sets. */
  readonly env?: string;
  /** Whether `LlmExeFunction` computes the setting, for example from the name of a bucket. */
  readonly isComputed?: boolean;
  /**
   * A value that changes the template, for tests. They choose a value for booleans and numbers
   * themselves.
   */
  readonly example?: unknown;
  /** Other options that the example needs. */
  readonly exampleWith?: Readonly<Record<string, unknown>>;
}

function option<T>(
  value: unknown,
  description: string,
  parse: Parser<T>,
  details: Details = {},
): Option<T> {
  return { default: value, description, parse, ...details };
}

function optional<T>(
  description: string,
  parse: Parser<T>,
  details: Details = {},
): Option<T | undefined> {
  return { default: undefined, description, parse, ...details };
}

/** The numbers of days that CloudWatch Logs supports as a retention period. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

/**
 * Options that enable event sources which send requests without waiting for a response. Their
 * results are lost unless they are stored or sent to a destination.
 */
const RECORD_SOURCES = ['queueEnabled', 'eventPattern', 'inboxPrefix'] as const;

/**
 * The value of `resultPrefix` if one of `RECORD_SOURCES` is set and the context has no
 * `resultPrefix`.
 */
const DEFAULT_RESULT_PREFIX = 'results';

const bucketName = string(BUCKET, 'the name of an S3 bucket');
const keyPrefix = string(
  /^[\w!.*'()-]+(\/[\w!.*'()-]+)*\/?$/,
  'a prefix of S3 keys without a leading slash, like "inbox/"',
);
const bedrockModel = string(
  canMatchBedrockModel,
  'a model ID, a pattern like "anthropic.*", or the ARN of a model or an inference profile',
);

const layerArn = string(
  /^arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]+:\d+$/,
  'the ARN of a version of a layer, like arn:aws:lambda:REGION:ACCOUNT:layer:NAME:1',
);

/** A parser for `xray` or the URL of a collector. The URL is checked with the other options. */
const traceDestination = string(
  (value) => /^(xray|https?:\/\/\S+)$/.test(value),
  'xray, or the URL of an OpenTelemetry collector, like http://localhost:4318',
);

/** Lambda's maximum number of layers of a function. */
const MAX_LAYERS = 5;

/** A parser for a whole number in the range of a setting of the function. */
const numberOf = (setting: string): Parser<number> => integer(...rangeOf(setting));

/** All keys of the context, in the order of docs/deploy.md. */
export const OPTIONS = {
  stackName: option(
    'LlmExeLambda',
    'name of the stack, and of its folder of keys in Parameter Store',
    string(
      /^[A-Za-z][A-Za-z0-9-]{0,39}$/,
      'at most 40 letters, digits and hyphens, beginning with a letter',
    ),
    { env: 'STACK_NAME', isComputed: true, example: 'LlmExeLambdaTwo' },
  ),
  architecture: option(
    'x86_64',
    'processor architecture: x86_64 or arm64',
    oneOf('x86_64', 'arm64'),
    { example: 'arm64' },
  ),
  codePath: optional(
    'zip file or folder with the built function as `bootstrap`; if unset, cargo-lambda builds it',
    string(/\S/, 'the path of a zip file or a folder'),
  ),
  memorySize: option(512, 'memory in MB', integer(128, 10_240)),
  timeoutSeconds: option(300, 'maximum duration of one invocation', integer(1, 900)),
  reservedConcurrency: optional(
    'maximum concurrent invocations; if unset, the limit of the account applies',
    integer(0, 100_000),
  ),
  retryAttempts: option(
    0,
    'how often Lambda retries a failed asynchronous invocation; you pay for each retry',
    integer(0, 2),
  ),
  logRetentionDays: option(30, 'days until logs are deleted', oneOfNumbers(RETENTION_DAYS)),
  logLevel: option('info', 'error, warn, info or debug', oneOf(...wordsOf('LOG_LEVEL')), {
    env: 'LOG_LEVEL',
    example: 'debug',
  }),
  dashboardEnabled: option(
    false,
    'adds a CloudWatch dashboard; needs an additional statement in the boundary policy',
    boolean,
  ),
  traceDestination: optional(
    'where traces are sent: `xray` (needs an additional statement in the boundary policy), or the ' +
      'URL of an OpenTelemetry collector; if unset, nowhere',
    traceDestination,
    { example: 'xray' },
  ),
  layers: option(
    [],
    'ARNs of Lambda layers, such as that of an OpenTelemetry collector; needs an additional ' +
      'statement in the boundary policy',
    list(layerArn),
    { example: ['arn:aws:lambda:us-west-2:000000000000:layer:opentelemetry-collector-amd64:1'] },
  ),
  permissionsBoundary: option(
    'LlmExeLambdaCdkPermissionBoundaryPolicy',
    'name of the policy that is the permissions boundary of every role; `none` for no boundary',
    string(/^[\w+=,.@-]{1,128}$/, 'the name of a policy, or none'),
    { example: 'none' },
  ),
  terminationProtection: option(false, 'if `true`, the stack cannot be deleted', boolean),
  tags: option({}, 'tags of all resources, like `{"team": "research"}`', stringMap, {
    example: { team: 'research' },
  }),
  alarmEmail: optional(
    'e-mail address that receives alarms for failed invocations and requests, throttles and dead ' +
      'letters; confirm the subscription that AWS sends',
    string(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
    { example: 'ops@example.com' },
  ),

  endpointEnabled: option(true, 'adds a function URL', boolean),
  endpointAuth: option(
    'AWS_IAM',
    'who may call over HTTP: AWS_IAM, API_KEY, or NONE (anyone, at your cost)',
    oneOf<EndpointAuth>(...(wordsOf('ENDPOINT_AUTH') as EndpointAuth[])),
    { env: 'ENDPOINT_AUTH', isComputed: true, example: 'API_KEY' },
  ),
  endpointCallers: option(
    [],
    'accounts, or ARNs of roles and users of other accounts, that may call the function URL',
    list(
      string(
        /^(\d{12}|arn:aws[\w-]*:(iam|sts)::\d{12}:[\w+=,.@/-]+)$/,
        'an account ID or the ARN of an IAM identity',
      ),
    ),
    { example: ['111111111111'] },
  ),
  endpointAllowedOrigins: option(
    [],
    'origins of web pages that may call (CORS), like `https://app.example.com`',
    list(string(/^(\*|https?:\/\/[^\s/]+)$/, 'an origin like https://app.example.com, or *')),
    { example: ['https://app.example.com'] },
  ),
  responseStreaming: option(
    false,
    'if `true`, the function URL streams the responses to requests with `stream`',
    boolean,
    { env: 'RESPONSE_STREAMING', isComputed: true },
  ),
  httpApiEnabled: option(
    false,
    'adds an API Gateway HTTP API; needs an additional statement in the boundary policy',
    boolean,
  ),
  httpDeadlineSeconds: optional(
    'time limit for requests through API Gateway (default: 29)',
    numberOf('HTTP_DEADLINE_SECONDS'),
    { env: 'HTTP_DEADLINE_SECONDS' },
  ),

  allowedBedrockModels: option(
    ['anthropic.*', 'meta.*'],
    'Amazon Bedrock models that the function may call, including their inference profiles',
    list(bedrockModel),
    { example: ['amazon.nova-lite-v1:0'] },
  ),
  allowedModels: option(
    [],
    'models that requests may use, like `openai:gpt-4o*`; if empty, all',
    list(string(/^\S+$/, 'a pattern like openai:gpt-4o*')),
    { env: 'ALLOWED_MODELS', example: ['openai:gpt-4o*'] },
  ),
  maxTokensCeiling: optional(
    'maximum value of `maxTokens`, and its value for requests that do not set it',
    numberOf('MAX_TOKENS_CEILING'),
    { env: 'MAX_TOKENS_CEILING' },
  ),
  strictVariables: option(
    false,
    'if `true`, a prompt variable that `data` does not define is an error',
    boolean,
    { env: 'STRICT_VARIABLES' },
  ),
  strictOptions: option(
    false,
    'if `true`, an option that a provider rejects is an error; otherwise it is dropped or changed',
    boolean,
    { env: 'STRICT_OPTIONS' },
  ),
  openAiApiMode: optional(
    'API of openai, azure and amazon:openai: auto, chat or responses (default: auto)',
    oneOf(...wordsOf('OPENAI_API_MODE')),
    { env: 'OPENAI_API_MODE', example: 'responses' },
  ),
  openAiCompatibleProviders: option(
    {},
    'providers with an OpenAI-compatible API, as described in docs/providers.md',
    jsonObject,
    {
      env: 'OPENAI_COMPATIBLE_PROVIDERS',
      example: { inhouse: { baseUrl: 'https://llm.example.com/v1' } },
    },
  ),
  environment: option(
    {},
    'other settings of docs/lambda.md, like `OPENAI_BASE_URL`; keys are not allowed here',
    stringMap,
    { example: { OPENAI_BASE_URL: 'https://gateway.example.com/v1' } },
  ),

  toolFunctions: option(
    [],
    'ARNs of the Lambda functions that requests may use as tools, each with its version or alias if ' +
      'it has one; if empty, none',
    list(
      string(
        (value) => parseFunctionArn(value) !== undefined,
        'the ARN of a Lambda function, like arn:aws:lambda:REGION:ACCOUNT:function:NAME',
      ),
    ),
    {
      env: 'TOOL_FUNCTIONS',
      isComputed: true,
      example: ['arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambdaOrders'],
    },
  ),
  toolsFromHttp: option(
    false,
    'if `true`, HTTP callers may use `toolFunctions` in their requests',
    boolean,
    {
      env: 'TOOLS_FROM_HTTP',
      isComputed: true,
      exampleWith: {
        toolFunctions: ['arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambdaOrders'],
      },
    },
  ),

  promptBucketName: optional(
    'existing bucket to use as the prompt bucket; if unset, the stack creates one',
    bucketName,
    { env: 'AWS_S3_FILES_BUCKET_NAME', isComputed: true, example: 'llmexelambda-prompts' },
  ),
  configBuckets: option([], 'additional buckets for hosted configs', list(bucketName), {
    env: 'CONFIG_BUCKETS',
    isComputed: true,
    example: ['llmexelambda-shared'],
  }),
  configUrlHosts: option(
    [],
    'hosts from which configs may be fetched; if empty, any public host',
    list(string(isConfigHost, 'a public host like *.example.com or a.example:8443')),
    { env: 'CONFIG_URL_HOSTS', example: ['*.example.com'] },
  ),
  configCacheSeconds: optional(
    'how long a cached config is used before the function checks for changes (default: 0)',
    numberOf('CONFIG_CACHE_SECONDS'),
    { env: 'CONFIG_CACHE_SECONDS' },
  ),
  secretCacheSeconds: optional(
    'how long keys are cached (default: 300)',
    numberOf('SECRET_CACHE_SECONDS'),
    { env: 'SECRET_CACHE_SECONDS' },
  ),

  queueEnabled: option(
    false,
    'adds an SQS queue of requests and a dead-letter queue; results are stored under `resultPrefix`',
    boolean,
  ),
  queueBatchSize: option(10, 'maximum messages per invocation', integer(1, 10_000), {
    exampleWith: { queueEnabled: true },
  }),
  queueBatchingWindowSeconds: option(
    0,
    'how long Lambda collects messages before an invocation',
    integer(0, 300),
    { exampleWith: { queueEnabled: true } },
  ),
  queueMaxReceiveCount: option(
    3,
    'how often a message is received before it moves to the dead-letter queue',
    integer(1, 1000),
    { exampleWith: { queueEnabled: true } },
  ),
  queueMaxConcurrency: optional(
    'maximum concurrent invocations for the queue; if unset, `reservedConcurrency`',
    integer(2, 1000),
    { exampleWith: { queueEnabled: true } },
  ),
  recordConcurrency: optional(
    'how many records of one event run concurrently (default: 10)',
    numberOf('RECORD_CONCURRENCY'),
    { env: 'RECORD_CONCURRENCY' },
  ),
  eventPattern: optional(
    'EventBridge event pattern; the `detail` of each matching event is run as a request',
    jsonObject,
    { example: { source: ['my.app'] } },
  ),
  eventBusName: option(
    'default',
    'event bus for `eventPattern`',
    string(/^[\w./-]{1,256}$/, 'the name of an event bus'),
    { example: 'mine', exampleWith: { eventPattern: { source: ['my.app'] } } },
  ),
  inboxPrefix: optional(
    'each object uploaded under this prefix, like `inbox/`, is run as a hosted config',
    keyPrefix,
    { example: 'inbox/' },
  ),

  resultPrefix: optional(
    'where results are stored: a prefix in the prompt bucket, or `s3://bucket/prefix`; if unset, ' +
      '`results` with `queueEnabled`, `eventPattern` or `inboxPrefix`, otherwise results are not ' +
      'stored',
    string(
      /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/)?(?!(.*\/)?\.\.?(\/|$))[\w!.'()-]+(\/[\w!.'()-]+)*\/?$/,
      'a prefix like "results", or s3://bucket/prefix',
    ),
    { env: 'RESULT_PREFIX', isComputed: true, example: 'results' },
  ),
  resultDays: optional(
    'days until results in the prompt bucket are deleted; if unset, they are kept',
    integer(1, 36_500),
    { exampleWith: { resultPrefix: 'results' } },
  ),
  resultDestination: optional(
    'URL of an SQS queue, or ARN of an event bus, that receives each result',
    string(
      /^(https:\/\/sqs\.[\w.-]+\/\d{12}\/[\w-]{1,80}(\.fifo)?|arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/[\w./-]+)$/,
      'https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE, or the ARN of an event bus',
    ),
    {
      env: 'RESULT_DESTINATION',
      isComputed: true,
      example: 'arn:aws:events:us-west-2:000000000000:event-bus/default',
    },
  ),
  resultDestinationOverride: option(
    [],
    'prefixes of the destinations that a request may set itself',
    list(
      string(
        /^(s3:\/\/[a-z0-9.-]+\/[^\s*?,]*|https:\/\/sqs\.[\w.-]+\/\d{12}\/[\w.-]*|arn:aws[\w-]*:events:[\w-]+:\d{12}:event-bus\/[\w./-]*)$/,
        'a prefix of s3://bucket/key, of the URL of a queue including its account, or of the ARN ' +
          'of an event bus',
      ),
    ),
    {
      env: 'RESULT_DESTINATION_OVERRIDE',
      isComputed: true,
      example: ['arn:aws:events:us-west-2:000000000000:event-bus/team-'],
    },
  ),
  offloadResultsOver: optional(
    'size in bytes above which a result is returned as a reference to S3',
    numberOf('OFFLOAD_RESULTS_OVER'),
    { env: 'OFFLOAD_RESULTS_OVER', exampleWith: { resultPrefix: 'results' } },
  ),

  batchEnabled: option(false, 'adds a state machine that runs a JSONL file of requests', boolean),
  batchMaxConcurrency: option(
    10,
    'how many requests of a batch run concurrently',
    integer(1, 10_000),
    { exampleWith: { batchEnabled: true } },
  ),
  batchToleratedFailurePercentage: option(
    5,
    'percentage of a batch that may fail before the batch stops',
    integer(0, 100),
    { exampleWith: { batchEnabled: true } },
  ),
} as const;

/** The parsed CDK context. */
export type Config = {
  readonly [Name in keyof typeof OPTIONS]: (typeof OPTIONS)[Name] extends Option<infer T>
    ? T
    : never;
};

const ROWS = Object.entries(OPTIONS) as [keyof Config, Option<unknown>][];

/** The name of the option for each function setting that an option sets. */
export const OPTION_OF_SETTING: Readonly<Record<string, string>> = Object.fromEntries(
  ROWS.flatMap(([name, { env }]) => (env ? [[env, name]] : [])),
);

/**
 * Returns the function's environment variables, except for those that `LlmExeFunction` computes.
 * Unset options are omitted, so that the function uses its own defaults.
 */
export function functionEnvironment(config: Config): Record<string, string> {
  const settings = ROWS.flatMap(([name, { env, isComputed }]) =>
    env && !isComputed ? [[env, settingValue(config[name])] as const] : [],
  );
  const all = [...settings, ...Object.entries(config.environment)];
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

/**
 * Formats the value of a setting. The result is empty for an unset option, `false`, and an empty
 * array or object.
 */
function settingValue(value: unknown): string {
  if (value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
}

/**
 * The error for an invalid CDK context. The message is for the user and has one line per problem.
 */
export class ConfigError extends Error {}

/**
 * Context keys of the CDK itself: feature flags, look-ups, and keys that its command line stores in
 * cdk.json.
 */
const FOREIGN_KEY = /[:/@]|^(acknowledged-issue-numbers|cli-telemetry|cdk-migrate)$/;

/**
 * Parses the CDK context of an app. The context is `app.node.getAllContext()`, which merges
 * cdk.json, `-c` and ~/.cdk.json.
 *
 * @throws ConfigError that lists all problems
 */
export function readConfig(context: Readonly<Record<string, unknown>>): Config {
  const problems = Object.keys(context)
    .filter((name) => !FOREIGN_KEY.test(name) && !(name in OPTIONS))
    .map(unknownKey);
  const parse = ([name, row]: [string, Option<unknown>]): [string, unknown] => {
    const input = context[name];
    const isSet = input !== undefined && input !== null && input !== '';
    if (!isSet && row.default === undefined) return [name, undefined];
    const parsed = row.parse(isSet ? input : row.default);
    if ('value' in parsed) return [name, parsed.value];
    problems.push(`${name}: expected ${parsed.expected}, got ${quote(parsed.got ?? input)}`);
    return [name, undefined];
  };
  const parsed = Object.fromEntries(ROWS.map(parse)) as unknown as Config;
  const config = withDefaultResultPrefix(parsed, context['resultPrefix'] === '');
  if (problems.length === 0) problems.push(...checkCombinations(config));
  if (problems.length > 0) {
    throw new ConfigError(problems.map((problem) => `CDK context: ${problem}`).join('\n'));
  }
  return config;
}

/**
 * Sets `resultPrefix` to its default if an event source does not wait for results, unless the
 * context contains an empty prefix.
 */
function withDefaultResultPrefix(config: Config, isEmpty: boolean): Config {
  if (config.resultPrefix !== undefined || isEmpty || !recordSource(config)) return config;
  return { ...config, resultPrefix: DEFAULT_RESULT_PREFIX };
}

/** Returns the first enabled option that sends requests without waiting for a response. */
function recordSource(config: Config): string | undefined {
  return RECORD_SOURCES.find((name) => config[name]);
}

/** Checks combinations of options that are not valid together. */
function checkCombinations(config: Config): string[] {
  const problems = [...checkQueue(config), ...checkPrefixOverlaps(config), ...checkResults(config)];
  if (config.inboxPrefix && config.promptBucketName) {
    problems.push(
      'inboxPrefix: can only be used with a bucket that the stack creates, because the stack must ' +
        'configure the notifications of the bucket; remove promptBucketName',
    );
  }
  if (config.toolsFromHttp && config.toolFunctions.length === 0) {
    problems.push('toolsFromHttp: requires toolFunctions, the functions that callers may use');
  }
  if (config.responseStreaming && !config.endpointEnabled) {
    problems.push(
      'responseStreaming: requires endpointEnabled, because only the function URL streams',
    );
  }
  problems.push(...checkTraces(config));
  for (const name of Object.keys(config.tags)) {
    if (/^aws:/i.test(name)) {
      problems.push(`tags: ${quote(name)} is reserved, because it begins with aws:`);
    }
  }
  problems.push(...checkEnvironment(config));
  problems.push(...checkModels(config));
  problems.push(
    ...checkCompatibleProviders(config.openAiCompatibleProviders).map(
      (problem) => `openAiCompatibleProviders.${problem}`,
    ),
  );
  return problems;
}

function checkTraces({ traceDestination: destination, layers }: Config): string[] {
  const problems: string[] = [];
  if (layers.length > MAX_LAYERS) {
    problems.push(`layers: expected at most ${MAX_LAYERS}, got ${layers.length}`);
  }
  if (destination === undefined) return problems;
  const problem = checkTraceDestination(destination);
  if (problem) problems.push(`traceDestination: ${problem}`);
  else if (isInSandbox(destination) && layers.length === 0) {
    problems.push(
      `traceDestination: ${destination} requires layers, with a layer whose extension is the collector`,
    );
  }
  return problems;
}

/** Returns the names of all providers that requests may use. */
function providerNames(config: Config): string[] {
  const names = PROVIDERS.map(({ name }) => name);
  return [...names, ...Object.keys(config.openAiCompatibleProviders)];
}

function checkModels(config: Config): string[] {
  const providers = providerNames(config);
  return config.allowedModels.flatMap((pattern) => {
    const problem = checkModelPattern(pattern, providers);
    return problem === undefined ? [] : [`allowedModels: ${problem}`];
  });
}

function checkQueue(config: Config): string[] {
  const problems: string[] = [];
  if (config.queueBatchSize > 10 && config.queueBatchingWindowSeconds === 0) {
    problems.push(
      'queueBatchSize: a value above 10 requires queueBatchingWindowSeconds of at least 1, ' +
        `got ${config.queueBatchSize}`,
    );
  }
  const { queueMaxConcurrency: max, reservedConcurrency: reserved } = config;
  if (!config.queueEnabled || reserved === undefined) return problems;
  const consequence = 'otherwise throttled messages move to the dead-letter queue';
  if (max !== undefined && max > reserved) {
    problems.push(
      `queueMaxConcurrency: expected at most reservedConcurrency (${reserved}), got ${max}; ` +
        consequence,
    );
  }
  if (reserved < 2) {
    problems.push(
      `reservedConcurrency: expected at least 2 with queueEnabled, got ${reserved}; ${consequence}`,
    );
  }
  return problems;
}

function checkResults(config: Config): string[] {
  const problems: string[] = [];
  const prefix = config.resultPrefix;
  const source = recordSource(config);
  if (source && prefix === undefined && !config.resultDestination) {
    problems.push(
      `resultPrefix: expected a prefix with ${source}, got "", so results would be neither ` +
        `stored nor sent; remove it to store them under "${DEFAULT_RESULT_PREFIX}", or set ` +
        'resultDestination to send them',
    );
  }
  if (config.resultDays && (!prefix || prefix.startsWith('s3://') || config.promptBucketName)) {
    problems.push(
      'resultDays: can only be used with a resultPrefix in the bucket that the stack creates',
    );
  }
  if (config.offloadResultsOver !== undefined && !prefix) {
    problems.push('offloadResultsOver: requires resultPrefix, where large results are stored');
  }
  return problems;
}

/**
 * Rejects overlapping prefixes of the prompt bucket, because an object under one prefix would also
 * be under the other.
 */
function checkPrefixOverlaps(config: Config): string[] {
  const { inboxPrefix, resultPrefix, promptBucketName, batchEnabled } = config;
  const promptBucket = promptBucketName ? `s3://${promptBucketName}/` : undefined;
  const results =
    promptBucket && resultPrefix?.startsWith(promptBucket)
      ? resultPrefix.slice(promptBucket.length)
      : resultPrefix;
  const isInPromptBucket = results && !results.startsWith('s3://');
  const withSlash = (path: string): string => path.replace(/\/?$/, '/');
  // The inbox rule compares the start of the key, so the prefix `in` also matches `index/`.
  const overlap = (prefix: string, path: string): boolean =>
    withSlash(path).startsWith(prefix) || prefix.startsWith(withSlash(path));
  const problems: string[] = [];
  if (inboxPrefix && isInPromptBucket && overlap(inboxPrefix, results)) {
    problems.push(
      `inboxPrefix: ${quote(inboxPrefix)} and resultPrefix ${quote(resultPrefix)} overlap, ` +
        'so stored results would be run as requests; change inboxPrefix or resultPrefix',
    );
  }
  if (batchEnabled && inboxPrefix && overlap(inboxPrefix, BATCH_PREFIX)) {
    problems.push(
      `inboxPrefix: ${quote(inboxPrefix)} and ${BATCH_PREFIX}/ of batchEnabled overlap, ` +
        'so files and results of batches would be run as requests; change inboxPrefix',
    );
  }
  if (batchEnabled && isInPromptBucket && overlap(withSlash(results), BATCH_PREFIX)) {
    problems.push(
      `resultPrefix: ${quote(resultPrefix)} and ${BATCH_PREFIX}/ of batchEnabled overlap, ` +
        'so files of batches would be mixed with results and expire with them; change resultPrefix',
    );
  }
  return problems;
}

/** Checks the names and values of `environment` as the function checks them at its start. */
function checkEnvironment(config: Config): string[] {
  const problems = Object.keys(config.environment).flatMap((name) => {
    const isTraceEndpoint = TRACE_ENDPOINT_SETTINGS.includes(name);
    const owner = isTraceEndpoint ? 'traceDestination' : OPTION_OF_SETTING[name];
    if (owner) return [`${name} is set by the option ${owner}; use that instead`];
    const isName = /^[A-Z_][A-Z0-9_]*$/.test(name);
    return isName ? [] : [`expected names in capital letters, got ${quote(name)}`];
  });
  problems.push(...checkHeaderSettings(Object.keys(config.environment)));
  if (problems.length === 0) {
    problems.push(...checkSettings(config.environment, providerNames(config)));
  }
  return problems.map((problem) => `environment: ${problem}`);
}

function unknownKey(name: string): string {
  const names = Object.keys(OPTIONS);
  const hint = suggestion(name, names) || `; known keys are ${names.join(', ')}`;
  return `${name}: unknown key${hint}`;
}
