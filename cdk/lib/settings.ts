// The function's environment. In: the context. Out: the settings of docs/lambda.md that it sets. A
// setting that holds by itself is left out, so that the function's own default stays the one there
// is.

import type { Config } from './config.ts';

/** Where batches have their files and results, in the prompt bucket. */
export const BATCH_PREFIX = 'batch';

/** Which key of the context sets which setting; the message to those who set it twice. */
export const SETTINGS_OF_OPTIONS: Readonly<Record<string, string>> = {
  STACK_NAME: 'stackName',
  AWS_S3_FILES_BUCKET_NAME: 'promptBucketName',
  ENDPOINT_AUTH: 'endpointAuth',
  HTTP_DEADLINE_SECONDS: 'httpDeadlineSeconds',
  CONFIG_BUCKETS: 'configBuckets',
  CONFIG_URL_HOSTS: 'configUrlHosts',
  CONFIG_CACHE_SECONDS: 'configCacheSeconds',
  SECRET_CACHE_SECONDS: 'secretCacheSeconds',
  ALLOWED_MODELS: 'allowedModels',
  MAX_TOKENS_CEILING: 'maxTokensCeiling',
  STRICT_VARIABLES: 'strictVariables',
  LOG_LEVEL: 'logLevel',
  OPENAI_COMPATIBLE_PROVIDERS: 'openAiCompatibleProviders',
  RECORD_CONCURRENCY: 'recordConcurrency',
  RESULT_PREFIX: 'resultPrefix',
  RESULT_DESTINATION: 'resultDestination',
  RESULT_DESTINATION_OVERRIDE: 'resultDestinationOverride',
  OFFLOAD_RESULTS_OVER: 'offloadResultsOver',
};

/** The settings that are plain values; `LlmExeFunction` adds those that name what it makes. */
export function settingsOf(config: Config): Record<string, string> {
  const given: Record<string, string | number | undefined> = {
    LOG_LEVEL: config.logLevel,
    HTTP_DEADLINE_SECONDS: config.httpDeadlineSeconds,
    CONFIG_URL_HOSTS: config.configUrlHosts.join(','),
    CONFIG_CACHE_SECONDS: config.configCacheSeconds,
    SECRET_CACHE_SECONDS: config.secretCacheSeconds,
    ALLOWED_MODELS: config.allowedModels.join(','),
    MAX_TOKENS_CEILING: config.maxTokensCeiling,
    STRICT_VARIABLES: config.strictVariables ? 'true' : undefined,
    OPENAI_COMPATIBLE_PROVIDERS: json(config.openAiCompatibleProviders),
    RECORD_CONCURRENCY: config.recordConcurrency,
    OFFLOAD_RESULTS_OVER: config.offloadResultsOver,
    ...config.environment,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}

function json(value: Record<string, unknown>): string | undefined {
  return Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}
