// `npm run update-secrets`: puts the keys that .env sets into Parameter Store, where the function
// reads them. It takes `-c stackName=…` as the others do.
// @ts-check

import { run, stackName } from './lib/command.mjs';

await run(async (command) => {
  const { checkAccount, putSecrets } = await import('./lib/aws.mjs');
  await checkAccount(command.deployment);
  await putSecrets(command.deployment, stackName(command.rest));
  return 0;
});
