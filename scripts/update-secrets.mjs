// `npm run update-secrets`: stores the keys of .env in Parameter Store, where the function reads
// them. The only arguments are `--dotenv FILE` and `-c name=value`.
// @ts-check

import { configOf, rejectOtherArguments, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount, putSecrets } = await import('./lib/aws.mjs');
  rejectOtherArguments(command.rest);
  const { stackName } = await configOf(command.rest);
  await checkAccount(command.deployment);
  await putSecrets(command.deployment, stackName);
  return 0;
});
