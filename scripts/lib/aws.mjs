// The AWS calls that the commands make directly, to check the account and to store keys. The output
// contains the names of keys but never their values.
// @ts-check

import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { CommandError } from './command.mjs';

/** @typedef {import('./command.mjs').Target} Target */

/**
 * Checks that the credentials belong to the account to deploy to.
 * @param {Target} target
 * @throws {CommandError}
 */
export async function checkAccount(target) {
  const { account, profile, region } = target;
  const sts = new STSClient({ region, ...(profile && { profile }) });
  let identity;
  try {
    identity = await sts.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    throw new CommandError(signInHelp(target, /** @type {Error} */ (error)));
  }
  if (identity.Account !== account) {
    const owner = profile ? `the profile ${profile} belongs` : 'the credentials belong';
    throw new CommandError(
      `DEPLOY_ACCOUNT is ${account}, but ${owner} to account ${identity.Account}; change one of them`,
    );
  }
}

/**
 * @param {Target} target
 * @param {Error} error
 */
function signInHelp({ account, profile }, error) {
  const isExpired = /Expired/.test(error.name) || /expired/i.test(error.message);
  const isRejected = /InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/.test(
    error.name,
  );
  if (!profile) {
    if (isExpired) return `the AWS credentials have expired: sign in again (${error.message})`;
    if (isRejected) return `AWS rejected the credentials: sign in again (${error.message})`;
    return (
      `Need to perform AWS calls for account ${account}, but no credentials were found: set ` +
      'DEPLOY_PROFILE to an AWS CLI profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ' +
      `(${error.message})`
    );
  }
  if (isExpired) {
    return `the credentials of the profile ${profile} have expired: run aws sso login --profile ${profile}, or configure new keys`;
  }
  if (isRejected) {
    return `AWS rejected the keys of the profile ${profile}: run aws configure --profile ${profile}`;
  }
  const orEnvironment = process.env['AWS_ACCESS_KEY_ID']
    ? '; to use the credentials in the environment, unset DEPLOY_PROFILE'
    : '';
  return (
    `Need to perform AWS calls for account ${account}, but no credentials have been configured ` +
    `for the profile ${profile}: run aws configure --profile ${profile}${orEnvironment} ` +
    `(${error.message})`
  );
}

/**
 * Stores the keys in Parameter Store. Other parameters are not changed.
 * @param {Target} target
 * @param {string} stack
 */
export async function putSecrets({ secrets, region, profile }, stack) {
  if (secrets.length === 0) {
    console.log('No key is set in .env or the environment, so Parameter Store was not changed.');
    return;
  }
  const ssm = new SSMClient({ region, ...(profile && { profile }) });
  for (const secret of secrets) {
    const { name, value } = secret;
    const path = parameterOf(secret, stack);
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
    console.log(lineOf(secret, stack));
  }
}

/**
 * Prints which keys `putSecrets` would store, without calling AWS.
 * @param {readonly Secret[]} secrets
 * @param {string} stack
 */
export function printSecrets(secrets, stack) {
  for (const secret of secrets) console.log(lineOf(secret, stack));
  const keys = secrets.length === 1 ? '1 key' : `${secrets.length || 'no'} keys`;
  console.log(`Without --dry-run, ${keys} would be stored in Parameter Store.`);
}

/** @typedef {import('../../cdk/lib/env.ts').Secret} Secret */

/**
 * @param {Secret} secret
 * @param {string} stack
 */
function parameterOf({ parameter }, stack) {
  return `/${stack}/Secret/${parameter}`;
}

/**
 * @param {Secret} secret
 * @param {string} stack
 */
function lineOf(secret, stack) {
  const source = secret.isFromEnvironment ? ' (from the environment)' : '';
  return `${secret.name} -> ${parameterOf(secret, stack)}${source}`;
}
