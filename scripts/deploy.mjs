// `npm run deploy`: deploys the stack. It first builds the function, unless codePath is set. Other
// arguments are passed to `cdk deploy`.
// @ts-check

import {
  CommandError,
  TOOLKIT_STACK,
  cdk,
  configOf,
  missingTool,
  run,
  targetOf,
} from './lib/command.mjs';

const help = `npm run deploy -- [options]

Builds the function, unless codePath is set, and deploys the stack. Other arguments are passed to
\`cdk deploy\`, for example --require-approval never for CI.`;

await run({ help }, async (command) => {
  const { checkAccount } = await import('./lib/aws.mjs');
  const { codePath } = await configOf(command.rest);
  const missing = codePath === undefined ? await missingTool() : undefined;
  if (missing) throw new CommandError(missing);
  await checkAccount(targetOf(command));
  const args = ['deploy', '--all', '--toolkit-stack-name', TOOLKIT_STACK];
  return cdk(command, [...args, ...command.rest]);
});
