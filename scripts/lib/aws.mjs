// What the commands ask of AWS themselves: who they are, and to keep keys. In: what .env says. Out:
// names, never a key's value.
// @ts-check

import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { CommandError } from './command.mjs';

/** @typedef {import('../../cdk/lib/env.mjs').Deployment} Deployment */

/**
 * Fails unless the profile is one of the account that .env names.
 * @param {Deployment} deployment
 */
export async function checkAccount(deployment) {
  const { account, profile, region } = deployment;
  const sts = new STSClient({ region, profile });
  let found;
  try {
    found = await sts.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    throw new CommandError(signInHelp(deployment, /** @type {Error} */ (error)));
  }
  if (found.Account !== account) {
    throw new CommandError(
      `DEPLOY_ACCOUNT is ${account}, but the profile ${profile} is of account ${found.Account}`,
    );
  }
}

/**
 * @param {Deployment} deployment
 * @param {Error} error
 */
function signInHelp({ account, profile }, error) {
  if (/Expired/.test(error.name) || /expired/i.test(error.message)) {
    return `the credentials of the profile ${profile} have expired: sign in again (aws sso login --profile ${profile}, or new keys)`;
  }
  if (/InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/.test(error.name)) {
    return `AWS does not know the keys of the profile ${profile}: run aws configure --profile ${profile}`;
  }
  return (
    `Need to perform AWS calls for account ${account}, but no credentials have been configured ` +
    `for the profile ${profile}: run aws configure --profile ${profile} (${error.message})`
  );
}

/**
 * Puts the keys that .env sets into Parameter Store; leaves the others alone.
 * @param {Deployment} deployment
 * @param {string} stack
 */
export async function putSecrets({ secrets, region, profile }, stack) {
  if (secrets.length === 0) {
    console.log('No key is set in .env: nothing is changed in Parameter Store.');
    return;
  }
  const ssm = new SSMClient({ region, profile });
  for (const { name, parameter, value } of secrets) {
    const path = `/${stack}/Secret/${parameter}`;
    try {
      await ssm.send(
        new PutParameterCommand({
          Name: path,
          Value: value,
          Type: 'SecureString',
          Overwrite: true,
        }),
      );
    } catch (error) {
      const { name: kind, message } = /** @type {Error} */ (error);
      const told = message.split(value).join('[redacted]');
      throw new CommandError(`${name} could not be put into ${path}: ${kind}: ${told}`);
    }
    console.log(`${name} -> ${path}`);
  }
}
