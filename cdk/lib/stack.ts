// The stack `LlmExeLambda`. In: the context and where to deploy to. Out: the function, and what the
// context asks for around it.

import { Annotations, CfnOutput, Duration, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { alarms } from './alarms.ts';
import { LlmExeBatch } from './batch.ts';
import { functionCode } from './code.ts';
import { OPTIONS, type Config } from './config.ts';
import { LlmExeFunction, type ResultsProps } from './function.ts';
import { settingsOf } from './settings.ts';
import { deadLetters, eventRule, httpApi, inbox, requestQueue } from './sources.ts';

export interface LlmExeStackProps extends StackProps {
  readonly config: Config;
  /** The repository. */
  readonly root: string;
  /** The tag `environment`, unless the context has one. Default: no tag. */
  readonly environment?: string;
}

const SHIPPED_BOUNDARY = OPTIONS.permissionsBoundary.shipped;

/** Everything that `npm run deploy` deploys. */
export class LlmExeStack extends Stack {
  readonly llm: LlmExeFunction;

  constructor(scope: Construct, id: string, props: LlmExeStackProps) {
    super(scope, id, {
      description: 'llm-exe Lambda',
      terminationProtection: props.config.terminationProtection,
      ...props,
    });
    const { config } = props;
    const boundary = this.boundary(config);
    const isAsynchronous = Boolean(config.inboxPrefix ?? config.eventPattern);
    const failed = isAsynchronous ? deadLetters(this, 'FailedEvents') : undefined;
    this.llm = this.function(props, boundary, failed);
    const queues: Record<string, sqs.IQueue> = {};
    if (failed) queues['FailedEvents'] = failed;
    if (config.queueEnabled) {
      const dead = deadLetters(this, 'DeadLetters');
      const queue = requestQueue(this, this.llm, config, dead);
      queues['DeadLetters'] = dead;
      this.tell('QueueUrl', queue.queueUrl, 'Messages here are run');
      this.tell('DeadLetterQueueUrl', dead.queueUrl, 'Messages that failed too often');
    }
    if (failed) this.tell('FailedEventsQueueUrl', failed.queueUrl, 'Events that failed');
    eventRule(this, this.llm, config);
    if (config.inboxPrefix) inbox(this, this.llm, config.inboxPrefix);
    if (config.httpApiEnabled) {
      const api = httpApi(this, this.llm, config);
      this.tell('HttpApiUrl', api.apiEndpoint, 'The HTTP API');
    }
    if (config.batchEnabled) {
      const batch = new LlmExeBatch(this, 'Batch', {
        function: this.llm,
        maxConcurrency: config.batchMaxConcurrency,
        toleratedFailurePercentage: config.batchToleratedFailurePercentage,
        stateMachineName: `${config.stackName}-Batch`,
        ...(boundary && { permissionsBoundary: boundary }),
      });
      this.tell('BatchArn', batch.stateMachine.stateMachineArn, 'Start it with {"key": "…"}');
    }
    if (config.alarmEmail) alarms(this, config.alarmEmail, this.llm.function, queues);
    this.tell('FunctionArn', this.llm.function.functionArn, 'The function');
    this.tell('FunctionName', this.llm.function.functionName, 'Its name');
    this.tell('LogGroupName', this.llm.function.logGroup.logGroupName, 'Where it logs');
    this.tell('PromptBucket', this.llm.promptBucket.bucketName, 'Where hosted configs live');
    if (this.llm.url) this.tell('FunctionUrl', this.llm.url.url, 'POST a request to it');
    this.warn(config);
    for (const [name, value] of Object.entries(config.tags)) Tags.of(this).add(name, value);
    const isTagged = 'environment' in config.tags;
    if (props.environment && !isTagged) Tags.of(this).add('environment', props.environment);
  }

  private function(
    props: LlmExeStackProps,
    boundary: iam.IManagedPolicy | undefined,
    failed: sqs.IQueue | undefined,
  ): LlmExeFunction {
    const { config, root } = props;
    const bucket = (id: string, name: string): s3.IBucket =>
      s3.Bucket.fromBucketName(this, id, name);
    const { codePath, architecture } = config;
    return new LlmExeFunction(this, 'Llm', {
      code: functionCode(this, { root, architecture, ...(codePath && { codePath }) }),
      architecture:
        architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      memorySize: config.memorySize,
      timeout: Duration.seconds(config.timeoutSeconds),
      retryAttempts: config.retryAttempts,
      // Its values are these days.
      logRetention: config.logRetentionDays as logs.RetentionDays,
      secretsName: config.stackName,
      configBuckets: config.configBuckets.map((name) => bucket(`Configs-${name}`, name)),
      resultDestinationOverride: config.resultDestinationOverride,
      allowedBedrockModels: config.allowedBedrockModels,
      endpointAuth: config.endpointAuth,
      environment: settingsOf(config),
      ...(failed && { onFailure: new SqsDestination(failed) }),
      ...(boundary && { permissionsBoundary: boundary }),
      ...(config.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: config.reservedConcurrency,
      }),
      ...(config.promptBucketName && {
        promptBucket: bucket('Prompts', config.promptBucketName),
      }),
      ...(config.resultPrefix && { results: this.results(config, config.resultPrefix) }),
      ...(config.resultDestination && { resultDestination: config.resultDestination }),
      ...(config.endpointEnabled && {
        endpoint: {
          auth: config.endpointAuth,
          allowedOrigins: config.endpointAllowedOrigins,
          callers: config.endpointCallers,
        },
      }),
    });
  }

  private results(config: Config, where: string): ResultsProps {
    const days = config.resultDays;
    const [, named, prefix = where] = /^s3:\/\/([^/]+)\/(.*)$/.exec(where) ?? [];
    return {
      prefix: prefix.replace(/\/$/, ''),
      ...(named && { bucket: s3.Bucket.fromBucketName(this, 'Results', named) }),
      ...(days && { expiration: Duration.days(days) }),
    };
  }

  private boundary(config: Config): iam.IManagedPolicy | undefined {
    if (config.permissionsBoundary === 'none') return undefined;
    const name = config.permissionsBoundary;
    return iam.ManagedPolicy.fromManagedPolicyName(this, 'Boundary', name);
  }

  /** What is open to anybody; and what the shipped boundary would stop, which IAM says late. */
  private warn(config: Config): void {
    const isReached = config.endpointEnabled || config.httpApiEnabled;
    if (isReached && config.endpointAuth === 'NONE') {
      Annotations.of(this).addWarningV2(
        'llm-exe:endpointAuth',
        'endpointAuth: NONE lets anybody who knows the URL call, at your cost; AWS_IAM and API_KEY ' +
          'ask who it is',
      );
    }
    if (config.permissionsBoundary !== SHIPPED_BOUNDARY) return;
    if (!config.stackName.startsWith('LlmExeLambda')) {
      Annotations.of(this).addWarningV2(
        'llm-exe:stackName',
        `stackName: the policies of documentation/setup are for names that begin with ` +
          `LlmExeLambda; ${config.stackName} needs its own`,
      );
    }
    if (config.httpApiEnabled) {
      Annotations.of(this).addWarningV2(
        'llm-exe:httpApiEnabled',
        `httpApiEnabled: ${SHIPPED_BOUNDARY} allows no API as it is shipped; add the statement of ` +
          'documentation/setup/LlmExeLambdaCdkHttpApiPolicy.json to it first',
      );
    }
    const destinations = [config.resultDestination, ...config.resultDestinationOverride];
    const bucketOf = (one?: string): string | undefined => /^s3:\/\/([^/]+)/.exec(one ?? '')?.[1];
    const queueOf = (one?: string): string | undefined =>
      /^https:\/\/.*\/(.*)$/.exec(one ?? '')?.[1];
    const named: NamedRow[] = [
      ...[config.promptBucketName, ...config.configBuckets].map(bucketRow),
      ...[config.resultPrefix, ...destinations].map(bucketOf).map(bucketRow),
      ...destinations.map(queueOf).map(queueRow),
    ];
    for (const [what, name, begins] of named) {
      if (name === undefined || name.startsWith(begins)) continue;
      Annotations.of(this).addWarningV2(
        `llm-exe:${what}:${name}`,
        `the ${what} ${name} is not allowed by ${SHIPPED_BOUNDARY}: add it there, as ` +
          'docs/deploy.md says',
      );
    }
  }

  private tell(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}

type NamedRow = [string, string | undefined, string];
const bucketRow = (name?: string): NamedRow => ['bucket', name, 'llmexelambda'];
const queueRow = (name?: string): NamedRow => ['queue', name, 'LlmExeLambda'];
