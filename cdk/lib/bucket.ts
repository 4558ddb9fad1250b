// The S3 bucket for prompts and results. It is retained when the stack is deleted.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface PromptBucketProps {
  /**
   * The prefix of results, with a trailing slash. The progress of runs below it expires after 14
   * days. Default: none.
   */
  readonly resultPrefix?: string;
  /** When everything under `resultPrefix` expires. Default: never. */
  readonly expiration?: Duration;
}

/**
 * How long the progress of a run is kept. SQS keeps a message for at most 14 days, and an older
 * message is not delivered again.
 */
const PROGRESS_EXPIRATION = Duration.days(14);

/** Creates a bucket that is versioned, encrypted, private, TLS-only, and retained on deletion. */
export function promptBucket(
  scope: Construct,
  id: string,
  props: PromptBucketProps = {},
): s3.Bucket {
  const rules: s3.LifecycleRule[] = [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }];
  const expire = (prefix: string, expiration: Duration): void => {
    rules.push({ prefix, expiration, noncurrentVersionExpiration: Duration.days(1) });
  };
  if (props.resultPrefix) {
    expire(`${props.resultPrefix}progress/`, PROGRESS_EXPIRATION);
    if (props.expiration) expire(props.resultPrefix, props.expiration);
  }
  const bucket = new s3.Bucket(scope, id, {
    versioned: true,
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    lifecycleRules: rules,
  });
  // Without its bucket policy, the retained bucket would accept requests without TLS.
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  return bucket;
}
