// `npm run diff`: prints what a deployment would change. Other arguments are passed to `cdk diff`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  return cdk(command, ['diff', ...command.rest]);
});
