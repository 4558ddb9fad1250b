// `npm run update-secrets`: stores the keys of .env and the environment in Parameter Store, where the
// function reads them. The only arguments are `--dotenv FILE`, `-c name=value` and `--dry-run`.
// @ts-check

import { configOf, rejectOtherArguments, run, targetOf } from './lib/command.mjs';

const DRY_RUN = '--dry-run';

const help = `npm run update-secrets -- [options]

Stores the keys that .env and the environment set in Parameter Store. Other keys are not changed.
Prints the names of the keys, never their values.

  ${DRY_RUN}        print the names only; AWS is not called`;

/** @param {string[]} rest */
const isDryRun = (rest) => rest.includes(DRY_RUN);

await run({ help, isPartial: isDryRun }, async (command) => {
  const { checkAccount, printSecrets, putSecrets } = await import('./lib/aws.mjs');
  const rest = command.rest.filter((argument) => argument !== DRY_RUN);
  rejectOtherArguments(rest, `, ${DRY_RUN}`);
  const { stackName } = await configOf(rest);
  if (isDryRun(command.rest)) {
    printSecrets(command.deployment.secrets, stackName);
    return 0;
  }
  const target = targetOf(command);
  await checkAccount(target);
  await putSecrets(target, stackName);
  return 0;
});
