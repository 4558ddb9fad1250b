// IAM statements that allow a function to call Amazon Bedrock models, given as IDs, patterns or
// ARNs, and their inference profiles.

import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * The geography at the start of the ID of a cross-region inference profile: us, us-gov, eu, apac,
 * global and future ones. The names of model providers are longer, so they do not match.
 */
const GEOGRAPHY = /^([a-z]{2}(-gov)?|apac|global)$/;

/** The ARN of an inference profile, which does not contain the model that it calls. */
const PROFILE_ARN = /:(application-)?inference-profile\//;

/** Returns statements that allow `bedrock:InvokeModel`, which Converse needs too. */
export function bedrockStatements(
  scope: Construct,
  models: readonly string[],
): iam.PolicyStatement[] {
  const { region, account } = Stack.of(scope);
  const profileArns = models.filter((model) => PROFILE_ARN.test(model));
  const arn = (rest: string): string => `arn:${Aws.PARTITION}:bedrock:${rest}`;
  const direct: string[] = [];
  const profiles: string[] = [];
  const throughProfile: string[] = [];
  for (const model of models) {
    if (model.startsWith('arn:')) {
      direct.push(model);
      continue;
    }
    const [first = '', ...rest] = model.split('.');
    const isProfile = GEOGRAPHY.test(first) && rest.length > 1;
    const foundation = isProfile ? rest.join('.') : model;
    // The ID of a profile is not the ID of a model, so it grants no direct call.
    if (!isProfile) direct.push(arn(`${region}::foundation-model/${model}`));
    const profile = isProfile ? model : `*.${model}`;
    profiles.push(arn(`${region}:${account}:inference-profile/${profile}`));
    throughProfile.push(arn(`*::foundation-model/${foundation}`));
  }
  const allow = (sid: string, resources: string[], conditions?: Record<string, unknown>) =>
    new iam.PolicyStatement({
      sid,
      actions: ['bedrock:InvokeModel'],
      resources,
      ...(conditions && { conditions }),
    });
  return [
    ...(direct.length + profiles.length > 0 ? [allow('CallModels', [...direct, ...profiles])] : []),
    // A profile calls its model in other regions (a global profile without a region). These calls
    // are allowed only through the profile.
    ...(profiles.length > 0
      ? [
          allow('CallModelsByProfile', throughProfile, {
            StringLike: { 'bedrock:InferenceProfileArn': profiles },
          }),
        ]
      : []),
    ...(profileArns.length > 0
      ? [
          allow('CallModelsByProfileArn', [arn('*::foundation-model/*')], {
            StringLike: { 'bedrock:InferenceProfileArn': profileArns },
          }),
        ]
      : []),
  ];
}
