// `npm run diff`: prints what a deployment would change. Other arguments are passed to `cdk diff`.
// @ts-check

import { cdk, run, targetOf } from './lib/command.mjs';

const help = `npm run diff -- [options]

Prints what a deployment would change. Other arguments are passed to \`cdk diff\`.`;

await run({ help }, async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  await checkAccount(targetOf(command));
  return cdk(command, ['diff', ...command.rest]);
});
