// The stack `LlmExeLambda`, which contains the function and the resources that the CDK context
// enables.

import { Annotations, CfnOutput, Duration, Stack, Tags, Token, type StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { addAlarms } from './alarms.ts';
import { LlmExeBatch } from './batch.ts';
import { BOUNDARY_ADDITIONS } from './boundary.ts';
import { functionCode } from './code.ts';
import { OPTIONS, functionEnvironment, type Config } from './config.ts';
import { LlmExeDashboard } from './dashboard.ts';
import { LlmExeFunction, type ResultsProps } from './function.ts';
import { parseFunctionArn } from './function-name.ts';
import { isInSandbox, unreachableHost } from './settings.ts';
import { addEventRule, addInbox, deadLetterQueue, httpApi, requestQueue } from './sources.ts';

export interface LlmExeStackProps extends StackProps {
  readonly config: Config;
  /** The path of the repository. */
  readonly root: string;
  /** The value of the tag `environment`, unless the context sets this tag. Default: no tag. */
  readonly environment?: string;
  /** Whether `npm run update-secrets` would store the key of the endpoint. Default: `true`. */
  readonly hasEndpointKey?: boolean;
}

const SHIPPED_BOUNDARY = OPTIONS.permissionsBoundary.default;

/** The stack that `npm run deploy` deploys. */
export class LlmExeStack extends Stack {
  readonly llm: LlmExeFunction;

  constructor(scope: Construct, id: string, props: LlmExeStackProps) {
    super(scope, id, {
      description: 'llm-exe Lambda',
      terminationProtection: props.config.terminationProtection,
      ...props,
    });
    const { config } = props;
    const boundary = this.importBoundary(config);
    const isAsynchronous = Boolean(config.inboxPrefix ?? config.eventPattern);
    const failedEvents = isAsynchronous ? deadLetterQueue(this, 'FailedEvents') : undefined;
    this.llm = this.createFunction(props, boundary, failedEvents);
    const queues: Record<string, sqs.IQueue> = {};
    if (failedEvents) queues['FailedEvents'] = failedEvents;
    let queue: sqs.IQueue | undefined;
    if (config.queueEnabled) {
      const deadLetters = deadLetterQueue(this, 'DeadLetters');
      queue = requestQueue(this, this.llm, config, deadLetters);
      queues['DeadLetters'] = deadLetters;
      this.addOutput('QueueUrl', queue.queueUrl, 'URL of the request queue');
      this.addOutput(
        'DeadLetterQueueUrl',
        deadLetters.queueUrl,
        'URL of the queue of failed requests',
      );
    }
    if (failedEvents) {
      this.addOutput(
        'FailedEventsQueueUrl',
        failedEvents.queueUrl,
        'URL of the queue of failed events',
      );
    }
    addEventRule(this, this.llm, config);
    if (config.inboxPrefix) addInbox(this, this.llm, config.inboxPrefix);
    if (config.httpApiEnabled) {
      const api = httpApi(this, this.llm, config);
      this.addOutput('HttpApiUrl', api.apiEndpoint, 'URL of the HTTP API');
    }
    if (config.batchEnabled) this.addBatch(config, boundary);
    if (config.alarmEmail) addAlarms(this, config.alarmEmail, this.llm.function, queues);
    if (config.dashboardEnabled) this.addDashboard(config, queue, queues);
    this.addOutput('FunctionArn', this.llm.function.functionArn, 'ARN of the function');
    this.addOutput('FunctionName', this.llm.function.functionName, 'Name of the function');
    this.addOutput(
      'LogGroupName',
      this.llm.function.logGroup.logGroupName,
      'Name of the log group',
    );
    this.addOutput('PromptBucket', this.llm.promptBucket.bucketName, 'Bucket of hosted configs');
    if (this.llm.url) this.addOutput('FunctionUrl', this.llm.url.url, 'URL for POST requests');
    this.addWarnings(config, props.hasEndpointKey ?? true);
    for (const [name, value] of Object.entries(config.tags)) Tags.of(this).add(name, value);
    const isTagged = 'environment' in config.tags;
    if (props.environment && !isTagged) Tags.of(this).add('environment', props.environment);
  }

  /** Adds a dashboard. Its name contains the region, because names are unique in the account. */
  private addDashboard(
    config: Config,
    queue: sqs.IQueue | undefined,
    { DeadLetters: messages, FailedEvents: events }: Readonly<Record<string, sqs.IQueue>>,
  ): void {
    const dashboardName = `${config.stackName}-${this.region}`;
    new LlmExeDashboard(this, 'Dashboard', {
      function: this.llm,
      dashboardName,
      ...(queue && { queue }),
      deadLetterQueues: {
        ...(messages && { 'failed messages': messages }),
        ...(events && { 'failed events': events }),
      },
    });
    this.addOutput(
      'DashboardUrl',
      `https://console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${dashboardName}`,
      'URL of the dashboard in the console',
    );
  }

  private addBatch(config: Config, boundary: iam.IManagedPolicy | undefined): void {
    const batch = new LlmExeBatch(this, 'Batch', {
      function: this.llm,
      maxConcurrency: config.batchMaxConcurrency,
      toleratedFailurePercentage: config.batchToleratedFailurePercentage,
      stateMachineName: `${config.stackName}-Batch`,
      ...(boundary && { permissionsBoundary: boundary }),
    });
    this.addOutput(
      'BatchArn',
      batch.stateMachine.stateMachineArn,
      'ARN of the batch state machine; its input is {"key": "batch/…"}',
    );
  }

  private createFunction(
    props: LlmExeStackProps,
    boundary: iam.IManagedPolicy | undefined,
    failedEvents: sqs.IQueue | undefined,
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
      // The values of the `RetentionDays` enum are numbers of days.
      logRetention: config.logRetentionDays as logs.RetentionDays,
      secretsName: config.stackName,
      configBuckets: config.configBuckets.map((name) => bucket(`Configs-${name}`, name)),
      resultDestinationOverride: config.resultDestinationOverride,
      allowedBedrockModels: config.allowedBedrockModels,
      toolFunctions: [...new Set(config.toolFunctions)].map((arn) =>
        lambda.Function.fromFunctionArn(this, `Tool-${arn}`, arn),
      ),
      toolsFromHttp: config.toolsFromHttp,
      endpointAuth: config.endpointAuth,
      responseStreaming: config.responseStreaming,
      layers: [...new Set(config.layers)].map((arn) =>
        lambda.LayerVersion.fromLayerVersionArn(this, `Layer-${arn}`, arn),
      ),
      ...(config.traceDestination && { traceDestination: config.traceDestination }),
      environment: functionEnvironment(config),
      ...(failedEvents && { onFailure: new SqsDestination(failedEvents) }),
      ...(boundary && { permissionsBoundary: boundary }),
      ...(config.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: config.reservedConcurrency,
      }),
      ...(config.promptBucketName && {
        promptBucket: bucket('Prompts', config.promptBucketName),
      }),
      ...(config.resultPrefix && { results: this.resultsProps(config, config.resultPrefix) }),
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

  private resultsProps(config: Config, location: string): ResultsProps {
    const days = config.resultDays;
    const [, bucket, prefix = location] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? [];
    return {
      prefix: prefix.replace(/\/$/, ''),
      ...(bucket && { bucket: s3.Bucket.fromBucketName(this, 'Results', bucket) }),
      ...(days && { expiration: Duration.days(days) }),
    };
  }

  private importBoundary(config: Config): iam.IManagedPolicy | undefined {
    if (config.permissionsBoundary === 'none') return undefined;
    const name = config.permissionsBoundary;
    return iam.ManagedPolicy.fromManagedPolicyName(this, 'Boundary', name);
  }

  /**
   * Warns about an endpoint without authentication or without a key, about servers that the function
   * can't reach, and about resources that the shipped permissions boundary does not allow. Without a
   * warning, these would fail only during deployment or at run time.
   */
  private addWarnings(config: Config, hasEndpointKey: boolean): void {
    const hasEndpoint = config.endpointEnabled || config.httpApiEnabled;
    if (hasEndpoint && config.endpointAuth === 'NONE') {
      Annotations.of(this).addWarningV2(
        'llm-exe:endpointAuth',
        'endpointAuth: with NONE, anyone who knows the URL can call the function at your cost; use ' +
          'AWS_IAM or API_KEY to authenticate callers',
      );
    }
    if (hasEndpoint && config.endpointAuth === 'API_KEY' && !hasEndpointKey) {
      Annotations.of(this).addWarningV2(
        'llm-exe:endpointKey',
        'endpointAuth: with API_KEY, every call fails with SecretNotFound until the key is in ' +
          'Parameter Store, and ENDPOINT_API_KEY is not set in .env or the environment; unless you ' +
          'stored the key before, set it and run npm run update-secrets',
      );
    }
    if (hasEndpoint && config.endpointAuth === 'NONE' && config.toolsFromHttp) {
      Annotations.of(this).addWarningV2(
        'llm-exe:toolsFromHttp',
        'toolsFromHttp: with endpointAuth NONE, anyone who knows the URL can run the functions of ' +
          'toolFunctions with arguments of their choice',
      );
    }
    this.warnOfPrivateServers(config);
    if (config.permissionsBoundary !== SHIPPED_BOUNDARY) return;
    if (!config.stackName.startsWith('LlmExeLambda')) {
      Annotations.of(this).addWarningV2(
        'llm-exe:stackName',
        'stackName: the policies in documentation/setup only allow names that begin with ' +
          `LlmExeLambda; ${config.stackName} needs its own policies`,
      );
    }
    for (const { option, name, actions, isNeeded } of BOUNDARY_ADDITIONS) {
      if (!isNeeded(config)) continue;
      Annotations.of(this).addWarningV2(
        `llm-exe:${option}`,
        `${option}: ${SHIPPED_BOUNDARY} does not allow ${actions} as shipped; first add the ` +
          `statement of documentation/setup/LlmExeLambdaCdk${name}Policy.json to it`,
      );
    }
    const destinations = [config.resultDestination, ...config.resultDestinationOverride];
    const bucketOf = (url?: string): string | undefined => /^s3:\/\/([^/]+)/.exec(url ?? '')?.[1];
    const queueOf = (url?: string): string | undefined =>
      /^https:\/\/.*\/(.*)$/.exec(url ?? '')?.[1];
    const buckets = [
      ...[config.promptBucketName, ...config.configBuckets],
      ...[config.resultPrefix, ...destinations].map(bucketOf),
    ];
    this.warnOfNames('bucket', 'llmexelambda', buckets);
    this.warnOfNames('queue', 'LlmExeLambda', destinations.map(queueOf));
    this.warnOfNames(
      'function',
      'LlmExeLambda',
      config.toolFunctions.map((arn) => this.nearName(arn)),
    );
  }

  /** Warns about servers with an address that only a function in a VPC can reach. */
  private warnOfPrivateServers(config: Config): void {
    const servers: [string, unknown][] = [
      ...Object.entries(config.openAiCompatibleProviders).map(
        ([name, provider]): [string, unknown] => [
          `openAiCompatibleProviders.${name}.baseUrl`,
          (provider as { baseUrl?: unknown }).baseUrl,
        ],
      ),
      ...Object.entries(config.environment).map(([name, value]): [string, unknown] => [
        `environment.${name}`,
        value,
      ]),
      ...(config.traceDestination && !isInSandbox(config.traceDestination)
        ? [['traceDestination', config.traceDestination] satisfies [string, unknown]]
        : []),
    ];
    for (const [path, url] of servers) {
      const host = typeof url === 'string' ? unreachableHost(url) : undefined;
      if (host === undefined) continue;
      Annotations.of(this).addWarningV2(
        `llm-exe:privateServer:${path}`,
        `${path}: the function is not in a VPC and can't reach ${host}; use a public https URL, or ` +
          'put LlmExeFunction into a stack of your own with the property vpc, as docs/deploy.md ' +
          'describes',
      );
    }
  }

  /** Returns the name of a function, or its ARN if it is in another region or account. */
  private nearName(arn: string): string {
    const { region = '', account = '', name = arn } = parseFunctionArn(arn) ?? {};
    const isOwn = (own: string, other: string): boolean => Token.isUnresolved(own) || own === other;
    return isOwn(this.region, region) && isOwn(this.account, account) ? name : arn;
  }

  /** Warns about each name that lacks the prefix that the shipped permissions boundary requires. */
  private warnOfNames(kind: string, prefix: string, names: (string | undefined)[]): void {
    for (const name of names) {
      if (name === undefined || name.startsWith(prefix)) continue;
      Annotations.of(this).addWarningV2(
        `llm-exe:${kind}:${name}`,
        `${SHIPPED_BOUNDARY} does not allow the ${kind} ${name}; add it to the policy as ` +
          'described in docs/deploy.md',
      );
    }
  }

  private addOutput(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
