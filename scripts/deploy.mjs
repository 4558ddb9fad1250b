// `npm run deploy`: deploys the stack. It first builds the function, unless codePath is set. Other
// arguments are passed to `cdk deploy`.
// @ts-check

import { CommandError, TOOLKIT_STACK, cdk, configOf, run } from './lib/command.mjs';
import { missingTool } from '../cdk/lib/tools.mjs';

await run(async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  const { codePath } = await configOf(command.rest);
  const missing = codePath === undefined ? missingTool() : undefined;
  if (missing) throw new CommandError(missing);
  await checkAccount(command.deployment);
  const args = ['deploy', '--all', '--toolkit-stack-name', TOOLKIT_STACK];
  return cdk(command, [...args, ...command.rest]);
});
