// `npm run bootstrap`: prepares the account for the CDK, then puts the keys of .env into Parameter
// Store. Further arguments are for `cdk bootstrap`.
// @ts-check

import { CommandError, QUALIFIER, TOOLKIT_STACK, cdk, configOf, run } from './lib/command.mjs';

const POLICIES = '--cloudformation-execution-policies';
const BOUNDARIES = /^--(custom-permissions-boundary|cpb|example-permissions-boundary|epb)\b/;

await run(async (command) => {
  const { account, region } = command.deployment;
  const { checkAccount, putSecrets } = await import('./lib/aws.mjs');
  // It needs Node and its packages alone; the AWS CLI is for the steps that a user does by hand.
  const { permissionsBoundary: policy, stackName } = await configOf(command.rest);
  const isGiven = command.rest.some((argument) => argument.startsWith(POLICIES));
  if (policy === 'none' && !isGiven) {
    throw new CommandError(
      'the context says permissionsBoundary: none; say what CloudFormation may do, like ' +
        `npm run bootstrap -- ${POLICIES} arn:aws:iam::${account}:policy/YOUR_POLICY`,
    );
  }
  // Every role of the toolkit is bounded: whoever may change them may do what the policy says at most.
  const isBounded = policy === 'none' || command.rest.some((argument) => BOUNDARIES.test(argument));
  const boundary = isBounded
    ? []
    : ['--custom-permissions-boundary', policy, '--apply-permissions-boundary-to-all-roles'];
  await checkAccount(command.deployment);
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
    ...(isGiven ? [] : [POLICIES, `arn:${partition}:iam::${account}:policy/${policy}`]),
    ...command.rest,
  ]);
  if (status === 0) await putSecrets(command.deployment, stackName);
  return status;
});
