// A batch: every line of a JSONL file is a request. In: the function and a bucket. Out: a state
// machine (a Distributed Map of Step Functions) that reads the file from the bucket and writes what
// came of it back.

import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2 } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';

import type { LlmExeFunction } from './function.ts';
import { BATCH_PREFIX } from './settings.ts';

/** How the file is written: a request a line, or one JSON list. */
export type BatchFormat = 'JSONL' | 'JSON';

export interface LlmExeBatchProps {
  readonly function: LlmExeFunction;
  /** Where the file is and results go. Default: the function's prompt bucket. */
  readonly bucket?: s3.IBucket;
  /** Where files are that may be read, without slashes at its ends. Default: `batch`. */
  readonly requestPrefix?: string;
  /** Where results go, without slashes at its ends. Default: `batch/results`. */
  readonly resultPrefix?: string;
  /** Default: `JSONL`. */
  readonly format?: BatchFormat;
  /** Requests side by side. Default: 10. */
  readonly maxConcurrency?: number;
  /** Percent that may fail before the rest is not started. Default: 5. */
  readonly toleratedFailurePercentage?: number;
  /** Default: CloudFormation's choice, which does not begin with the stack's name. */
  readonly stateMachineName?: string;
  /** What bounds the role. Default: nothing. */
  readonly permissionsBoundary?: iam.IManagedPolicy;
}

/** Started with `{"key": "batch/requests.jsonl"}`. */
export class LlmExeBatch extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: LlmExeBatchProps) {
    super(scope, id);
    // Without it, CDK passes over the writer of results, whatever app this is used in.
    this.node.setContext(STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2, true);
    const bucket = props.bucket ?? props.function.promptBucket;
    const results = props.resultPrefix ?? `${BATCH_PREFIX}/results`;
    const file = { bucket, key: sfn.JsonPath.stringAt('$.key') };
    const reader =
      props.format === 'JSON' ? new sfn.S3JsonItemReader(file) : new sfn.S3JsonLItemReader(file);
    const writer = new sfn.ResultWriterV2({ bucket, prefix: results });
    // The CDK's own are for every object of the bucket, prompts too.
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
      comment: 'Every request of the file, each in an execution of its own',
      itemReader: reader,
      maxConcurrency: props.maxConcurrency ?? 10,
      toleratedFailurePercentage: props.toleratedFailurePercentage ?? 5,
      // An express one may run twice, and every run is paid for.
      mapExecutionType: sfn.StateMachineType.STANDARD,
      label: 'Requests',
      resultWriterV2: writer,
    });
    map.itemProcessor(props.function.asTask(this, 'Ask'));
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
      description: 'What a batch of llm-exe may do',
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
