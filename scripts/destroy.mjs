// `npm run destroy`: removes the stack; its bucket and the keys in Parameter Store stay. Further
// arguments are for `cdk destroy`.
// @ts-check

import { cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  const status = cdk(command, ['destroy', '--all', ...command.rest]);
  if (status === 0) console.log('Kept: the prompt bucket and the keys; see docs/deploy.md.');
  return status;
});
