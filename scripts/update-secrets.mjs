// `npm run update-secrets`: puts the keys that .env sets into Parameter Store, where the function
// reads them. It takes `--dotenv` and `-c stackName=…` as the others do, and nothing else.
// @ts-check

import { configOf, onlyContext, run } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount, putSecrets } = await import('./lib/aws.mjs');
  onlyContext(command.rest);
  const { stackName } = await configOf(command.rest);
  await checkAccount(command.deployment);
  await putSecrets(command.deployment, stackName);
  return 0;
});
