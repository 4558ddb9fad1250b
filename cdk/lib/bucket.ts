// The bucket that prompts live in. In: what of it expires. Out: a bucket that outlives its stack.

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface PromptBucketProps {
  /** A prefix whose objects expire, with a slash at its end; default: none. */
  readonly expiringPrefix?: string;
  /** After how long. */
  readonly expiration?: Duration;
}

/** Versioned, encrypted, private, TLS only, and kept when the stack is deleted. */
export function promptBucket(
  scope: Construct,
  id: string,
  props: PromptBucketProps = {},
): s3.Bucket {
  const rules: s3.LifecycleRule[] = [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }];
  if (props.expiringPrefix && props.expiration) {
    rules.push({
      prefix: props.expiringPrefix,
      expiration: props.expiration,
      noncurrentVersionExpiration: Duration.days(1),
    });
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
  // A bucket that stays without its policy would answer without TLS.
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  return bucket;
}
