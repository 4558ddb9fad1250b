// Tests that synth accepts and rejects the same settings as the function. The cases are those of the
// function's own tests (crates/llm-exe-lambda/tests/process/settings.rs).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Code, LayerVersion, type ILayerVersion } from 'aws-cdk-lib/aws-lambda';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Bucket } from 'aws-cdk-lib/aws-s3';

import { OPTION_OF_SETTING, readConfig } from '../lib/config.ts';
import { LlmExeFunction, type LlmExeFunctionProps } from '../lib/function.ts';
import { checkSettings } from '../lib/settings.ts';
import { CODE, ROOT, appOf, type Context } from './support/synth.ts';

interface Case {
  name: string;
  value: string;
}

const CASES = join(ROOT, 'crates', 'llm-exe-lambda', 'tests', 'cases', 'settings.json');
const { invalid, valid } = JSON.parse(readFileSync(CASES, 'utf8')) as Record<string, Case[]>;

/** A value that the option of the setting accepts, because it is written differently there. */
const ACCEPTED_BY_OPTION: Record<string, string> = { RESULT_PREFIX: 'results' };

for (const { name, value } of invalid!) {
  test(`${name}=${value} is rejected, as by the function`, () => {
    const option = OPTION_OF_SETTING[name];
    if (option && ACCEPTED_BY_OPTION[name] !== value) {
      assert.throws(() => readConfig({ [option]: value }), new RegExp(`CDK context: ${option}`));
    }
    // This one is valid on its own, but requires another setting.
    if (name === 'OFFLOAD_RESULTS_OVER') return;
    const [problem] = checkSettings({ [name]: value });
    assert.ok(problem?.startsWith(`${name} is `), problem);
  });
}

for (const { name, value } of valid!) {
  test(`${name}=${value} is accepted, as by the function`, () => {
    assert.deepEqual(checkSettings({ [name]: value }), []);
  });
}

test('a message about a setting does not contain a password or a key', () => {
  for (const [name, value] of [
    ['OPENAI_BASE_URL', 'https://user:sentinel@a.example'],
    ['OPENAI_BASE_URL', 'http://a.example?key=sentinel'],
    ['OPENAI_COMPATIBLE_PROVIDERS', '{"a":{"baseUrl":"https://b.example","key":"sk-sentinel"}}'],
    ['OPENAI_COMPATIBLE_PROVIDERS', '{"a":{"baseUrl":"https://b.example","keyEnv":"sk-sentinel"}}'],
  ] as const) {
    const problems = checkSettings({ [name]: value }).join('\n');
    assert.ok(problems !== '' && !problems.includes('sentinel'), problems);
  }
});

function construct(props: LlmExeFunctionProps): Template {
  const stack = new Stack(new App(), 'Mine');
  new LlmExeFunction(stack, 'Llm', { code: Code.fromAsset(CODE), ...props });
  return Template.fromStack(stack);
}

test('the construct rejects what would break the function', () => {
  for (const [props, message] of [
    [{ environment: { ALOWED_MODELS: 'x' } }, /Mine\/Llm: environment: ALOWED_MODELS .*ALLOWED_/],
    [{ environment: { STRICT_VARIABLES: 'yes' } }, /STRICT_VARIABLES is invalid: expected one of/],
    [{ environment: { ENDPOINT_AUTH: 'NONE' } }, /set by the property endpointAuth/],
    [{ environment: { OFFLOAD_RESULTS_OVER: '9999' } }, /requires results/],
    [{ environment: { PRICES: 's3://other/prices.json' } }, /PRICES is in the bucket other, which/],
    [{ environment: { XAI_API_KEY: 'x' } }, /XAI_API_KEY looks like a secret/],
    [{ environment: { OTEL_EXPORTER_OTLP_HEADERS: 'x' } }, /OTLP_HEADERS contains secrets, which/],
    [{ traceDestination: 'x-ray' }, /traceDestination: expected xray, or the URL of a collector/],
    [{ traceDestination: 'ftp://a.example' }, /traceDestination: expected a URL that begins with/],
    [{ allowedBedrockModels: ['anthropic'] }, /allowedBedrockModels: expected .* got "anthropic"/],
    [{ results: { prefix: '/results' } }, /results: expected a prefix without leading/],
    [{ results: { prefix: '' } }, /results: expected a prefix/],
    [{ code: Code.fromAsset(join(ROOT, 'docs')) }, /code: expected a folder with a file `boot/],
  ] as const) {
    assert.throws(() => construct(props), message);
  }
  construct({ environment: { PRICES: 'prices.json' } });
  const stack = new Stack(new App(), 'Buckets');
  const configBuckets = [Bucket.fromBucketName(stack, 'Configs', 'other')];
  construct({ environment: { PRICES: 's3://other/prices.json' }, configBuckets });
  construct({ environment: { OPENAI_BASE_URL: Lazy.string({ produce: () => 'x' }) } });
});

test('the construct rejects a layer of another region', () => {
  const stack = new Stack(new App(), 'Mine', { env: { region: 'eu-west-1' } });
  const layer = (id: string, region: string): ILayerVersion =>
    LayerVersion.fromLayerVersionArn(
      stack,
      id,
      `arn:aws:lambda:${region}:000000000000:layer:otel:1`,
    );
  const code = Code.fromAsset(CODE);
  const traceDestination = 'http://localhost:4318';
  new LlmExeFunction(stack, 'Llm', { code, layers: [layer('A', 'eu-west-1')], traceDestination });
  assert.throws(
    () => new LlmExeFunction(stack, 'Other', { code, layers: [layer('B', 'us-east-1')] }),
    /layers: expected a layer in eu-west-1, the region of the stack, got arn:aws:lambda:us-east-1:/,
  );
});

test('the construct can be in a VPC', () => {
  const stack = new Stack(new App(), 'Mine');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 1 });
  new LlmExeFunction(stack, 'Llm', { code: Code.fromAsset(CODE), vpc });
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    VpcConfig: { SubnetIds: Match.anyValue(), SecurityGroupIds: Match.anyValue() },
  });
});

test('sources contain no zip, so that code is required', () => {
  const stack = new Stack(new App(), 'Mine');
  assert.throws(
    () => new LlmExeFunction(stack, 'Llm'),
    /the package contains no zip for x86_64; set code, for example Code\.fromAsset/,
  );
});

function warnings(context: Context): string[] {
  const [, stack] = appOf(context);
  return Annotations.fromStack(stack)
    .findWarning('*', Match.anyValue())
    .map(({ entry }) => String(entry.data));
}

test('servers that only a function in a VPC can reach cause a warning', () => {
  for (const [context, path] of [
    [{ v: { baseUrl: 'http://10.0.0.5/v1' } }, 'openAiCompatibleProviders.v.baseUrl'],
    [{ v: { baseUrl: 'https://[fd00::1]:8080/v1' } }, 'openAiCompatibleProviders.v.baseUrl'],
  ] as const) {
    const [text, ...others] = warnings({ openAiCompatibleProviders: context });
    assert.ok(text?.startsWith(`${path}: the function is not in a VPC`), text);
    assert.deepEqual(others, []);
  }
  const url = { OLLAMA_ENDPOINT: 'http://localhost:11434' };
  assert.match(warnings({ environment: url })[0]!, /^environment\.OLLAMA_ENDPOINT: .* localhost;/);
  const collector = { traceDestination: 'http://10.0.0.5:4318' };
  assert.match(warnings(collector)[0]!, /^traceDestination: the function is not in a VPC .* 10\.0/);
  const layers = ['arn:aws:lambda:us-west-2:000000000000:layer:otel:1'];
  const local = { traceDestination: 'http://localhost:4318', layers, permissionsBoundary: 'none' };
  assert.deepEqual(warnings(local), []);
  const publicUrl = { v: { baseUrl: 'https://10.example.com/v1' } };
  assert.deepEqual(warnings({ openAiCompatibleProviders: publicUrl }), []);
});
