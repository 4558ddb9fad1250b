// Who is told when something goes wrong. In: an address, the function, queues of dead letters. Out:
// alarms, and a topic that sends mail.

import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Alarms for errors, throttles, and each queue that should be empty. */
export function alarms(
  scope: Construct,
  email: string,
  fn: lambda.Function,
  queues: Readonly<Record<string, sqs.IQueue>>,
): void {
  const topic = new sns.Topic(scope, 'Alarms', { displayName: 'llm-exe', enforceSSL: true });
  // A policy that demands TLS replaces the one that lets alarms in.
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
  const watched: [string, string, cloudwatch.IMetric][] = [
    ['Errors', 'Invocations that failed', fn.metricErrors({ period })],
    ['Throttles', 'Invocations that were not let in', fn.metricThrottles({ period })],
    ...Object.entries(queues).map(([id, queue]): [string, string, cloudwatch.IMetric] => [
      id,
      'Dead letters that wait',
      queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    ]),
  ];
  for (const [id, description, metric] of watched) {
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
