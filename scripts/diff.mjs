// `npm run diff`: what a deployment would change. Further arguments are for `cdk diff`.
// @ts-check

import { TOOLKIT_STACK, cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  return cdk(command, ['diff', '--toolkit-stack-name', TOOLKIT_STACK, ...command.rest]);
});
