// CloudWatch alarms for the function and its dead-letter queues, and an SNS topic that sends them
// by e-mail.

import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { failedRequestsMetric } from './metrics.ts';

/** Adds alarms for errors, for throttling, and for messages in `queues`, which should be empty. */
export function addAlarms(
  scope: Construct,
  email: string,
  fn: lambda.Function,
  queues: Readonly<Record<string, sqs.IQueue>>,
): void {
  const topic = new sns.Topic(scope, 'Alarms', { displayName: 'llm-exe', enforceSSL: true });
  // `enforceSSL` adds a topic policy, which replaces the default policy. The default policy allows
  // alarms to publish, so allow that here.
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      actions: ['sns:Publish'],
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  topic.addSubscription(new EmailSubscription(email));
  const period = Duration.minutes(5);
  // Lambda's metric lacks the errors of HTTP responses, streams and records. The function's own
  // metric lacks crashes and timeouts of the process.
  const failedRequests = failedRequestsMetric(fn, period);
  const metrics: [string, string, cloudwatch.IMetric][] = [
    ['Errors', 'Failed invocations', fn.metricErrors({ period })],
    ['FailedRequests', 'Failed requests', failedRequests],
    ['Throttles', 'Throttled invocations', fn.metricThrottles({ period })],
    ...Object.entries(queues).map(([id, queue]): [string, string, cloudwatch.IMetric] => [
      id,
      'Messages in a dead-letter queue',
      queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    ]),
  ];
  for (const [id, description, metric] of metrics) {
    const alarm = new cloudwatch.Alarm(scope, `${id}Alarm`, {
      alarmDescription: `llm-exe: ${description}`,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(topic));
  }
}
