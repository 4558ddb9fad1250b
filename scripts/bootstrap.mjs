// `npm run bootstrap`: prepares the AWS account and region for the CDK, then stores the keys of
// .env and the environment in Parameter Store. Other arguments are passed to `cdk bootstrap`.
// @ts-check

import {
  CommandError,
  QUALIFIER,
  TOOLKIT_STACK,
  cdk,
  configOf,
  run,
  targetOf,
} from './lib/command.mjs';

const POLICIES_OPTION = '--cloudformation-execution-policies';
const BOUNDARY_OPTIONS = /^--(custom-permissions-boundary|cpb|example-permissions-boundary|epb)\b/;

const help = `npm run bootstrap -- [options]

Prepares the AWS account and region for the CDK, once, and stores the keys that .env and the
environment set in Parameter Store. Other arguments are passed to \`cdk bootstrap\`.`;

await run({ help }, async (command) => {
  const target = targetOf(command);
  const { account, region } = target;
  const { checkAccount, putSecrets } = await import('./lib/aws.mjs');
  const { permissionsBoundary: policy, stackName } = await configOf(command.rest);
  const hasPolicies = command.rest.some((argument) => argument.startsWith(POLICIES_OPTION));
  if (policy === 'none' && !hasPolicies) {
    throw new CommandError(
      `permissionsBoundary is none, so ${POLICIES_OPTION} is required: it sets the policy that ` +
        'limits CloudFormation. For example: ' +
        `npm run bootstrap -- ${POLICIES_OPTION} arn:aws:iam::${account}:policy/YOUR_POLICY`,
    );
  }
  // All roles of the toolkit stack get the boundary, so that a user who can change these roles
  // cannot exceed the boundary.
  const hasBoundary = command.rest.some((argument) => BOUNDARY_OPTIONS.test(argument));
  const boundary =
    policy === 'none' || hasBoundary
      ? []
      : ['--custom-permissions-boundary', policy, '--apply-permissions-boundary-to-all-roles'];
  await checkAccount(target);
  const partition = region.startsWith('cn-')
    ? 'aws-cn'
    : region.startsWith('us-gov-')
      ? 'aws-us-gov'
      : 'aws';
  const status = cdk(command, [
    'bootstrap',
    `aws://${account}/${region}`,
    ...['--qualifier', QUALIFIER],
    ...['--toolkit-stack-name', TOOLKIT_STACK],
    ...boundary,
    ...(hasPolicies ? [] : [POLICIES_OPTION, `arn:${partition}:iam::${account}:policy/${policy}`]),
    ...command.rest,
  ]);
  if (status === 0) await putSecrets(target, stackName);
  return status;
});
