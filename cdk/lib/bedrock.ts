// IAM statements that allow a function to call Amazon Bedrock models and their inference profiles.
// Models are given as IDs, patterns or ARNs.

import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

import { GEOGRAPHY } from './models.ts';

/**
 * An inference profile ARN, which does not contain the ID of the model that the profile calls.
 */
const PROFILE_ARN = /:(application-)?inference-profile\//;

/** A host that serves OpenAI-compatible APIs of Bedrock, with the region in its name. */
const MANTLE_HOST = /^https:\/\/(?:[\w-]+\.)?bedrock-mantle\.([a-z0-9-]+)\./;

/**
 * Returns statements that allow `bedrock:InvokeModel`, the permission that all APIs of the Bedrock
 * runtime require to call a model, and the same permission for streams.
 */
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
    // In `us.anthropic*`, the wildcard includes the dot.
    const hasModel = rest.length > 1 || rest[0]?.includes('*');
    const isProfile = GEOGRAPHY.test(first) && hasModel;
    const foundation = isProfile ? rest.join('.') : model;
    // An inference profile ID is not a model ID, so it does not allow direct calls to a model.
    if (!isProfile) direct.push(arn(`${region}::foundation-model/${model}`));
    const profile = isProfile ? model : `*.${model}`;
    profiles.push(arn(`${region}:${account}:inference-profile/${profile}`));
    throughProfile.push(arn(`*::foundation-model/${foundation}`));
  }
  const allow = (sid: string, resources: string[], conditions?: Record<string, unknown>) =>
    new iam.PolicyStatement({
      sid,
      actions: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
      resources,
      ...(conditions && { conditions }),
    });
  return [
    ...(direct.length + profiles.length > 0 ? [allow('CallModels', [...direct, ...profiles])] : []),
    // A profile calls its model in other regions, and a global profile calls it without a region.
    // Allow these calls only through the profile.
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

/**
 * Returns a statement that allows calls to a `bedrock-mantle` host, if the base URL of
 * `amazon:openai` is one. Its permissions are not limited to models.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonBedrockMantleInferenceAccess.html
 */
export function mantleStatements(
  scope: Construct,
  baseUrl: string | undefined,
): iam.PolicyStatement[] {
  const region = MANTLE_HOST.exec(baseUrl ?? '')?.[1];
  if (region === undefined) return [];
  const { account } = Stack.of(scope);
  return [
    new iam.PolicyStatement({
      sid: 'CallMantle',
      actions: ['bedrock-mantle:CreateInference'],
      resources: [`arn:${Aws.PARTITION}:bedrock-mantle:${region}:${account}:project/*`],
    }),
  ];
}
