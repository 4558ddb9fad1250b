// Where the function sends its traces: the settings and the permissions for `traceDestination`.

import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';

import { XRAY } from './settings.ts';

/** Returns the settings with which the function sends traces to a destination. */
export function traceSettings(destination: string, region: string): Record<string, string> {
  // The URL of the traces is used as it is. To the URL of a collector, OpenTelemetry appends
  // /v1/traces: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
  // X-Ray's URL: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
  return destination === XRAY
    ? { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `https://xray.${region}.${Aws.URL_SUFFIX}/v1/traces` }
    : { OTEL_EXPORTER_OTLP_ENDPOINT: destination };
}

/**
 * Returns the permissions to send traces to a destination. Only X-Ray needs any, and has no resources
 * to which they could be limited. `xray:PutTraceSegments` is a permission of every Lambda function
 * with active tracing.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
 */
export function traceStatements(destination: string | undefined): iam.PolicyStatement[] {
  if (destination !== XRAY) return [];
  const actions = ['xray:PutSpans', 'xray:PutSpansForIndexing'];
  return [new iam.PolicyStatement({ sid: 'SendSpans', actions, resources: ['*'] })];
}
