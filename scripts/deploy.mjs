// `npm run deploy`: builds the function, unless the context names a zip, and deploys the stack.
// Further arguments are for `cdk deploy`.
// @ts-check

import { TOOLKIT_STACK, cdk, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  const args = ['deploy', '--all', '--toolkit-stack-name', TOOLKIT_STACK];
  return cdk(command, [...args, ...command.rest]);
});
