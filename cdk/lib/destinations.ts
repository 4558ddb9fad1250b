// IAM statements for result destinations: URLs of SQS queues, ARNs of event buses, and `s3://`
// URLs. A destination may end with the wildcard `*`.

import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

/** Returns statements that allow sending results only to these destinations. */
export function destinationStatements(destinations: readonly string[]): iam.PolicyStatement[] {
  const queues: string[] = [];
  const buses: string[] = [];
  const objects: string[] = [];
  for (const destination of destinations) {
    if (destination.startsWith('arn:')) buses.push(destination);
    else if (destination.startsWith('s3://')) {
      objects.push(`arn:${Aws.PARTITION}:s3:::${destination.slice('s3://'.length)}`);
    } else queues.push(queueArn(destination));
  }
  const allow = (sid: string, action: string, resources: string[]): iam.PolicyStatement[] =>
    resources.length > 0 ? [new iam.PolicyStatement({ sid, actions: [action], resources })] : [];
  return [
    ...allow('TellQueues', 'sqs:SendMessage', queues),
    ...allow('TellBuses', 'events:PutEvents', buses),
    ...allow('PutResults', 's3:PutObject', objects),
  ];
}

/** Converts an SQS URL (`https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`) to an ARN. */
function queueArn(url: string): string {
  const [host = '', account = '', name = ''] = url.slice('https://'.length).split('/');
  return `arn:${Aws.PARTITION}:sqs:${host.split('.')[1] ?? ''}:${account}:${name}`;
}
