// Checks the effect of each option on the template. cases/template.json is a snapshot of the
// default template; `scripts/update` rewrites it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as sqs from 'aws-cdk-lib/aws-sqs';

import { dashboardsOf } from '../../scripts/lib/dashboard-picture.mjs';
import { BOUNDARY_ADDITIONS } from '../lib/boundary.ts';
import { readConfig } from '../lib/config.ts';
import {
  LlmExeBatch,
  LlmExeDashboard,
  LlmExeFunction,
  type LlmExeFunctionProps,
} from '../lib/index.ts';
import { EXAMPLES, OPTION_SETS } from './support/option-sets.ts';
import {
  CODE,
  appOf,
  environment,
  functionStatements,
  template,
  type Context,
} from './support/synth.ts';

const FUNCTION = 'AWS::Lambda::Function';
const PERMISSION = 'AWS::Lambda::Permission';

function statement(context: Context, sid: string) {
  return functionStatements(context).find(({ Sid }) => Sid === sid);
}

/** Returns the days after which the rules of the prompt bucket delete an object. */
function expirations(context: Context, key: string): number[] {
  const [bucket] = Object.values(template(context).findResources('AWS::S3::Bucket'));
  const { Rules } = bucket!['Properties'].LifecycleConfiguration as {
    Rules: { Prefix?: string; ExpirationInDays?: number; Status: string }[];
  };
  return Rules.filter(
    ({ Prefix = '', Status }) => key.startsWith(Prefix) && Status === 'Enabled',
  ).flatMap(({ ExpirationInDays }) => ExpirationInDays ?? []);
}

test('the default template matches the snapshot', () => {
  const snapshot = new URL('cases/template.json', import.meta.url);
  const actual = template().toJSON() as { Resources: Record<string, { Properties: object }> };
  // The asset hash depends on the binary, so it is not part of the snapshot.
  for (const resource of Object.values(actual.Resources)) {
    if ('Code' in resource.Properties) resource.Properties.Code = 'the code';
  }
  const text = `${JSON.stringify(actual, null, 1)}\n`;
  if (process.env['UPDATE']) writeFileSync(snapshot, text);
  assert.deepEqual(JSON.parse(readFileSync(snapshot, 'utf8')), JSON.parse(text));
});

describe('each option changes the stack', () => {
  const stackOf = (context: Context): unknown => {
    const [, stack] = appOf(context);
    return { ...Template.fromStack(stack).toJSON(), protection: stack.terminationProtection };
  };
  for (const [name, example] of Object.entries(EXAMPLES)) {
    test(name, () => {
      const message = `nothing uses ${name} with the example in cdk/lib/config.ts; use it in cdk/lib/stack.ts`;
      assert.notDeepEqual(stackOf(example.with), stackOf(example.without), message);
    });
  }
});

describe('the function', () => {
  test('has the default limits, X-Ray tracing and JSON logs', () => {
    template().hasResourceProperties(FUNCTION, {
      Runtime: 'provided.al2023',
      Handler: 'bootstrap',
      Architectures: ['x86_64'],
      MemorySize: 512,
      Timeout: 300,
      LoggingConfig: { LogFormat: 'JSON' },
      TracingConfig: { Mode: 'Active' },
      ReservedConcurrentExecutions: Match.absent(),
    });
    template().hasResource('AWS::Logs::LogGroup', {
      Properties: { RetentionInDays: 30 },
      DeletionPolicy: 'Delete',
    });
    template().hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
  });

  test('uses the values of the context', () => {
    const other = template(OPTION_SETS['other values']);
    other.hasResourceProperties(FUNCTION, {
      Architectures: ['arm64'],
      MemorySize: 1024,
      Timeout: 60,
      ReservedConcurrentExecutions: 5,
      Environment: { Variables: Match.objectLike({ LOG_LEVEL: 'debug' }) },
      Tags: Match.arrayWith([{ Key: 'team', Value: 'research' }]),
    });
    other.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
  });

  test('sets only the required settings by default', () => {
    const names = Object.keys(environment()).sort();
    assert.deepEqual(names, [
      'AWS_S3_FILES_BUCKET_NAME',
      'ENDPOINT_AUTH',
      'LOG_LEVEL',
      'STACK_NAME',
    ]);
  });

  test('receives the settings of the context', () => {
    const set = environment(OPTION_SETS['every setting']);
    assert.equal(set['ALLOWED_MODELS'], 'openai:gpt-4o*,anthropic:*');
    assert.equal(set['MAX_TOKENS_CEILING'], '4000');
    assert.equal(set['STRICT_VARIABLES'], 'true');
    assert.equal(set['STRICT_OPTIONS'], 'true');
    assert.equal(set['OPENAI_API_MODE'], 'responses');
    assert.equal(set['CONFIG_URL_HOSTS'], '*.example.com');
    assert.equal(set['CONFIG_CACHE_SECONDS'], '60');
    assert.equal(set['SECRET_CACHE_SECONDS'], '0');
    assert.equal(set['OPENAI_BASE_URL'], 'https://gateway.example.com/v1');
    assert.equal(
      set['OPENAI_COMPATIBLE_PROVIDERS'],
      '{"inhouse":{"baseUrl":"https://llm.example.com/v1"}}',
    );
    assert.equal(environment({ stackName: 'LlmExeLambdaTwo' })['STACK_NAME'], 'LlmExeLambdaTwo');
    assert.equal(environment(OPTION_SETS['a large queue'])['RECORD_CONCURRENCY'], '20');
    assert.equal(environment(OPTION_SETS['an HTTP API'])['HTTP_DEADLINE_SECONDS'], '25');
  });
});

describe('the endpoint', () => {
  const url = (context: Context): Template => template(context);

  test('requires AWS_IAM by default and grants no permissions', () => {
    url({}).hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'AWS_IAM',
      Cors: Match.absent(),
    });
    url({}).resourceCountIs(PERMISSION, 0);
    assert.equal(environment()['ENDPOINT_AUTH'], 'AWS_IAM');
  });

  test('streams if it is set up for it', () => {
    url({}).hasResourceProperties('AWS::Lambda::Url', { InvokeMode: Match.absent() });
    const streaming = { responseStreaming: true };
    url(streaming).hasResourceProperties('AWS::Lambda::Url', { InvokeMode: 'RESPONSE_STREAM' });
    assert.equal(environment(streaming)['RESPONSE_STREAMING'], 'url');
    assert.equal(environment()['RESPONSE_STREAMING'], undefined);
  });

  for (const endpointAuth of ['API_KEY', 'NONE']) {
    test(`with ${endpointAuth} has both public permissions, and the function authenticates callers`, () => {
      const open = url({ endpointAuth });
      open.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
      open.resourceCountIs(PERMISSION, 2);
      open.hasResourceProperties(PERMISSION, {
        Action: 'lambda:InvokeFunctionUrl',
        FunctionUrlAuthType: 'NONE',
        Principal: '*',
      });
      open.hasResourceProperties(PERMISSION, {
        Action: 'lambda:InvokeFunction',
        InvokedViaFunctionUrl: true,
        Principal: '*',
      });
      assert.equal(environment({ endpointAuth })['ENDPOINT_AUTH'], endpointAuth);
    });
  }

  test('grants both permissions to callers of other accounts', () => {
    const Principal = 'arn:aws:iam::111111111111:role/caller';
    const shared = url({ endpointCallers: [Principal] });
    shared.resourceCountIs(PERMISSION, 2);
    const both = [
      { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM', Principal },
      { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true, Principal },
    ];
    for (const permission of both) shared.hasResourceProperties(PERMISSION, permission);
  });

  test('can be disabled, which removes the URL and its permissions', () => {
    const none = url({ endpointEnabled: false });
    none.resourceCountIs('AWS::Lambda::Url', 0);
    none.resourceCountIs(PERMISSION, 0);
    assert.equal(none.toJSON().Outputs.FunctionUrl, undefined);
  });

  test('allows the configured origins (CORS)', () => {
    url({ endpointAllowedOrigins: ['https://a.example'] }).hasResourceProperties(
      'AWS::Lambda::Url',
      {
        Cors: { AllowOrigins: ['https://a.example'], AllowMethods: ['GET', 'POST'] },
      },
    );
  });

  test('lets web pages read the headers of responses, as the HTTP API does', () => {
    const stack = template({
      endpointAllowedOrigins: ['https://a.example'],
      httpApiEnabled: true,
    });
    const headers = ['retry-after', 'x-llm-exe-warnings'];
    stack.hasResourceProperties('AWS::Lambda::Url', { Cors: { ExposeHeaders: headers } });
    stack.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: { ExposeHeaders: headers },
    });
  });

  test('has the same authentication as the HTTP API', () => {
    const iamApi = template({ httpApiEnabled: true });
    iamApi.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' });
    iamApi.resourceCountIs('AWS::ApiGatewayV2::Route', 4);
    template({ httpApiEnabled: true, endpointAuth: 'API_KEY' }).allResourcesProperties(
      'AWS::ApiGatewayV2::Route',
      { AuthorizationType: 'NONE' },
    );
  });
});

describe('the role of the function', () => {
  test('can read only the keys of its stack', () => {
    const { Action, Resource } = statement({}, 'ReadKeys')!;
    assert.equal(Action, 'ssm:GetParameter');
    const expected = 'ssm:us-west-2:000000000000:parameter/LlmExeLambda/Secret/*';
    assert.ok(JSON.stringify(Resource).includes(expected));
    const decrypt = statement({}, 'DecryptKeys')!;
    assert.equal(decrypt.Action, 'kms:Decrypt');
    assert.deepEqual(Object.keys(decrypt.Condition ?? {}), ['StringEquals', 'StringLike']);
  });

  test('can read prompts and write nothing', () => {
    const actions = functionStatements().flatMap(({ Action }) => Action);
    assert.deepEqual([...new Set(actions)].sort(), [
      'bedrock:InvokeModel',
      'bedrock:InvokeModelWithResponseStream',
      'kms:Decrypt',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:ListBucket',
      'ssm:GetParameter',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('can call the allowed models and their inference profiles', () => {
    const text = JSON.stringify(functionStatements({ allowedBedrockModels: ['anthropic.*'] }));
    assert.ok(text.includes(':bedrock:us-west-2::foundation-model/anthropic.*'));
    assert.ok(text.includes(':bedrock:us-west-2:000000000000:inference-profile/*.anthropic.*'));
    assert.ok(!text.includes('meta'));
    const throughProfile = statement(
      { allowedBedrockModels: ['anthropic.*'] },
      'CallModelsByProfile',
    )!;
    assert.ok(throughProfile.Condition?.['StringLike']?.['bedrock:InferenceProfileArn']);
    assert.deepEqual(
      functionStatements({ allowedBedrockModels: [] }).filter(({ Sid }) => Sid?.includes('Model')),
      [],
    );
  });

  test("can call OpenAI's models through profiles of the Bedrock runtime", () => {
    const models = { allowedBedrockModels: ['openai.*'] };
    const direct = JSON.stringify(statement(models, 'CallModels')!.Resource);
    assert.ok(direct.includes(':bedrock:us-west-2::foundation-model/openai.*'));
    assert.ok(direct.includes(':inference-profile/*.openai.*'));
    const throughProfile = JSON.stringify(statement(models, 'CallModelsByProfile')!.Resource);
    assert.ok(throughProfile.includes(':bedrock:*::foundation-model/openai.*'));
  });

  test('can call a Mantle host only if it is the base URL', () => {
    const mantle = (url: string) =>
      statement({ environment: { AWS_BEDROCK_BASE_URL: url } }, 'CallMantle');
    for (const [url, region] of [
      ['https://bedrock-mantle.us-east-1.api.aws', 'us-east-1'],
      ['https://bedrock-mantle.eu-west-1.api.aws/openai/v1', 'eu-west-1'],
      ['https://vpce-1.bedrock-mantle.us-east-2.vpce.amazonaws.com', 'us-east-2'],
    ]) {
      const { Action, Resource } = mantle(url!)!;
      assert.equal(Action, 'bedrock-mantle:CreateInference');
      const expected = `:bedrock-mantle:${region}:000000000000:project/*`;
      assert.ok(JSON.stringify(Resource).includes(expected), url);
    }
    for (const url of [
      'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1',
      'https://gateway.example.com/bedrock-mantle.us-east-1.x',
    ]) {
      assert.equal(mantle(url), undefined, url);
    }
    assert.equal(statement({}, 'CallMantle'), undefined);
  });

  test('can call an inference profile, and its model only through the profile', () => {
    const models = { allowedBedrockModels: ['us.anthropic.claude-x'] };
    const direct = JSON.stringify(statement(models, 'CallModels')!.Resource);
    assert.ok(direct.includes(':inference-profile/us.anthropic.claude-x'));
    assert.ok(!direct.includes('foundation-model'));
    const throughProfile = JSON.stringify(statement(models, 'CallModelsByProfile')!.Resource);
    assert.ok(throughProfile.includes(':bedrock:*::foundation-model/anthropic.claude-x'));
  });

  test('a pattern of an inference profile may include the dot', () => {
    const models = { allowedBedrockModels: ['us.anthropic*'] };
    const direct = JSON.stringify(statement(models, 'CallModels')!.Resource);
    assert.ok(direct.includes(':inference-profile/us.anthropic*'));
    const throughProfile = JSON.stringify(statement(models, 'CallModelsByProfile')!.Resource);
    assert.ok(throughProfile.includes(':bedrock:*::foundation-model/anthropic*'));
  });

  test('can store and send results as configured', () => {
    const { results } = OPTION_SETS;
    assert.deepEqual(statement(results!, 'KeepResults')!.Action, ['s3:GetObject', 's3:PutObject']);
    assert.match(JSON.stringify(statement(results!, 'KeepResults')!.Resource), /\/results\/\*/);
    const arn = statement(results!, 'TellQueues')!.Resource;
    assert.match(JSON.stringify(arn), /:sqs:us-west-2:000000000000:LlmExeLambda-results"/);
    assert.match(JSON.stringify(environment(results!)['RESULT_PREFIX']), /"\/results"/);
    const elsewhere = OPTION_SETS['results in another bucket']!;
    assert.equal(environment(elsewhere)['RESULT_PREFIX'], 's3://llmexelambda-results/of/llm-exe');
    assert.deepEqual(statement(elsewhere, 'TellBuses')!.Resource, [
      'arn:aws:events:us-west-2:000000000000:event-bus/default',
      'arn:aws:events:us-west-2:000000000000:event-bus/team-*',
    ]);
  });

  test('has the same permissions with the default result prefix as with an explicit one', () => {
    for (const context of [
      { queueEnabled: true },
      { inboxPrefix: 'inbox/', resultDays: 9 },
      { eventPattern: { source: ['my.app'] }, promptBucketName: 'llmexelambda-prompts' },
    ]) {
      const actual = template(context).toJSON();
      assert.deepEqual(actual, template({ ...context, resultPrefix: 'results' }).toJSON());
      assert.match(JSON.stringify(statement(context, 'KeepResults')!.Resource), /\/results\/\*"/);
      assert.match(JSON.stringify(environment(context)['RESULT_PREFIX']), /\/results"/);
    }
  });

  test('cannot store results if they are only sent', () => {
    const context = OPTION_SETS['a queue that only sends results']!;
    assert.equal(statement(context, 'KeepResults'), undefined);
    assert.ok(statement(context, 'TellQueues'));
    assert.equal(environment(context)['RESULT_PREFIX'], undefined);
    assert.ok(environment(context)['RESULT_DESTINATION']);
  });

  test('each option set with an event source stores or sends results', () => {
    const sources = Object.entries(OPTION_SETS).filter(([, context]) => {
      const { Resources } = template(context).toJSON() as {
        Resources: Record<string, { Type: string; Properties: { Principal?: string } }>;
      };
      return Object.values(Resources).some(
        ({ Type, Properties }) =>
          Type === 'AWS::Lambda::EventSourceMapping' ||
          (Type === PERMISSION && /^(events|s3|scheduler|sns)\./.test(Properties.Principal ?? '')),
      );
    });
    assert.ok(sources.length >= 7, String(sources.length));
    for (const [name, context] of sources) {
      const { RESULT_PREFIX, RESULT_DESTINATION } = environment(context);
      assert.ok(RESULT_PREFIX ?? RESULT_DESTINATION, name);
    }
  });

  test('each role has the boundary, unless it is disabled', () => {
    const boundary = /LlmExeLambdaCdkPermissionBoundaryPolicy/;
    for (const context of Object.values(OPTION_SETS)) {
      const roles = Object.values(template(context).findResources('AWS::IAM::Role'));
      const isBounded = context['permissionsBoundary'] !== 'none';
      for (const { Properties } of roles) {
        const text = JSON.stringify(Properties.PermissionsBoundary ?? '');
        assert.equal(boundary.test(text), isBounded);
        assert.equal(Properties.ManagedPolicyArns, undefined);
      }
    }
  });
});

describe('the bucket', () => {
  test('is versioned, encrypted, private, and retained', () => {
    template().hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: Match.anyValue(),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
  });

  test('requires TLS', () => {
    template().hasResource('AWS::S3::BucketPolicy', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
    template().hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('expires results but not prompts', () => {
    template(OPTION_SETS['results']).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Prefix: 'results/', ExpirationInDays: 90 })]),
      },
    });
    const [bucket] = Object.values(template().findResources('AWS::S3::Bucket'));
    const { Rules } = bucket!['Properties'].LifecycleConfiguration;
    assert.ok(Rules.every((rule: object) => !('ExpirationInDays' in rule)));
  });

  test('expires all that the function writes under the result prefix', () => {
    for (const folder of ['records', 'idempotency', 'results', 'conversations', 'started']) {
      const key = `results/${folder}/0123.json`;
      assert.deepEqual(expirations(OPTION_SETS['tools']!, key), [30], key);
    }
    const written = statement(OPTION_SETS['tools']!, 'KeepResults')!;
    assert.match(JSON.stringify(written.Resource), /\/results\/\*"/);
  });

  test('expires the progress of runs after 14 days, with and without resultDays', () => {
    const key = 'results/progress/0123/turn-1.json';
    assert.deepEqual(expirations(OPTION_SETS['tools']!, key), [14, 30]);
    assert.deepEqual(expirations({ resultPrefix: 'results' }, key), [14]);
    assert.deepEqual(expirations({ resultPrefix: 'results' }, 'results/records/0123.json'), []);
  });

  test('can be an existing bucket', () => {
    const other = template(OPTION_SETS['other buckets']);
    other.resourceCountIs('AWS::S3::Bucket', 0);
    const set = environment(OPTION_SETS['other buckets']);
    assert.equal(set['AWS_S3_FILES_BUCKET_NAME'], 'llmexelambda-prompts');
    assert.equal(set['CONFIG_BUCKETS'], 'llmexelambda-prompts,llmexelambda-shared');
  });
});

describe('event sources', () => {
  test('a queue has partial batch responses, a visibility timeout and a dead-letter queue', () => {
    const queue = template({ queueEnabled: true, timeoutSeconds: 100 });
    queue.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BatchSize: 10,
      ScalingConfig: Match.absent(),
    });
    queue.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 600,
      RedrivePolicy: { maxReceiveCount: 3, deadLetterTargetArn: Match.anyValue() },
      SqsManagedSseEnabled: true,
    });
    template(OPTION_SETS['a large queue']).hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 6 * 900 + 20,
      RedrivePolicy: { maxReceiveCount: 2 },
    });
    template(OPTION_SETS['a large queue']).hasResourceProperties(
      'AWS::Lambda::EventSourceMapping',
      {
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 20,
        ScalingConfig: { MaximumConcurrency: 5 },
      },
    );
  });

  test('the concurrency of the queue is at most the reserved concurrency', () => {
    const scaling = (context: Context): unknown =>
      Object.values(
        template({ queueEnabled: true, ...context }).findResources(
          'AWS::Lambda::EventSourceMapping',
        ),
      )[0]!['Properties'].ScalingConfig;
    assert.deepEqual(scaling({ reservedConcurrency: 5 }), { MaximumConcurrency: 5 });
    assert.deepEqual(scaling({ reservedConcurrency: 5000 }), { MaximumConcurrency: 1000 });
    const both = { reservedConcurrency: 5, queueMaxConcurrency: 3 };
    assert.deepEqual(scaling(both), { MaximumConcurrency: 3 });
  });

  test('an event rule has the given pattern and bus', () => {
    template(OPTION_SETS['a rule on another bus']).hasResourceProperties('AWS::Events::Rule', {
      EventBusName: 'mine',
      EventPattern: { source: ['my.app'] },
    });
    template(OPTION_SETS['a rule']).hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['my.app'], 'detail-type': ['Prompt'] },
    });
    template(OPTION_SETS['a rule']).hasResourceProperties(PERMISSION, {
      Principal: 'events.amazonaws.com',
      SourceArn: Match.anyValue(),
    });
  });

  test('an inbox does not add a custom resource', () => {
    const inbox = template(OPTION_SETS['an inbox']);
    inbox.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    inbox.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { object: { key: [{ prefix: 'inbox/' }] } },
      },
    });
    inbox.resourceCountIs(FUNCTION, 1);
    inbox.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  test('alarms can publish to their topic', () => {
    const alarms = template(OPTION_SETS['alarms']);
    alarms.resourceCountIs('AWS::CloudWatch::Alarm', 5);
    alarms.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
    alarms.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
    alarms.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ]),
      },
    });
    template().resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });

  test('failures are counted by Lambda and by the function', () => {
    const alarms = template(OPTION_SETS['alarms']);
    for (const [namespace, metric, dimension] of [
      ['AWS/Lambda', 'Errors', 'FunctionName'],
      ['LlmExe', 'errors', 'functionName'],
    ]) {
      alarms.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: [{ Name: dimension, Value: { Ref: Match.stringLikeRegexp('Function') } }],
        Statistic: 'Sum',
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
      });
    }
  });

  test('a batch writes its results, even in an app without feature flags', () => {
    const stack = new Stack(new App(), 'Other');
    const llm = new LlmExeFunction(stack, 'Llm', { code: lambda.Code.fromAsset(CODE) });
    new LlmExeBatch(stack, 'Batch', { function: llm });
    const [machine] = Object.values(
      Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'),
    );
    const text = JSON.stringify(machine!['Properties'].DefinitionString).replaceAll('\\', '');
    for (const part of ['"ResultWriter"', '"InputType":"JSONL"', '"MaxConcurrency":10']) {
      assert.ok(text.includes(part), part);
    }
    assert.ok(text.includes('"ToleratedFailurePercentage":5'));
  });
});

describe('the dashboard', () => {
  const widgetsOf = (actual: Template) => {
    const bodies = dashboardsOf(actual.toJSON() as never);
    assert.equal(bodies.length, 1);
    return bodies[0]!.widgets;
  };
  const titles = (context: Context): string[] =>
    widgetsOf(template({ dashboardEnabled: true, ...context })).flatMap(
      ({ properties }) => properties['title'] ?? [],
    );

  test('exists only if it is enabled, with a name for the region', () => {
    template().resourceCountIs('AWS::CloudWatch::Dashboard', 0);
    const [dashboard] = Object.values(
      template({ dashboardEnabled: true }).findResources('AWS::CloudWatch::Dashboard'),
    );
    const name = JSON.stringify(dashboard!['Properties'].DashboardName);
    assert.match(name, /^"LlmExeLambda-us-west-2"$|"LlmExeLambda-",\{"Ref":"AWS::Region"\}/);
    assert.deepEqual(dashboard!['Properties'].Tags, [{ Key: 'environment', Value: 'test' }]);
  });

  test('fills the rows of the grid without overlaps', () => {
    for (const name of ['a dashboard', 'a dashboard with queues', 'everything']) {
      const cells = new Map<string, string>();
      for (const { x, y, width, height, properties } of widgetsOf(template(OPTION_SETS[name]))) {
        for (let column = x; column < x + width; column++) {
          for (let row = y; row < y + height; row++) {
            const cell = `${column},${row}`;
            assert.ok(column < 24 && !cells.has(cell), `${name}: ${properties['title']}: ${cell}`);
            cells.set(cell, properties['title']);
          }
        }
      }
      const rows = new Set([...cells.keys()].map((cell) => cell.split(',')[1]));
      assert.equal(cells.size, 24 * rows.size, name);
    }
  });

  test('has graphs of the queues that the stack has', () => {
    const queues = (context: Context): string[] =>
      titles(context).filter((title) => /queue/i.test(title));
    assert.deepEqual(queues({}), []);
    assert.deepEqual(queues({ inboxPrefix: 'inbox/' }), ['Dead-letter queues']);
    assert.deepEqual(queues({ queueEnabled: true }), ['Queue of requests', 'Dead-letter queues']);
    const both = JSON.stringify(widgetsOf(template(OPTION_SETS['a dashboard with queues'])));
    for (const label of ['failed messages', 'failed events']) {
      assert.ok(both.includes(`"label":"${label}"`), label);
    }
  });

  test('finds the metrics of all models, and queries the log of the function only', () => {
    const widgets = widgetsOf(template({ dashboardEnabled: true }));
    const log = widgets.filter(({ type }) => type === 'log');
    assert.deepEqual(
      log.map(({ properties }) => properties['title']),
      [
        'Errors by type',
        'Provider and the rest (ms)',
        'Cold starts',
        'Learned capabilities of models',
      ],
    );
    for (const { properties } of log) assert.match(properties['query'], /^SOURCE 'LlmLogs\w+' \|/);
    const [cost] = widgets.filter(({ properties }) => properties['title'] === 'Cost by model');
    assert.deepEqual(cost!.properties['metrics'], [
      [
        {
          expression: `SEARCH('{LlmExe,source,provider,model} MetricName="costUsd"', 'Sum', 300)`,
          label: "${PROP('Dim.provider')}:${PROP('Dim.model')}, ${PROP('Dim.source')}",
        },
      ],
    ]);
  });

  test('can be in another stack', () => {
    const stack = new Stack(new App(), 'Other');
    const llm = new LlmExeFunction(stack, 'Llm', { code: lambda.Code.fromAsset(CODE) });
    new LlmExeDashboard(stack, 'Dashboard', { function: llm });
    const actual = Template.fromStack(stack);
    assert.equal(widgetsOf(actual).length, 12);
    actual.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: Match.absent() });
  });
});

describe('traces', () => {
  const sent = (context: Context) => statement(context, 'SendSpans');

  test('are not sent by default', () => {
    assert.equal(sent({}), undefined);
    assert.ok(!Object.keys(environment()).some((name) => name.startsWith('OTEL_')));
    template().hasResourceProperties(FUNCTION, { Layers: Match.absent() });
  });

  test('are sent to X-Ray with the permission for spans', () => {
    const { traceDestination } = OPTION_SETS['traces to X-Ray']!;
    assert.equal(traceDestination, 'xray');
    assert.deepEqual(sent({ traceDestination })?.Action, [
      'xray:PutSpans',
      'xray:PutSpansForIndexing',
    ]);
    const set = environment({ traceDestination });
    assert.deepEqual(set['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], {
      'Fn::Join': ['', ['https://xray.us-west-2.', { Ref: 'AWS::URLSuffix' }, '/v1/traces']],
    });
    assert.equal(set['OTEL_EXPORTER_OTLP_ENDPOINT'], undefined);
  });

  test('are sent to a collector in a layer without additional permissions', () => {
    const context = OPTION_SETS['traces to a collector']!;
    assert.equal(sent(context), undefined);
    const set = environment(context);
    assert.equal(set['OTEL_EXPORTER_OTLP_ENDPOINT'], 'http://localhost:4318');
    assert.equal(set['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], undefined);
    assert.equal(set['OPENTELEMETRY_COLLECTOR_CONFIG_URI'], '/opt/collector.yaml');
    template(context).hasResourceProperties(FUNCTION, { Layers: context['layers'] });
  });

  test('a layer that is listed twice is added once', () => {
    const [arn] = OPTION_SETS['traces to a collector']!['layers'] as string[];
    template({ layers: [arn, arn] }).hasResourceProperties(FUNCTION, { Layers: [arn] });
  });
});

test('the stack has all documented outputs', () => {
  const { Outputs } = template(OPTION_SETS['everything']).toJSON() as { Outputs: object };
  assert.deepEqual(Object.keys(Outputs).sort(), [
    'BatchArn',
    'DashboardUrl',
    'DeadLetterQueueUrl',
    'FailedEventsQueueUrl',
    'FunctionArn',
    'FunctionName',
    'FunctionUrl',
    'HttpApiUrl',
    'LogGroupName',
    'PromptBucket',
    'QueueUrl',
  ]);
});

function warnings(context: Context): string[] {
  return warningsOf(appOf(context)[1]);
}

function warningsOf(stack: Stack): string[] {
  return Annotations.fromStack(stack)
    .findWarning('*', Match.anyValue())
    .map(({ entry }) => String(entry.data));
}

test('warns of an endpoint without authentication', () => {
  const httpApiOnly = { endpointAuth: 'NONE', endpointEnabled: false, httpApiEnabled: true };
  for (const context of [{ endpointAuth: 'NONE' }, httpApiOnly]) {
    const messages = warnings({ ...context, permissionsBoundary: 'none' });
    assert.equal(messages.length, 1);
    assert.match(messages[0]!, /^endpointAuth: with NONE, anyone who knows the URL can call/);
  }
  assert.deepEqual(warnings({ endpointAuth: 'NONE', endpointEnabled: false }), []);
});

test('warns of an endpoint that lets anyone run tools', () => {
  const open = { ...OPTION_SETS['tools'], endpointAuth: 'NONE' };
  assert.equal(warnings(open).length, 2);
  assert.match(warnings(open).join('\n'), /^toolsFromHttp: with endpointAuth NONE, anyone/m);
  assert.equal(warnings({ ...open, toolsFromHttp: false }).length, 1);
  assert.deepEqual(warnings({ ...open, endpointEnabled: false }), []);
});

test('warns of an event source whose results are neither stored nor sent', () => {
  const warningsWith = (props: Partial<LlmExeFunctionProps>): string[] => {
    const stack = new Stack(new App(), 'Other');
    const code = lambda.Code.fromAsset(CODE);
    const llm = new LlmExeFunction(stack, 'Llm', { code, ...props });
    const queue = new sqs.Queue(stack, 'Queue', { visibilityTimeout: Duration.minutes(30) });
    llm.addEventSource(new SqsEventSource(queue));
    return warningsOf(stack);
  };
  assert.equal(warningsWith({}).length, 1);
  assert.match(
    warningsWith({})[0]!,
    /^addEventSource: .* set results to store them, or resultDestination/,
  );
  assert.deepEqual(warningsWith({ results: { prefix: 'results' } }), []);
  const resultDestination = 'arn:aws:events:us-west-2:000000000000:event-bus/default';
  assert.deepEqual(warningsWith({ resultDestination }), []);
});

test('the tag `environment` comes from .env, unless the context sets it', () => {
  const tag = (context: Context): unknown =>
    Object.values(template(context).findResources(FUNCTION))[0]!['Properties'].Tags;
  assert.deepEqual(tag({}), [{ Key: 'environment', Value: 'test' }]);
  const own = [{ Key: 'environment', Value: 'mine' }];
  assert.deepEqual(tag({ tags: { environment: 'mine' } }), own);
});

test('warns of resources that the shipped boundary does not allow', () => {
  const allowed = Object.values(OPTION_SETS).filter((context) => {
    const config = readConfig(context);
    const isAddition = BOUNDARY_ADDITIONS.some(({ isNeeded }) => isNeeded(config));
    return config.endpointAuth !== 'NONE' && !isAddition;
  });
  assert.ok(allowed.length >= 20, String(allowed.length));
  for (const context of allowed) assert.deepEqual(warnings(context), []);
  const [httpApi, ...others] = warnings({ httpApiEnabled: true });
  assert.match(
    httpApi!,
    /^httpApiEnabled: .* first add the statement of .*CdkHttpApiPolicy\.json to it/,
  );
  assert.deepEqual(others, []);
  assert.deepEqual(warnings({ httpApiEnabled: true, permissionsBoundary: 'MyBoundary' }), []);
  const layers = ['arn:aws:lambda:us-west-2:000000000000:layer:otel:1'];
  const additions = { dashboardEnabled: true, traceDestination: 'xray', layers };
  assert.deepEqual(
    warnings(additions).map((text) => text.replace(/:.*LlmExeLambdaCdk(\w+)Policy\.json.*/, ' $1')),
    ['dashboardEnabled Dashboard', 'traceDestination Spans', 'layers Layers'],
  );
  assert.deepEqual(warnings({ ...additions, permissionsBoundary: 'MyBoundary' }), []);
  const resultDestination = 'https://sqs.us-west-2.amazonaws.com/000000000000/results';
  const toolFunctions = [
    'arn:aws:lambda:us-west-2:000000000000:function:orders:live',
    'arn:aws:lambda:us-west-2:111111111111:function:LlmExeLambdaOrders',
    'arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambdaOrders',
    'arn:aws:lambda:eu-west-1:000000000000:function:LlmExeLambdaOrders',
  ];
  const all = warnings({
    stackName: 'Mine',
    configBuckets: ['their-prompts'],
    resultDestination,
    toolFunctions,
  });
  assert.equal(all.length, 6);
  assert.match(all.join(), /does not allow the function orders;/);
  assert.match(all.join(), /does not allow the function arn:aws:lambda:us-west-2:111111111111:/);
  assert.match(all.join(), /does not allow the function arn:aws:lambda:eu-west-1:000000000000:/);
  assert.match(all.join(), /does not allow the queue results/);
  assert.match(all.join(), /Mine needs its own policies/);
  assert.match(all.join(), /does not allow the bucket their-prompts/);
  const own = { stackName: 'Mine', permissionsBoundary: 'MyBoundary' };
  assert.deepEqual(warnings(own), []);
});

describe('LlmExeFunction in another stack', () => {
  const stack = new Stack(new App(), 'Other');
  const llm = new LlmExeFunction(stack, 'Llm', {
    code: lambda.Code.fromAsset(CODE),
    endpoint: {},
  });
  const caller = new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });
  llm.grantInvoke(caller);
  llm.grantInvokeUrl(caller);
  llm.addEventSource(
    new SqsEventSource(new sqs.Queue(stack, 'Queue', { visibilityTimeout: Duration.minutes(30) }), {
      reportBatchItemFailures: true,
    }),
  );
  const payload = sfn.TaskInput.fromObject({ key: 'kitten.json' });
  new sfn.StateMachine(stack, 'Machine', {
    definitionBody: sfn.DefinitionBody.fromChainable(llm.asTask(stack, 'Ask', { payload })),
  });
  const actual = Template.fromStack(stack);

  test('reads keys under the name of that stack', () => {
    actual.hasResourceProperties(FUNCTION, {
      Environment: {
        Variables: Match.objectLike({ STACK_NAME: 'Other', ENDPOINT_AUTH: 'AWS_IAM' }),
      },
    });
  });

  test('grants invocation of the function and of its URL', () => {
    const statements = Object.entries(actual.findResources('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith('Caller'))
      .flatMap(([, policy]) => policy['Properties'].PolicyDocument.Statement);
    const actions = statements.flatMap(({ Action }: { Action: string | string[] }) => Action);
    assert.deepEqual([...new Set(actions)].sort(), [
      'lambda:InvokeFunction',
      'lambda:InvokeFunctionUrl',
    ]);
  });

  test('asTask retries temporary errors', () => {
    const [machine] = Object.values(actual.findResources('AWS::StepFunctions::StateMachine'));
    const text = JSON.stringify(machine!['Properties'].DefinitionString).replaceAll('\\', '');
    assert.ok(
      text.includes(
        '"ErrorEquals":["ProviderRateLimited","ProviderUnavailable","ConfigUnavailable","SecretUnavailable","ResultUnavailable","Timeout"',
      ),
    );
    assert.ok(text.includes('"Payload":{"key":"kitten.json"}'));
  });
});
