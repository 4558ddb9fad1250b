// CDK contexts that together cover every option of the stack.

import { OPTIONS, type Config, type Option } from '../../lib/config.ts';
import type { Context } from './synth.ts';

/** Values for options without an `example`. They suit booleans and numbers. */
const VALUES: readonly unknown[] = [true, false, 2, 7, 1024, 10_000];

/** The options whose effect the tests of the template can't observe. */
const UNOBSERVABLE: readonly string[] = ['codePath'];

/** For each option, a context with an example of it, and the same context without the option. */
export const EXAMPLES: Readonly<Record<string, { with: Context; without: Context }>> =
  Object.fromEntries(
    (Object.entries(OPTIONS) as [keyof Config, Option<unknown>][])
      .filter(([name]) => !UNOBSERVABLE.includes(name))
      .map(([name, option]) => {
        const isExample = (value: unknown): boolean =>
          value !== option.default && 'value' in option.parse(value);
        const value = option.example ?? VALUES.find(isExample);
        if (value === undefined) throw new Error(`cdk/lib/config.ts: ${name} needs an example`);
        const without = option.exampleWith ?? {};
        return [name, { with: { ...without, [name]: value }, without }];
      }),
  );

const WRITTEN_SETS: Readonly<Record<string, Context>> = {
  defaults: {},
  'no endpoint': { endpointEnabled: false },
  'an endpoint with a key': {
    endpointAuth: 'API_KEY',
    endpointAllowedOrigins: ['https://app.example.com'],
  },
  'an endpoint that streams': { responseStreaming: true },
  'an endpoint without authentication': { endpointAuth: 'NONE' },
  'callers of another account': { endpointCallers: ['arn:aws:iam::111111111111:role/caller'] },
  'an HTTP API': { httpApiEnabled: true, httpDeadlineSeconds: 25 },
  'an HTTP API with a key': {
    httpApiEnabled: true,
    endpointEnabled: false,
    endpointAuth: 'API_KEY',
    endpointAllowedOrigins: ['*'],
  },
  'a queue': { queueEnabled: true },
  'a large queue': {
    queueEnabled: true,
    queueBatchSize: 100,
    queueBatchingWindowSeconds: 20,
    queueMaxConcurrency: 5,
    queueMaxReceiveCount: 2,
    timeoutSeconds: 900,
    recordConcurrency: 20,
  },
  'a queue that only sends results': {
    queueEnabled: true,
    resultPrefix: '',
    resultDestination: 'https://sqs.us-west-2.amazonaws.com/000000000000/LlmExeLambda-results',
  },
  'a rule': { eventPattern: { source: ['my.app'], 'detail-type': ['Prompt'] } },
  'a rule on another bus': { eventPattern: { source: ['my.app'] }, eventBusName: 'mine' },
  'an inbox': { inboxPrefix: 'inbox/', retryAttempts: 2 },
  results: {
    resultPrefix: 'results',
    resultDays: 90,
    resultDestination: 'https://sqs.us-west-2.amazonaws.com/000000000000/LlmExeLambda-results',
    offloadResultsOver: 200_000,
  },
  'results in another bucket': {
    resultPrefix: 's3://llmexelambda-results/of/llm-exe/',
    resultDestination: 'arn:aws:events:us-west-2:000000000000:event-bus/default',
    resultDestinationOverride: [
      'https://sqs.us-west-2.amazonaws.com/000000000000/LlmExeLambda-',
      'arn:aws:events:us-west-2:000000000000:event-bus/team-',
      's3://llmexelambda-results/requested/',
    ],
  },
  'a batch': { batchEnabled: true, batchMaxConcurrency: 100, batchToleratedFailurePercentage: 0 },
  alarms: {
    alarmEmail: 'ops@example.com',
    queueEnabled: true,
    inboxPrefix: 'inbox/',
  },
  'a dashboard': { dashboardEnabled: true },
  'a dashboard with queues': { dashboardEnabled: true, queueEnabled: true, inboxPrefix: 'inbox/' },
  'traces to X-Ray': { traceDestination: 'xray' },
  'traces to a collector': {
    traceDestination: 'http://localhost:4318',
    layers: ['arn:aws:lambda:us-west-2:000000000000:layer:opentelemetry-collector-amd64:1'],
    environment: { OPENTELEMETRY_COLLECTOR_CONFIG_URI: '/opt/collector.yaml' },
  },
  'other buckets': {
    promptBucketName: 'llmexelambda-prompts',
    configBuckets: ['llmexelambda-shared'],
  },
  tools: {
    toolFunctions: [
      'arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambdaOrders',
      'arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambdaRates:live',
    ],
    toolsFromHttp: true,
    resultPrefix: 'results',
    resultDays: 30,
  },
  'no Bedrock': { allowedBedrockModels: [] },
  'OpenAI on a Mantle host': {
    environment: { AWS_BEDROCK_BASE_URL: 'https://bedrock-mantle.us-east-1.api.aws' },
  },
  'Bedrock by ID, profile and ARN': {
    allowedBedrockModels: [
      'amazon.nova-lite-v1:0',
      'us.anthropic.claude-sonnet-4-20250514-v1:0',
      'arn:aws:bedrock:us-west-2:000000000000:application-inference-profile/abc',
    ],
  },
  'other values': {
    architecture: 'arm64',
    memorySize: 1024,
    timeoutSeconds: 60,
    reservedConcurrency: 5,
    logRetentionDays: 7,
    logLevel: 'debug',
    terminationProtection: true,
    tags: { team: 'research' },
  },
  'every setting': {
    allowedModels: ['openai:gpt-4o*', 'anthropic:*'],
    maxTokensCeiling: 4000,
    strictVariables: true,
    strictOptions: true,
    openAiApiMode: 'responses',
    configUrlHosts: ['*.example.com'],
    configCacheSeconds: 60,
    secretCacheSeconds: 0,
    openAiCompatibleProviders: { inhouse: { baseUrl: 'https://llm.example.com/v1' } },
    environment: { OPENAI_BASE_URL: 'https://gateway.example.com/v1' },
  },
  'no boundary': { permissionsBoundary: 'none' },
  everything: {
    endpointAuth: 'API_KEY',
    httpApiEnabled: true,
    queueEnabled: true,
    eventPattern: { source: ['my.app'] },
    inboxPrefix: 'inbox/',
    resultPrefix: 'results',
    batchEnabled: true,
    alarmEmail: 'ops@example.com',
    dashboardEnabled: true,
    traceDestination: 'xray',
  },
};

const covered = new Set(Object.values(WRITTEN_SETS).flatMap((context) => Object.keys(context)));

// The expected results of other tests contain the default name of the stack.
covered.add('stackName');

/** The sets above, and the examples of the options that none of them contains. */
export const OPTION_SETS: Readonly<Record<string, Context>> = {
  ...WRITTEN_SETS,
  ...Object.fromEntries(
    Object.entries(EXAMPLES)
      .filter(([name]) => !covered.has(name))
      .map(([name, example]) => [`only ${name}`, example.with]),
  ),
};
