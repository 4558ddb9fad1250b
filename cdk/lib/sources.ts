// Optional event sources of the function: an SQS queue, an HTTP API, and EventBridge rules.

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
import { CORS_EXPOSED_HEADERS, CORS_HEADERS, type LlmExeFunction } from './function.ts';

const QUEUE = { encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true };

/** Creates a queue for failed messages or events, with SQS's maximum retention period. */
export function deadLetterQueue(scope: Construct, id: string): sqs.Queue {
  return new sqs.Queue(scope, id, { ...QUEUE, retentionPeriod: Duration.days(14) });
}

/**
 * Creates a queue for requests. Messages that fail too often are moved to `deadLetters`.
 */
export function requestQueue(
  scope: Construct,
  llm: LlmExeFunction,
  config: Config,
  deadLetters: sqs.IQueue,
): sqs.Queue {
  // A limit above the reserved concurrency would move throttled messages to the dead-letter queue.
  // The maximum for an SQS event source is 1000.
  const reserved = config.reservedConcurrency;
  const maxConcurrency = config.queueMaxConcurrency ?? (reserved && Math.min(reserved, 1000));
  const window = Duration.seconds(config.queueBatchingWindowSeconds);
  const queue = new sqs.Queue(scope, 'Queue', {
    ...QUEUE,
    // AWS recommends this value. With a shorter timeout, a message may be delivered again while it
    // is still being processed.
    visibilityTimeout: Duration.seconds(6 * config.timeoutSeconds + window.toSeconds()),
    // This must be shorter than the retention period of the dead-letter queue, because a message
    // keeps its age when it is moved.
    retentionPeriod: Duration.days(4),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: config.queueMaxReceiveCount },
  });
  llm.addEventSource(
    new SqsEventSource(queue, {
      batchSize: config.queueBatchSize,
      maxBatchingWindow: window,
      reportBatchItemFailures: true,
      ...(maxConcurrency && { maxConcurrency }),
    }),
  );
  return queue;
}

/** Creates a rule that matches events with `eventPattern` and runs their `detail` as a request. */
export function addEventRule(scope: Construct, llm: LlmExeFunction, config: Config): void {
  if (!config.eventPattern) return;
  // Use the L1 construct, because it accepts every pattern that AWS accepts.
  const rule = new events.CfnRule(scope, 'Rule', {
    description: 'Events that llm-exe runs as requests',
    eventBusName: config.eventBusName,
    eventPattern: config.eventPattern,
    targets: [{ id: 'Function', arn: llm.function.functionArn }],
  });
  llm.function.addPermission('Rule', {
    principal: new iam.ServicePrincipal('events.amazonaws.com'),
    sourceArn: rule.attrArn,
  });
}

/**
 * Creates a rule that runs each object uploaded to the prompt bucket under `prefix` as a hosted
 * config.
 */
export function addInbox(scope: Construct, llm: LlmExeFunction, prefix: string): void {
  const bucket = llm.promptBucket.node.defaultChild as s3.CfnBucket;
  // Do not use `enableEventBridgeNotification`, because it would add a custom resource with
  // permission to change the notifications of every bucket.
  bucket.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  new events.Rule(scope, 'Inbox', {
    description: 'Uploaded objects that llm-exe runs as hosted configs',
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

/** Creates an HTTP API that routes all paths to the function. */
export function httpApi(scope: Construct, llm: LlmExeFunction, config: Config): apigateway.HttpApi {
  const api = new apigateway.HttpApi(scope, 'HttpApi', {
    apiName: config.stackName,
    description: 'llm-exe',
    ...(config.endpointAllowedOrigins.length > 0 && {
      corsPreflight: {
        allowOrigins: [...config.endpointAllowedOrigins],
        allowMethods: [apigateway.CorsHttpMethod.GET, apigateway.CorsHttpMethod.POST],
        allowHeaders: [...CORS_HEADERS],
        exposeHeaders: [...CORS_EXPOSED_HEADERS],
        maxAge: Duration.hours(1),
      },
    }),
  });
  const integration = new HttpLambdaIntegration('Function', llm.function);
  const isIam = config.endpointAuth === 'AWS_IAM';
  for (const path of ['/', '/{proxy+}']) {
    api.addRoutes({
      path,
      // Do not use ANY, which includes OPTIONS. Browsers send OPTIONS requests without a signature.
      methods: [apigateway.HttpMethod.GET, apigateway.HttpMethod.POST],
      integration,
      ...(isIam && { authorizer: new HttpIamAuthorizer() }),
    });
  }
  return api;
}
