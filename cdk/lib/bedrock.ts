// Which models of Amazon Bedrock a function may call. In: IDs, patterns and ARNs. Out: statements
// that name them and their inference profiles.

import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * Where a cross-region inference profile sends its calls, which its ID begins with: us, us-gov, eu,
 * apac, global and others to come. Makers of models have longer names.
 */
const GEOGRAPHY = /^([a-z]{2}(-gov)?|apac|global)$/;

/** An ARN of a profile says nothing of the model that it calls. */
const PROFILE_ARN = /:(application-)?inference-profile\//;

/** Statements that allow `InvokeModel`, which Converse uses too. */
export function bedrockStatements(
  scope: Construct,
  models: readonly string[],
): iam.PolicyStatement[] {
  const { region, account } = Stack.of(scope);
  const profileArns = models.filter((model) => PROFILE_ARN.test(model));
  const arn = (rest: string): string => `arn:${Aws.PARTITION}:bedrock:${rest}`;
  const here: string[] = [];
  const profiles: string[] = [];
  const elsewhere: string[] = [];
  for (const model of models) {
    if (model.startsWith('arn:')) {
      here.push(model);
      continue;
    }
    const [first = '', ...rest] = model.split('.');
    const isProfile = GEOGRAPHY.test(first) && rest.length > 1;
    const foundation = isProfile ? rest.join('.') : model;
    // The model itself, where it is called; a profile's ID is no model's.
    if (!isProfile) here.push(arn(`${region}::foundation-model/${model}`));
    const profile = isProfile ? model : `*.${model}`;
    profiles.push(arn(`${region}:${account}:inference-profile/${profile}`));
    elsewhere.push(arn(`*::foundation-model/${foundation}`));
  }
  const allow = (sid: string, resources: string[], conditions?: Record<string, unknown>) =>
    new iam.PolicyStatement({
      sid,
      actions: ['bedrock:InvokeModel'],
      resources,
      ...(conditions && { conditions }),
    });
  return [
    ...(here.length + profiles.length > 0 ? [allow('CallModels', [...here, ...profiles])] : []),
    // A profile calls its model in other regions, or in none for a global one: allowed through the
    // profile only.
    ...(profiles.length > 0
      ? [
          allow('CallModelsByProfile', elsewhere, {
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
