// `npm run destroy`: deletes the stack, but retains the prompt bucket and the keys in Parameter
// Store. Other arguments are passed to `cdk destroy`.
// @ts-check

import { cdk, run, targetOf } from './lib/command.mjs';

const help = `npm run destroy -- [options]

Deletes the stack. The prompt bucket and the keys in Parameter Store are not deleted. Other arguments
are passed to \`cdk destroy\`, for example --force.`;

await run({ help }, async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(targetOf(command));
  const status = cdk(command, ['destroy', '--all', ...command.rest]);
  if (status === 0)
    console.log('The prompt bucket and the keys were not deleted; see docs/deploy.md.');
  return status;
});
