// A Step Functions state machine with a Distributed Map. It runs each line of a JSONL file in S3 as
// a request and writes the results to the bucket.

import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2 } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';

import type { LlmExeFunction } from './function.ts';
import { BATCH_PREFIX } from './prefixes.ts';

/**
 * The format of the input file: one request per line (`JSONL`), or an array of requests (`JSON`).
 */
export type BatchFormat = 'JSONL' | 'JSON';

export interface LlmExeBatchProps {
  readonly function: LlmExeFunction;
  /** The bucket for input files and results. Default: the function's prompt bucket. */
  readonly bucket?: s3.IBucket;
  /** The prefix of the input files, without leading or trailing slashes. Default: `batch`. */
  readonly requestPrefix?: string;
  /** The prefix of the results, without leading or trailing slashes. Default: `batch/results`. */
  readonly resultPrefix?: string;
  /** The format of the input file. Default: `JSONL`. */
  readonly format?: BatchFormat;
  /** The maximum number of requests that run concurrently. Default: 10. */
  readonly maxConcurrency?: number;
  /** The maximum percentage of failed requests. If it is exceeded, the batch stops. Default: 5. */
  readonly toleratedFailurePercentage?: number;
  /**
   * The name of the state machine. Default: a generated name that does not begin with the stack
   * name.
   */
  readonly stateMachineName?: string;
  /** The permissions boundary of the state machine's role. Default: none. */
  readonly permissionsBoundary?: iam.IManagedPolicy;
}

/** Runs the requests in a file. The input of an execution is `{"key": "batch/requests.jsonl"}`. */
export class LlmExeBatch extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: LlmExeBatchProps) {
    super(scope, id);
    // Without this flag, which the user's app may not set, the CDK ignores `resultWriterV2`.
    this.node.setContext(STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2, true);
    const bucket = props.bucket ?? props.function.promptBucket;
    const results = props.resultPrefix ?? `${BATCH_PREFIX}/results`;
    const source = { bucket, key: sfn.JsonPath.stringAt('$.key') };
    const reader =
      props.format === 'JSON'
        ? new sfn.S3JsonItemReader(source)
        : new sfn.S3JsonLItemReader(source);
    const writer = new sfn.ResultWriterV2({ bucket, prefix: results });
    // By default, the CDK would grant access to the whole bucket, including the prompts.
    reader.providePolicyStatements = () => [
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects(`${props.requestPrefix ?? BATCH_PREFIX}/*`)],
      }),
    ];
    writer.providePolicyStatements = () => [
      new iam.PolicyStatement({
        actions: [
          's3:AbortMultipartUpload',
          's3:GetObject',
          's3:ListMultipartUploadParts',
          's3:PutObject',
        ],
        resources: [bucket.arnForObjects(`${results}/*`)],
      }),
    ];
    const map = new sfn.DistributedMap(this, 'Requests', {
      comment: 'Runs each request of the file in its own execution',
      itemReader: reader,
      maxConcurrency: props.maxConcurrency ?? 10,
      toleratedFailurePercentage: props.toleratedFailurePercentage ?? 5,
      // An Express execution may run more than once, and each run would pay for another provider
      // call.
      mapExecutionType: sfn.StateMachineType.STANDARD,
      label: 'Requests',
      resultWriterV2: writer,
    });
    map.itemProcessor(props.function.asTask(this, 'Ask'));
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
      description: 'Permissions of llm-exe batches',
      ...(props.permissionsBoundary && { permissionsBoundary: props.permissionsBoundary }),
    });
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      definitionBody: sfn.DefinitionBody.fromChainable(map),
      comment: 'Runs a file of llm-exe requests',
      role,
      timeout: Duration.days(14),
      tracingEnabled: true,
      ...(props.stateMachineName && { stateMachineName: props.stateMachineName }),
    });
  }
}
