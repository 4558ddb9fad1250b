// What starts the function beside direct calls and its URL. In: the function and the context. Out:
// a queue, an HTTP API, rules of EventBridge.

import { Duration } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import type { Config } from './config.ts';
import { CORS_HEADERS, type LlmExeFunction } from './function.ts';

const QUEUE = { encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true };

/** A queue for what failed for good, kept as long as SQS can. */
export function deadLetters(scope: Construct, id: string): sqs.Queue {
  const queue = new sqs.Queue(scope, id, { ...QUEUE, retentionPeriod: Duration.days(14) });
  return queue;
}

/** A queue of requests; messages that fail too often go to the other one. */
export function requestQueue(
  scope: Construct,
  llm: LlmExeFunction,
  config: Config,
  dead: sqs.IQueue,
): sqs.Queue {
  // More than the reserve, and messages would be throttled into the dead letters; SQS takes no more
  // than 1000.
  const reserved = config.reservedConcurrency;
  const most = config.queueMaxConcurrency ?? (reserved && Math.min(reserved, 1000));
  const window = Duration.seconds(config.queueBatchingWindowSeconds);
  const queue = new sqs.Queue(scope, 'Queue', {
    ...QUEUE,
    // AWS's own rule: less, and a message is given out again while it is still worked on.
    visibilityTimeout: Duration.seconds(6 * config.timeoutSeconds + window.toSeconds()),
    // Shorter than that of the dead letters, whose age goes on from here.
    retentionPeriod: Duration.days(4),
    deadLetterQueue: { queue: dead, maxReceiveCount: config.queueMaxReceiveCount },
  });
  llm.addEventSource(
    new SqsEventSource(queue, {
      batchSize: config.queueBatchSize,
      maxBatchingWindow: window,
      reportBatchItemFailures: true,
      ...(most && { maxConcurrency: most }),
    }),
  );
  return queue;
}

/** What fits the pattern is run: the event's `detail` is the request. */
export function eventRule(scope: Construct, llm: LlmExeFunction, config: Config): void {
  if (!config.eventPattern) return;
  // As AWS writes a pattern, and not as CDK spells it, so that every one can be said.
  const rule = new events.CfnRule(scope, 'Rule', {
    description: 'What llm-exe runs',
    eventBusName: config.eventBusName,
    eventPattern: config.eventPattern,
    targets: [{ id: 'Function', arn: llm.function.functionArn }],
  });
  llm.function.addPermission('Rule', {
    principal: new iam.ServicePrincipal('events.amazonaws.com'),
    sourceArn: rule.attrArn,
  });
}

/** Objects that are put under the prefix are run as configs. */
export function inbox(scope: Construct, llm: LlmExeFunction, prefix: string): void {
  const bucket = llm.promptBucket.node.defaultChild as s3.CfnBucket;
  // CDK's own way is a custom resource that may change the notifications of every bucket.
  bucket.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  new events.Rule(scope, 'Inbox', {
    description: 'Objects that llm-exe runs',
    eventPattern: {
      source: ['aws.s3'],
      detailType: ['Object Created'],
      detail: {
        bucket: { name: [llm.promptBucket.bucketName] },
        object: { key: [{ prefix }] },
      },
    },
    targets: [new targets.LambdaFunction(llm.function)],
  });
}

/** An HTTP API whose every path is the function's. */
export function httpApi(scope: Construct, llm: LlmExeFunction, config: Config): apigateway.HttpApi {
  const api = new apigateway.HttpApi(scope, 'HttpApi', {
    apiName: config.stackName,
    description: 'llm-exe',
    ...(config.endpointAllowedOrigins.length > 0 && {
      corsPreflight: {
        allowOrigins: [...config.endpointAllowedOrigins],
        allowMethods: [apigateway.CorsHttpMethod.GET, apigateway.CorsHttpMethod.POST],
        allowHeaders: [...CORS_HEADERS],
        maxAge: Duration.hours(1),
      },
    }),
  });
  const integration = new HttpLambdaIntegration('Function', llm.function);
  const isIam = config.endpointAuth === 'AWS_IAM';
  for (const path of ['/', '/{proxy+}']) {
    api.addRoutes({
      path,
      // Not ANY: it would take the OPTIONS of a web page, which are asked without a signature.
      methods: [apigateway.HttpMethod.GET, apigateway.HttpMethod.POST],
      integration,
      ...(isIam && { authorizer: new HttpIamAuthorizer() }),
    });
  }
  return api;
}
