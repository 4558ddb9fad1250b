// The AWS calls that the commands make directly, to check the account and to store keys. The output
// contains the names of keys but never their values.
// @ts-check

import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { CommandError } from './command.mjs';

/** @typedef {import('../../cdk/lib/env.mjs').Deployment} Deployment */

/**
 * Checks that the profile belongs to the account in .env.
 * @param {Deployment} deployment
 * @throws {CommandError}
 */
export async function checkAccount(deployment) {
  const { account, profile, region } = deployment;
  const sts = new STSClient({ region, profile });
  let identity;
  try {
    identity = await sts.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    throw new CommandError(signInHelp(deployment, /** @type {Error} */ (error)));
  }
  if (identity.Account !== account) {
    throw new CommandError(
      `DEPLOY_ACCOUNT is ${account}, but the profile ${profile} belongs to account ${identity.Account}; ` +
        'change one of them in .env',
    );
  }
}

/**
 * @param {Deployment} deployment
 * @param {Error} error
 */
function signInHelp({ account, profile }, error) {
  if (/Expired/.test(error.name) || /expired/i.test(error.message)) {
    return `the credentials of the profile ${profile} have expired: run aws sso login --profile ${profile}, or configure new keys`;
  }
  if (/InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/.test(error.name)) {
    return `AWS rejected the keys of the profile ${profile}: run aws configure --profile ${profile}`;
  }
  return (
    `Need to perform AWS calls for account ${account}, but no credentials have been configured ` +
    `for the profile ${profile}: run aws configure --profile ${profile} (${error.message})`
  );
}

/**
 * Stores the keys from .env in Parameter Store. Other parameters are not changed.
 * @param {Deployment} deployment
 * @param {string} stack
 */
export async function putSecrets({ secrets, region, profile }, stack) {
  if (secrets.length === 0) {
    console.log('No key is set in .env, so Parameter Store was not changed.');
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
      const redacted = message.split(value).join('[redacted]');
      throw new CommandError(`${name} could not be stored in ${path}: ${kind}: ${redacted}`);
    }
    console.log(`${name} -> ${path}`);
  }
}
