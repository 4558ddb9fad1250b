// `npm run destroy`: deletes the stack, but retains the prompt bucket and the keys in Parameter
// Store. Other arguments are passed to `cdk destroy`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  const status = cdk(command, ['destroy', '--all', ...command.rest]);
  if (status === 0)
    console.log('The prompt bucket and the keys were not deleted; see docs/deploy.md.');
  return status;
});
