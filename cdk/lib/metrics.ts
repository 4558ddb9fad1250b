// The metrics that the function writes to its log, as docs/lambda.md describes.

import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';

export const NAMESPACE = 'LlmExe';

/** Returns the number of failed requests of a function. */
export function failedRequestsMetric(fn: IFunction, period: Duration): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName: 'errors',
    dimensionsMap: { functionName: fn.functionName },
    statistic: 'Sum',
    period,
  });
}
