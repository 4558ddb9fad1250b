// What each option makes of the template. The shipped one stands whole in cases/template.json;
// `UPDATE=1 npm run check` writes it anew.

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

import { LlmExeBatch, LlmExeFunction, type LlmExeFunctionProps } from '../lib/index.ts';
import { SETTINGS_OF_OPTIONS } from '../lib/settings.ts';
import { OPTION_SETS } from './support/option-sets.ts';
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

function of(context: Context, sid: string) {
  return functionStatements(context).find(({ Sid }) => Sid === sid);
}

test('the shipped template is the one that was read', () => {
  const place = new URL('cases/template.json', import.meta.url);
  const found = template().toJSON() as { Resources: Record<string, { Properties: object }> };
  // The hash of a binary that is built elsewhere.
  for (const resource of Object.values(found.Resources)) {
    if ('Code' in resource.Properties) resource.Properties.Code = 'the code';
  }
  const text = `${JSON.stringify(found, null, 1)}\n`;
  if (process.env['UPDATE']) writeFileSync(place, text);
  assert.deepEqual(JSON.parse(readFileSync(place, 'utf8')), JSON.parse(text));
});

describe('the function', () => {
  test('is a bounded, traced binary that logs JSON', () => {
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

  test('takes other numbers', () => {
    const other = template(OPTION_SETS['other numbers']);
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

  test('has no setting by default that a version without it would refuse', () => {
    const names = Object.keys(environment()).sort();
    assert.deepEqual(names, [
      'AWS_S3_FILES_BUCKET_NAME',
      'ENDPOINT_AUTH',
      'LOG_LEVEL',
      'STACK_NAME',
    ]);
  });

  test('has the settings that the context says', () => {
    const set = environment(OPTION_SETS['every setting']);
    assert.equal(set['ALLOWED_MODELS'], 'openai:gpt-4o*,anthropic:*');
    assert.equal(set['MAX_TOKENS_CEILING'], '4000');
    assert.equal(set['STRICT_VARIABLES'], 'true');
    assert.equal(set['CONFIG_URL_HOSTS'], '*.example.com');
    assert.equal(set['CONFIG_CACHE_SECONDS'], '60');
    assert.equal(set['SECRET_CACHE_SECONDS'], '0');
    assert.equal(set['OPENAI_BASE_URL'], 'https://gateway.example.com/v1');
    assert.equal(
      set['OPENAI_COMPATIBLE_PROVIDERS'],
      '{"together":{"baseUrl":"https://api.together.xyz/v1"}}',
    );
    assert.equal(environment({ stackName: 'LlmExeLambdaTwo' })['STACK_NAME'], 'LlmExeLambdaTwo');
    assert.equal(environment(OPTION_SETS['a large queue'])['RECORD_CONCURRENCY'], '20');
    assert.equal(environment(OPTION_SETS['an HTTP API'])['HTTP_DEADLINE_SECONDS'], '25');
  });

  test('every setting is set by some option set', () => {
    const set = new Set(Object.values(OPTION_SETS).flatMap((one) => Object.keys(environment(one))));
    const missing = Object.keys(SETTINGS_OF_OPTIONS).filter((name) => !set.has(name));
    assert.deepEqual(missing, []);
  });
});

describe('who may call', () => {
  const url = (context: Context): Template => template(context);

  test('AWS_IAM unless said otherwise, and nobody is let in', () => {
    url({}).hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'AWS_IAM',
      Cors: Match.absent(),
    });
    url({}).resourceCountIs(PERMISSION, 0);
    assert.equal(environment()['ENDPOINT_AUTH'], 'AWS_IAM');
  });

  for (const endpointAuth of ['API_KEY', 'NONE']) {
    test(`${endpointAuth}: both permissions, and the function asks`, () => {
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

  test('callers of another account get both permissions', () => {
    const Principal = 'arn:aws:iam::111111111111:role/caller';
    const with_ = url({ endpointCallers: [Principal] });
    with_.resourceCountIs(PERMISSION, 2);
    const both = [
      { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM', Principal },
      { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true, Principal },
    ];
    for (const one of both) with_.hasResourceProperties(PERMISSION, one);
  });

  test('no endpoint, no URL and no permission', () => {
    const none = url({ endpointEnabled: false });
    none.resourceCountIs('AWS::Lambda::Url', 0);
    none.resourceCountIs(PERMISSION, 0);
    assert.equal(none.toJSON().Outputs.FunctionUrl, undefined);
  });

  test('web pages of the origins that are named', () => {
    url({ endpointAllowedOrigins: ['https://a.example'] }).hasResourceProperties(
      'AWS::Lambda::Url',
      {
        Cors: { AllowOrigins: ['https://a.example'], AllowMethods: ['GET', 'POST'] },
      },
    );
  });

  test('an HTTP API asks as the URL does', () => {
    const iamApi = template({ httpApiEnabled: true });
    iamApi.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' });
    iamApi.resourceCountIs('AWS::ApiGatewayV2::Route', 4);
    template({ httpApiEnabled: true, endpointAuth: 'API_KEY' }).allResourcesProperties(
      'AWS::ApiGatewayV2::Route',
      { AuthorizationType: 'NONE' },
    );
  });
});

describe('what the function may do', () => {
  test('reads the keys of its stack alone', () => {
    const { Action, Resource } = of({}, 'ReadKeys')!;
    assert.equal(Action, 'ssm:GetParameter');
    const expected = 'ssm:us-west-2:000000000000:parameter/LlmExeLambda/Secret/*';
    assert.ok(JSON.stringify(Resource).includes(expected));
    const decrypt = of({}, 'DecryptKeys')!;
    assert.equal(decrypt.Action, 'kms:Decrypt');
    assert.deepEqual(Object.keys(decrypt.Condition ?? {}), ['StringEquals', 'StringLike']);
  });

  test('reads prompts, and writes nothing', () => {
    const actions = functionStatements().flatMap(({ Action }) => Action);
    assert.deepEqual([...new Set(actions)].sort(), [
      'bedrock:InvokeModel',
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

  test('calls the models that are allowed, and their profiles', () => {
    const text = JSON.stringify(functionStatements({ allowedBedrockModels: ['anthropic.*'] }));
    assert.ok(text.includes(':bedrock:us-west-2::foundation-model/anthropic.*'));
    assert.ok(text.includes(':bedrock:us-west-2:000000000000:inference-profile/*.anthropic.*'));
    assert.ok(!text.includes('meta'));
    const elsewhere = of({ allowedBedrockModels: ['anthropic.*'] }, 'CallModelsByProfile')!;
    assert.ok(elsewhere.Condition?.['StringLike']?.['bedrock:InferenceProfileArn']);
    assert.deepEqual(
      functionStatements({ allowedBedrockModels: [] }).filter(({ Sid }) => Sid?.includes('Model')),
      [],
    );
  });

  test('a profile is called as itself, and its model through it only', () => {
    const models = { allowedBedrockModels: ['us.anthropic.claude-x'] };
    const here = JSON.stringify(of(models, 'CallModels')!.Resource);
    assert.ok(here.includes(':inference-profile/us.anthropic.claude-x'));
    assert.ok(!here.includes('foundation-model'));
    const there = JSON.stringify(of(models, 'CallModelsByProfile')!.Resource);
    assert.ok(there.includes(':bedrock:*::foundation-model/anthropic.claude-x'));
  });

  test('keeps results and tells of them where the context says', () => {
    const { results } = OPTION_SETS;
    assert.deepEqual(of(results!, 'KeepResults')!.Action, ['s3:GetObject', 's3:PutObject']);
    assert.match(JSON.stringify(of(results!, 'KeepResults')!.Resource), /\/results\/\*/);
    const arn = of(results!, 'TellQueues')!.Resource;
    assert.match(JSON.stringify(arn), /:sqs:us-west-2:000000000000:LlmExeLambda-results"/);
    assert.match(JSON.stringify(environment(results!)['RESULT_PREFIX']), /"\/results"/);
    const elsewhere = OPTION_SETS['results elsewhere']!;
    assert.equal(environment(elsewhere)['RESULT_PREFIX'], 's3://llmexelambda-results/of/llm-exe');
    assert.deepEqual(of(elsewhere, 'TellBuses')!.Resource, [
      'arn:aws:events:us-west-2:000000000000:event-bus/default',
      'arn:aws:events:us-west-2:000000000000:event-bus/team-*',
    ]);
  });

  test('a default result prefix gives what an explicit one gives', () => {
    for (const context of [
      { queueEnabled: true },
      { inboxPrefix: 'inbox/', resultDays: 9 },
      { eventPattern: { source: ['my.app'] }, promptBucketName: 'llmexelambda-prompts' },
    ]) {
      const found = template(context).toJSON();
      assert.deepEqual(found, template({ ...context, resultPrefix: 'results' }).toJSON());
      assert.match(JSON.stringify(of(context, 'KeepResults')!.Resource), /\/results\/\*"/);
      assert.match(JSON.stringify(environment(context)['RESULT_PREFIX']), /\/results"/);
    }
  });

  test('an empty result prefix with a destination sends results and stores none', () => {
    const context = OPTION_SETS['a queue whose results are sent only']!;
    assert.equal(of(context, 'KeepResults'), undefined);
    assert.ok(of(context, 'TellQueues'));
    assert.equal(environment(context)['RESULT_PREFIX'], undefined);
    assert.ok(environment(context)['RESULT_DESTINATION']);
  });

  test('no option set pays for results and loses them', () => {
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

  test('every role carries the boundary, unless there is none', () => {
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
  test('is versioned, encrypted, private, and outlives the stack', () => {
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

  test('speaks TLS only', () => {
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

  test('forgets results after a while, and prompts never', () => {
    template(OPTION_SETS['results']).hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Prefix: 'results/', ExpirationInDays: 90 })]),
      },
    });
    const [bucket] = Object.values(template().findResources('AWS::S3::Bucket'));
    const { Rules } = bucket!['Properties'].LifecycleConfiguration;
    assert.ok(Rules.every((rule: object) => !('ExpirationInDays' in rule)));
  });

  test('may be one that there is', () => {
    const other = template(OPTION_SETS['other buckets']);
    other.resourceCountIs('AWS::S3::Bucket', 0);
    const set = environment(OPTION_SETS['other buckets']);
    assert.equal(set['AWS_S3_FILES_BUCKET_NAME'], 'llmexelambda-prompts');
    assert.equal(set['CONFIG_BUCKETS'], 'llmexelambda-prompts,llmexelambda-shared');
  });
});

describe('other sources', () => {
  test('a queue: partial answers, time enough, dead letters', () => {
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

  test('a queue takes no more of the function than its reserve', () => {
    const most = (context: Context): unknown =>
      Object.values(
        template({ queueEnabled: true, ...context }).findResources(
          'AWS::Lambda::EventSourceMapping',
        ),
      )[0]!['Properties'].ScalingConfig;
    assert.deepEqual(most({ reservedConcurrency: 5 }), { MaximumConcurrency: 5 });
    assert.deepEqual(most({ reservedConcurrency: 5000 }), { MaximumConcurrency: 1000 });
    const both = { reservedConcurrency: 5, queueMaxConcurrency: 3 };
    assert.deepEqual(most(both), { MaximumConcurrency: 3 });
  });

  test('a rule with the pattern as it stands, on the bus that is named', () => {
    template(OPTION_SETS['a rule of another bus']).hasResourceProperties('AWS::Events::Rule', {
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

  test('an inbox, without a custom resource', () => {
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

  test('alarms that reach their topic', () => {
    const alarms = template(OPTION_SETS['alarms']);
    alarms.resourceCountIs('AWS::CloudWatch::Alarm', 4);
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

  test('a batch writes its results, in an app without feature flags too', () => {
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

test('every output has its value', () => {
  const { Outputs } = template(OPTION_SETS['everything']).toJSON() as { Outputs: object };
  assert.deepEqual(Object.keys(Outputs).sort(), [
    'BatchArn',
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

test('an endpoint that anybody may call is warned of', () => {
  const reached = { endpointAuth: 'NONE', endpointEnabled: false, httpApiEnabled: true };
  for (const context of [{ endpointAuth: 'NONE' }, reached]) {
    const found = warnings({ ...context, permissionsBoundary: 'none' });
    assert.equal(found.length, 1);
    assert.match(found[0]!, /^endpointAuth: NONE lets anybody who knows the URL call/);
  }
  assert.deepEqual(warnings({ endpointAuth: 'NONE', endpointEnabled: false }), []);
});

test('an event source of the construct without a place for results is warned of', () => {
  const of = (props: Partial<LlmExeFunctionProps>): string[] => {
    const stack = new Stack(new App(), 'Other');
    const code = lambda.Code.fromAsset(CODE);
    const llm = new LlmExeFunction(stack, 'Llm', { code, ...props });
    const queue = new sqs.Queue(stack, 'Queue', { visibilityTimeout: Duration.minutes(30) });
    llm.addEventSource(new SqsEventSource(queue));
    return warningsOf(stack);
  };
  assert.equal(of({}).length, 1);
  assert.match(of({})[0]!, /^addEventSource: .* set results to store them, or resultDestination/);
  assert.deepEqual(of({ results: { prefix: 'results' } }), []);
  const resultDestination = 'arn:aws:events:us-west-2:000000000000:event-bus/default';
  assert.deepEqual(of({ resultDestination }), []);
});

test('the tag `environment` is that of .env, unless the context has one', () => {
  const tag = (context: Context): unknown =>
    Object.values(template(context).findResources(FUNCTION))[0]!['Properties'].Tags;
  assert.deepEqual(tag({}), [{ Key: 'environment', Value: 'test' }]);
  const own = [{ Key: 'environment', Value: 'mine' }];
  assert.deepEqual(tag({ tags: { environment: 'mine' } }), own);
});

test('what the shipped boundary would stop is warned of', () => {
  const closed = Object.values(OPTION_SETS).filter(
    ({ endpointAuth, httpApiEnabled }) => endpointAuth !== 'NONE' && !httpApiEnabled,
  );
  for (const context of closed) assert.deepEqual(warnings(context), []);
  const [httpApi, ...others] = warnings({ httpApiEnabled: true });
  assert.match(httpApi!, /^httpApiEnabled: .* add the statement of .*CdkHttpApiPolicy\.json to it/);
  assert.deepEqual(others, []);
  assert.deepEqual(warnings({ httpApiEnabled: true, permissionsBoundary: 'MyBoundary' }), []);
  const resultDestination = 'https://sqs.us-west-2.amazonaws.com/000000000000/told';
  const all = warnings({ stackName: 'Mine', configBuckets: ['their-prompts'], resultDestination });
  assert.equal(all.length, 3);
  assert.match(all.join(), /the queue told is not allowed/);
  assert.match(all.join(), /Mine needs its own/);
  assert.match(all.join(), /the bucket their-prompts is not allowed/);
  const own = { stackName: 'Mine', permissionsBoundary: 'MyBoundary' };
  assert.deepEqual(warnings(own), []);
});

describe('the construct in a stack of others', () => {
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
  const found = Template.fromStack(stack);

  test('keeps its keys under the name of that stack', () => {
    found.hasResourceProperties(FUNCTION, {
      Environment: {
        Variables: Match.objectLike({ STACK_NAME: 'Other', ENDPOINT_AUTH: 'AWS_IAM' }),
      },
    });
  });

  test('is called by whom it is granted to, both ways', () => {
    const statements = Object.entries(found.findResources('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith('Caller'))
      .flatMap(([, policy]) => policy['Properties'].PolicyDocument.Statement);
    const actions = statements.flatMap(({ Action }: { Action: string | string[] }) => Action);
    assert.deepEqual([...new Set(actions)].sort(), [
      'lambda:InvokeFunction',
      'lambda:InvokeFunctionUrl',
    ]);
  });

  test('is a task that tries again', () => {
    const [machine] = Object.values(found.findResources('AWS::StepFunctions::StateMachine'));
    const text = JSON.stringify(machine!['Properties'].DefinitionString).replaceAll('\\', '');
    assert.ok(
      text.includes(
        '"ErrorEquals":["ProviderRateLimited","ProviderUnavailable","ConfigUnavailable","SecretUnavailable","ResultUnavailable","Timeout"',
      ),
    );
    assert.ok(text.includes('"Payload":{"key":"kitten.json"}'));
  });
});
