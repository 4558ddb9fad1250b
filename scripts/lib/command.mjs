// What the commands of package.json share. In: their arguments, .env and cdk.json. Out: the CDK's
// own command line, run where .env says; or one message, and no stack trace.
// @ts-check

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the CDK keeps in the account for this app, beside a company's own `CDKToolkit`. */
export const QUALIFIER = 'llmexe';
export const TOOLKIT_STACK = 'LlmExeLambdaToolkit';

const LEAST_NODE = 20;

/** Something that the user can mend. */
export class CommandError extends Error {}

/**
 * @typedef {object} Command
 * @property {import('../../cdk/lib/env.mjs').Deployment} deployment what .env says
 * @property {string} envFile
 * @property {string[]} rest arguments for the CDK
 */

/**
 * Runs a command: checks first, its deed after.
 * @param {(command: Command) => number | Promise<number>} deed gives the exit code
 */
export async function run(deed) {
  try {
    process.exitCode = await deed(await checked(process.argv.slice(2)));
  } catch (error) {
    const known = error instanceof Error && ['CommandError', 'EnvError'].includes(nameOf(error));
    if (!known) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** @param {Error} error */
function nameOf(error) {
  return error.constructor.name;
}

/**
 * @param {string[]} given
 * @returns {Promise<Command>}
 */
async function checked(given) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < LEAST_NODE) {
    throw new CommandError(`Node ${process.versions.node} is too old: ${LEAST_NODE} or newer`);
  }
  const rest = [...given];
  // Not --env-file: Node takes that for itself, wherever it stands, and puts the keys into the
  // environment.
  const at = rest.indexOf('--dotenv');
  const [, file] = at < 0 ? [] : rest.splice(at, 2);
  if (at >= 0 && !file) throw new CommandError('--dotenv: expected a file after it');
  const envFile = resolve(file ? process.cwd() : ROOT, file ?? '.env');
  const { compatibleRows, readEnvFile } = await import('../../cdk/lib/env.mjs').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandError('the packages of package.json are not installed: run `npm ci` first');
  });
  const more = compatibleRows(jsonOf(contextOf(rest, 'openAiCompatibleProviders', '{}')));
  return { deployment: readEnvFile(envFile, more), envFile, rest };
}

/**
 * A key of the context: of `-c`, else of cdk.json, else as shipped.
 * @param {string[]} rest
 * @param {string} name
 * @param {string} shipped
 */
export function contextOf(rest, name, shipped) {
  const said = rest.flatMap((argument, index) => {
    if (argument === '-c' || argument === '--context') return [rest[index + 1] ?? ''];
    const joined = /^(?:-c|--context=)(.+)$/.exec(argument);
    return joined?.[1] ? [joined[1]] : [];
  });
  const last = said.filter((text) => text.startsWith(`${name}=`)).at(-1);
  if (last !== undefined) return last.slice(name.length + 1);
  const { context } = JSON.parse(readFileSync(resolve(ROOT, 'cdk.json'), 'utf8'));
  const value = context?.[name] ?? shipped;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @param {string} text */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    // The app says what is wrong with it.
    return undefined;
  }
}

/** @param {string[]} rest */
export function stackName(rest) {
  return contextOf(rest, 'stackName', 'LlmExeLambda');
}

/**
 * Runs the CDK's command line with the profile of .env.
 * @param {Command} command
 * @param {string[]} args
 * @returns {number} its exit code
 */
export function cdk({ deployment, envFile }, args) {
  const program = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
  // No shell: nothing in .env or in an argument is read as a command.
  const result = spawnSync(process.execPath, [program, ...args, '--profile', deployment.profile], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      LLM_EXE_ENV_FILE: envFile,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      AWS_REGION: deployment.region,
    },
  });
  if (result.error) throw new CommandError(`the CDK can't be run: ${result.error.message}`);
  return result.status ?? 1;
}
