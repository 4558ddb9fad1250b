// Tests how the CDK context is parsed: rejected values, accepted values, and the defaults in
// cdk.json.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ConfigError, OPTIONS, readConfig } from '../lib/config.ts';
import { ROOT, elfHeader, scratch, template } from './support/synth.ts';

const QUEUE = 'https://sqs.us-west-2.amazonaws.com/000000000000/LlmExeLambda-results';

/** Contexts that each enable an event source whose sender does not receive results. */
const RECORD_SOURCES: [string, Record<string, unknown>][] = [
  ['queueEnabled', { queueEnabled: true }],
  ['queueEnabled', { queueEnabled: 'true' }],
  ['eventPattern', { eventPattern: { source: ['my.app'] } }],
  ['eventPattern', { eventPattern: '{"source":["my.app"]}', eventBusName: 'mine' }],
  ['inboxPrefix', { inboxPrefix: 'inbox/' }],
];

/** Invalid contexts, each with a substring of the expected error message. */
const INVALID: [Record<string, unknown>, string][] = [
  [{ memorysize: 1 }, 'memorysize: unknown key (did you mean memorySize?)'],
  [{ endpoint_auth: 'NONE' }, 'endpoint_auth: unknown key (did you mean endpointAuth?)'],
  [{ zzz: 1 }, 'zzz: unknown key; known keys are stackName, architecture,'],
  [
    { stackName: 'my_stack' },
    'stackName: expected at most 40 letters, digits and hyphens, beginning with a letter, got "my_stack"',
  ],
  [{ architecture: 'x86' }, 'architecture: expected x86_64 or arm64, got "x86"'],
  [{ memorySize: 64 }, 'memorySize: expected a whole number from 128 to 10240, got 64'],
  [{ memorySize: '1 GB' }, 'memorySize: expected a whole number from 128 to 10240, got "1 GB"'],
  [{ memorySize: 512.5 }, 'memorySize: expected a whole number'],
  [{ timeoutSeconds: 901 }, 'timeoutSeconds: expected a whole number from 1 to 900, got 901'],
  [{ retryAttempts: 3 }, 'retryAttempts: expected a whole number from 0 to 2, got 3'],
  [{ reservedConcurrency: -1 }, 'reservedConcurrency: expected'],
  [{ logRetentionDays: 31 }, 'logRetentionDays: expected one of 1, 3, 5,'],
  [{ logLevel: 'trace' }, 'logLevel: expected error, warn, info or debug, got "trace"'],
  [
    { permissionsBoundary: 'arn:aws:iam::1:policy/x' },
    'permissionsBoundary: expected the name of a policy, or none',
  ],
  [{ terminationProtection: 'yes' }, 'terminationProtection: expected true or false, got "yes"'],
  [{ tags: ['a'] }, 'tags: expected a JSON object whose values are strings, got ["a"]'],
  [{ tags: { a: 1 } }, 'tags: expected a JSON object whose values are strings, got {"a":1}'],
  [{ alarmEmail: 'me' }, 'alarmEmail: expected an e-mail address, got "me"'],
  [{ endpointEnabled: 1 }, 'endpointEnabled: expected true or false, got 1'],
  [{ endpointAuth: 'none' }, 'endpointAuth: expected AWS_IAM, API_KEY or NONE, got "none"'],
  [
    { endpointAllowedOrigins: 'https://a.b/c' },
    'endpointAllowedOrigins: expected a list in which each item is an origin like ' +
      'https://app.example.com, or *, got "https://a.b/c"',
  ],
  [
    { endpointCallers: ['me'] },
    'endpointCallers: expected a list in which each item is an account ID or the ARN of an IAM identity',
  ],
  [{ httpDeadlineSeconds: 0 }, 'httpDeadlineSeconds: expected a whole number from 1 to 900'],
  [
    { allowedBedrockModels: ['*'] },
    'allowedBedrockModels: expected a list in which each item is a model ID, a pattern like',
  ],
  ...['*.*', '.*', 'us.*', 'us.*.*', 'arn:aws:bedrock:us-west-2::*', 'arn:aws:bedrock:::a/*'].map(
    (model): [Record<string, unknown>, string] => [
      { allowedBedrockModels: [model] },
      'allowedBedrockModels: expected a list in which each item is a model ID, a pattern like',
    ],
  ),
  [
    { allowedBedrockModels: 'Claude 3' },
    'allowedBedrockModels: expected a list in which each item is a model ID',
  ],
  [
    { allowedModels: [''] },
    'allowedModels: expected a list in which each item is a pattern like openai:gpt-4o*, got ""',
  ],
  [{ maxTokensCeiling: 0 }, 'maxTokensCeiling: expected a whole number from 1'],
  [
    { openAiCompatibleProviders: '{' },
    'openAiCompatibleProviders: expected a JSON object, got "{"',
  ],
  [{ environment: { 'a b': 'c' } }, 'environment: expected names in capital letters, got "a b"'],
  [
    { environment: { STACK_NAME: 'x' } },
    'environment: STACK_NAME is set by the option stackName; use that instead',
  ],
  [{ environment: { OPENAI_API_KEY: 'x' } }, 'environment: OPENAI_API_KEY looks like a secret'],
  [
    { environment: { ALOWED_MODELS: 'x' } },
    'environment: ALOWED_MODELS is not a setting (did you mean ALLOWED_MODELS?)',
  ],
  [
    { environment: { COLOR: 'x' } },
    'environment: COLOR is not a setting; docs/lambda.md lists the settings',
  ],
  [
    { environment: { LOG_PROMPTS: 'x' } },
    'environment: LOG_PROMPTS is invalid: expected one of true, false',
  ],
  [
    { environment: { OPENAI_BASE_URL: 'http://example.com' } },
    'environment: OPENAI_BASE_URL is invalid: http is allowed only for loopback and private',
  ],
  [
    { openAiCompatibleProviders: { inhouse: { baseUrl: 'x' } } },
    'openAiCompatibleProviders.inhouse.baseUrl: expected a URL with a scheme and a host',
  ],
  [
    { openAiCompatibleProviders: { inhouse: { baseURL: 'https://a.example' } } },
    'openAiCompatibleProviders.inhouse.baseURL: unknown field (did you mean baseUrl?)',
  ],
  [
    { allowedModels: 'opnai:gpt-4o' },
    'allowedModels: unknown provider "opnai" in "opnai:gpt-4o" (did you mean openai?)',
  ],
  [
    { allowedModels: 'gpt-4o' },
    'allowedModels: expected a pattern such as openai:gpt-4o*, got "gpt-4o"',
  ],
  ...['anthropic', 'anthropic.', 'claude-*', 'us.anthropic', 'us.claude-3'].map(
    (model): [Record<string, unknown>, string] => [
      { allowedBedrockModels: [model] },
      'allowedBedrockModels: expected a list in which each item is a model ID, a pattern like',
    ],
  ),
  ...['MY_SECRET', 'MYPASSWD', 'XAI_APIKEY', 'OPENAI_API_KEYS', 'MY_TOKENS'].map(
    (name): [Record<string, unknown>, string] => [
      { environment: { [name]: 'x' } },
      `environment: ${name} looks like a secret`,
    ],
  ),
  ...['AWS_REGION', 'AWS_LAMBDA_EXEC_WRAPPER', 'LAMBDA_TASK_ROOT', '_HANDLER', 'AWS_EXECUTION_ENV']
    .concat('AWS_SESSION_TOKEN', 'AWS_SECRET_ACCESS_KEY', '_X_AMZN_TRACE_ID')
    .map((name): [Record<string, unknown>, string] => [
      { environment: { [name]: 'x' } },
      `environment: ${name} is reserved by Lambda`,
    ]),
  [{ tags: { 'aws:team': 'a' } }, 'tags: "aws:team" is reserved, because it begins with aws:'],
  [
    { openAiCompatibleProviders: { inhouse: { key: 'sk-abcdef' } } },
    'openAiCompatibleProviders.inhouse.key: expected the name of a parameter like KeyInhouse',
  ],
  [
    { openAiCompatibleProviders: { inhouse: { keyEnv: 'sk-abcdef' } } },
    'openAiCompatibleProviders.inhouse.keyEnv: expected the name of an environment variable',
  ],
  ...[
    'orders',
    '*',
    '111111111111:function:orders',
    'arn:aws:lambda:us-west-2:111111111111:function:o*',
  ]
    .concat('arn:aws:lambda:us-west-2:111111111111:layer:orders', 'arn:aws:s3:::orders', '')
    .map((arn): [Record<string, unknown>, string] => [
      { toolFunctions: [arn] },
      'toolFunctions: expected a list in which each item is the ARN of a Lambda function, like ' +
        `arn:aws:lambda:REGION:ACCOUNT:function:NAME, got "${arn}"`,
    ]),
  [{ responseStreaming: 'url' }, 'responseStreaming: expected true or false, got "url"'],
  [
    { responseStreaming: true, endpointEnabled: false },
    'responseStreaming: requires endpointEnabled',
  ],
  [{ dashboardEnabled: 'on' }, 'dashboardEnabled: expected true or false, got "on"'],
  ...['x-ray', 'localhost:4318', 'grpc://localhost:4317', 'true', 'https:// a.example'].map(
    (traceDestination): [Record<string, unknown>, string] => [
      { traceDestination },
      'traceDestination: expected xray, or the URL of an OpenTelemetry collector, like ' +
        `http://localhost:4318, got "${traceDestination}"`,
    ],
  ),
  [
    { traceDestination: 'http://otel.example.com' },
    'traceDestination: http is allowed only for loopback and private addresses; use https',
  ],
  [
    { traceDestination: 'https://otel.example.com/v1/traces/' },
    'traceDestination: the URL must not contain /v1/traces, which the function appends; use ' +
      'https://otel.example.com',
  ],
  [
    { traceDestination: 'https://user:sk-1@otel.example.com' },
    'traceDestination: the base URL must not contain a user name or password',
  ],
  [
    { traceDestination: 'https://otel.example.com?key=sk-1' },
    'traceDestination: the base URL must not contain a query',
  ],
  ...['http://localhost:4318', 'http://127.0.0.1:4318', 'http://[::1]:4318'].map(
    (traceDestination): [Record<string, unknown>, string] => [
      { traceDestination },
      `traceDestination: ${traceDestination} requires layers, with a layer whose extension is the`,
    ],
  ),
  ...['otel', 'arn:aws:lambda:us-west-2:000000000000:layer:otel']
    .concat('arn:aws:lambda:us-west-2:000000000000:function:otel:1')
    .map((arn): [Record<string, unknown>, string] => [
      { layers: [arn] },
      'layers: expected a list in which each item is the ARN of a version of a layer, like ' +
        `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:1, got "${arn}"`,
    ]),
  [
    {
      layers: [1, 2, 3, 4, 5, 6].map(
        (version) => `arn:aws:lambda:us-west-2:000000000000:layer:otel:${version}`,
      ),
    },
    'layers: expected at most 5, got 6',
  ],
  ...['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].map(
    (name): [Record<string, unknown>, string] => [
      { environment: { [name]: 'https://otel.example.com' } },
      `environment: ${name} is set by the option traceDestination; use that instead`,
    ],
  ),
  ...['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'].map(
    (name): [Record<string, unknown>, string] => [
      { environment: { [name]: 'authorization=Bearer sk-1' } },
      `environment: ${name} contains secrets, which would be readable in the template; put the`,
    ],
  ),
  [{ toolsFromHttp: 'yes' }, 'toolsFromHttp: expected true or false, got "yes"'],
  [{ toolsFromHttp: true }, 'toolsFromHttp: requires toolFunctions'],
  [
    { environment: { TOOL_FUNCTIONS: 'orders' } },
    'environment: TOOL_FUNCTIONS is set by the option toolFunctions; use that instead',
  ],
  [{ promptBucketName: 's3://bucket' }, 'promptBucketName: expected the name of an S3 bucket'],
  [
    { configBuckets: ['A'] },
    'configBuckets: expected a list in which each item is the name of an S3 bucket, got "A"',
  ],
  [
    { configUrlHosts: ['https://a.b'] },
    'configUrlHosts: expected a list in which each item is a public host like *.example.com',
  ],
  [{ configCacheSeconds: -1 }, 'configCacheSeconds: expected a whole number from 0'],
  [{ secretCacheSeconds: 'x' }, 'secretCacheSeconds: expected a whole number from 0'],
  [{ httpApiEnabled: 'on' }, 'httpApiEnabled: expected true or false, got "on"'],
  [{ strictVariables: 0 }, 'strictVariables: expected true or false, got 0'],
  [{ queueEnabled: 'on' }, 'queueEnabled: expected true or false, got "on"'],
  [{ queueBatchSize: 11 }, 'queueBatchSize: a value above 10 requires queueBatchingWindowSeconds'],
  [{ queueBatchingWindowSeconds: 301 }, 'queueBatchingWindowSeconds: expected a whole number'],
  [{ queueMaxReceiveCount: 0 }, 'queueMaxReceiveCount: expected a whole number from 1'],
  [{ queueMaxConcurrency: 1 }, 'queueMaxConcurrency: expected a whole number from 2'],
  [
    { queueEnabled: true, queueMaxConcurrency: 9, reservedConcurrency: 5 },
    'queueMaxConcurrency: expected at most reservedConcurrency (5), got 9',
  ],
  ...[0, 1].map((reservedConcurrency): [Record<string, unknown>, string] => [
    { queueEnabled: true, reservedConcurrency },
    `reservedConcurrency: expected at least 2 with queueEnabled, got ${reservedConcurrency}`,
  ]),
  [{ recordConcurrency: 0 }, 'recordConcurrency: expected a whole number from 1'],
  [{ eventPattern: 'all' }, 'eventPattern: expected a JSON object, got "all"'],
  [{ eventBusName: 'a b' }, 'eventBusName: expected the name of an event bus'],
  [{ inboxPrefix: '/inbox' }, 'inboxPrefix: expected a prefix of S3 keys without a leading slash'],
  [{ inboxPrefix: 'a/', resultPrefix: 'a/b' }, 'inboxPrefix: "a/" and resultPrefix "a/b" overlap'],
  ...['batch', 'batch/', 'batch/results', 'batch/requests/'].flatMap(
    (prefix): [Record<string, unknown>, string][] => [
      [
        { inboxPrefix: prefix, batchEnabled: true },
        `inboxPrefix: "${prefix}" and batch/ of batchEnabled overlap`,
      ],
      [
        { resultPrefix: prefix, batchEnabled: true },
        `resultPrefix: "${prefix}" and batch/ of batchEnabled overlap`,
      ],
    ],
  ),
  [
    { resultPrefix: 's3://abc/batch', promptBucketName: 'abc', batchEnabled: true },
    'resultPrefix: "s3://abc/batch" and batch/ of batchEnabled overlap',
  ],
  ...['res', 'results', 'results/', 'results/in'].map(
    (inboxPrefix): [Record<string, unknown>, string] => [
      { inboxPrefix },
      `inboxPrefix: "${inboxPrefix}" and resultPrefix "results" overlap, so stored results would be ` +
        'run as requests; change inboxPrefix or resultPrefix',
    ],
  ),
  [
    { inboxPrefix: 'bat', batchEnabled: true },
    'inboxPrefix: "bat" and batch/ of batchEnabled overlap',
  ],
  ...RECORD_SOURCES.map(([name, context]): [Record<string, unknown>, string] => [
    { ...context, resultPrefix: '', resultDestinationOverride: ['s3://abc/sent/'] },
    `resultPrefix: expected a prefix with ${name}, got "", so results would be neither stored ` +
      'nor sent; remove it to store them under "results", or set resultDestination to send them',
  ]),
  [
    { queueEnabled: true, resultPrefix: '', resultDestination: QUEUE, offloadResultsOver: 10_000 },
    'offloadResultsOver: requires resultPrefix',
  ],
  [
    { queueEnabled: true, resultPrefix: '', resultDestination: QUEUE, resultDays: 3 },
    'resultDays: can only be used with a resultPrefix in the bucket that the stack creates',
  ],
  [
    { queueEnabled: true, promptBucketName: 'abc', resultDays: 3 },
    'resultDays: can only be used with a resultPrefix in the bucket that the stack creates',
  ],
  [
    { inboxPrefix: 'a/', promptBucketName: 'abc' },
    'inboxPrefix: can only be used with a bucket that the stack creates',
  ],
  [
    { resultPrefix: 's3://Bucket' },
    'resultPrefix: expected a prefix like "results", or s3://bucket/prefix',
  ],
  [
    { resultDays: 3 },
    'resultDays: can only be used with a resultPrefix in the bucket that the stack creates',
  ],
  [
    { resultDestination: 'my-queue' },
    'resultDestination: expected https://sqs.REGION.amazonaws.com/',
  ],
  [
    { resultDestinationOverride: ['*'] },
    'resultDestinationOverride: expected a list in which each item is a prefix of s3://',
  ],
  [{ offloadResultsOver: 10 }, 'offloadResultsOver: expected a whole number from 4096 to 6291456'],
  [{ offloadResultsOver: 10_000 }, 'offloadResultsOver: requires resultPrefix'],
  [{ batchEnabled: 'x' }, 'batchEnabled: expected true or false'],
  [{ batchMaxConcurrency: 0 }, 'batchMaxConcurrency: expected a whole number from 1'],
  [{ batchToleratedFailurePercentage: 101 }, 'batchToleratedFailurePercentage: expected'],
  [{ codePath: '  ' }, 'codePath: expected the path of a zip file or a folder'],
];

for (const [context, message] of INVALID) {
  test(`rejects ${JSON.stringify(context)}`, () => {
    assert.throws(
      () => readConfig(context),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.ok(error.message.includes(`CDK context: ${message}`), error.message);
        assert.ok(!error.message.includes('sk-'), 'the message contains a key');
        return true;
      },
    );
  });
}

for (const name of Object.keys(OPTIONS)) {
  test(`${name} rejects a value of the wrong type`, () => {
    assert.throws(
      () => readConfig({ [name]: [[]] }),
      new RegExp(`CDK context: ${name}: expected `),
    );
  });
}

test('all problems are reported together', () => {
  assert.throws(
    () => readConfig({ memorySize: 1, timeoutSeconds: 0, nope: true }),
    /nope[^\n]*\n[^\n]*memorySize[^\n]*\n[^\n]*timeoutSeconds/,
  );
});

test('strings from the command line are parsed like values from the file', () => {
  const config = readConfig({
    memorySize: '1024',
    endpointEnabled: 'false',
    allowedBedrockModels: 'amazon.nova-lite-v1:0, meta.*',
    allowedModels: '["openai:*"]',
    tags: '{"team": "a, b"}',
  });
  assert.equal(config.memorySize, 1024);
  assert.equal(config.endpointEnabled, false);
  assert.deepEqual(config.allowedBedrockModels, ['amazon.nova-lite-v1:0', 'meta.*']);
  assert.deepEqual(config.allowedModels, ['openai:*']);
  assert.deepEqual(config.tags, { team: 'a, b' });
});

test('accepts values that resemble rejected ones', () => {
  readConfig({
    openAiCompatibleProviders: {
      inhouse: {
        baseUrl: 'https://a.example',
        key: 'KeyInhouse',
        keyEnv: 'INHOUSE_API_KEY',
      },
    },
    allowedModels: ['inhouse:*', 'openai:gpt-4o*', '*:gpt-4o', 'amazon:*', 'open*:gpt-5', '*'],
    environment: { RUST_BACKTRACE: '1', AWS_ENDPOINT_URL: 'https://a.example' },
    allowedBedrockModels: [
      'meta.llama3-70b-instruct-v1:0',
      'anthropic*',
      '*.claude-*',
      'us.anthropic.*',
      'arn:aws:bedrock:us-west-2:000000000000:application-inference-profile/abc',
      'arn:aws:bedrock:us-west-2::foundation-model/anthropic.*',
    ],
    batchEnabled: true,
    inboxPrefix: 'batches/',
    resultPrefix: 's3://another/batch',
    toolFunctions:
      'arn:aws:lambda:eu-west-1:111111111111:function:orders, ' +
      'arn:aws-us-gov:lambda:us-gov-west-1:111111111111:function:orders:$LATEST',
    toolsFromHttp: 'true',
    tags: { awsome: 'yes' },
    layers: 'arn:aws-us-gov:lambda:us-gov-west-1:111111111111:layer:otel_collector-1:12',
    traceDestination: 'https://otel.example.com:4318/v1/traces-of/team',
  });
  readConfig({ reservedConcurrency: 0 });
});

test('results are stored by default if no caller waits for them', () => {
  const prefix = (context: Record<string, unknown>): string | undefined =>
    readConfig(context).resultPrefix;
  for (const [, context] of RECORD_SOURCES) {
    assert.equal(prefix(context), 'results');
    assert.equal(prefix({ ...context, resultPrefix: null }), 'results');
    assert.equal(prefix({ ...context, resultDestination: QUEUE }), 'results');
    assert.equal(prefix({ ...context, resultPrefix: 'mine' }), 'mine');
    // Results that are sent to a destination do not have to be stored.
    assert.equal(prefix({ ...context, resultPrefix: '', resultDestination: QUEUE }), undefined);
    readConfig({ ...context, offloadResultsOver: 10_000, resultDays: 3 });
  }
  readConfig({ inboxPrefix: 'results-in/' });
});

test('results are not stored by default if every caller receives the response', () => {
  for (const context of [
    {},
    { resultPrefix: '' },
    { queueEnabled: false, resultPrefix: '' },
    { inboxPrefix: '', eventPattern: '' },
    { batchEnabled: true, httpApiEnabled: true, retryAttempts: 2, alarmEmail: 'ops@example.com' },
  ]) {
    assert.equal(readConfig(context).resultPrefix, undefined, JSON.stringify(context));
  }
});

test('context keys of the CDK and its plugins are ignored', () => {
  readConfig({ '@aws-cdk/core:newStyleStackSynthesis': true, 'aws:cdk:bundling-stacks': ['*'] });
});

test('cdk.json contains the defaults', () => {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  for (const [name, value] of Object.entries(context)) {
    assert.deepEqual(value, OPTIONS[name as keyof typeof OPTIONS].default, name);
  }
  assert.deepEqual(readConfig(context), readConfig({}));
});

test('codePath must be a zip file, or a folder with the binary', () => {
  const folder = scratch('llm exe "quoted" #-');
  const rejects = (codePath: string, message: RegExp): void =>
    assert.throws(() => template({ codePath }), message);
  rejects(
    join(folder, 'none.zip'),
    /codePath: .*none\.zip does not exist; build it with `cargo lambda .*--target x86_64-/,
  );
  writeFileSync(join(folder, 'text.zip'), 'not a zip');
  rejects(join(folder, 'text.zip'), /codePath: expected a zip file, got .*text\.zip/);
  mkdirSync(join(folder, 'empty'));
  rejects(join(folder, 'empty'), /codePath: expected a folder with a file `bootstrap`/);
  writeFileSync(join(folder, 'bootstrap'), elfHeader('x86_64'), { mode: 0o755 });
  template({ codePath: folder });
});
