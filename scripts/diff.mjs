// `npm run diff`: what a deployment would change. Further arguments are for `cdk diff`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  return cdk(command, ['diff', ...command.rest]);
});
