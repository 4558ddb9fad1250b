// What the commands of package.json share. In: their arguments, .env and cdk.json. Out: the CDK's
// own command line, run where .env says; or one message, and no stack trace.
// @ts-check

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
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
    const known = error instanceof Error && KNOWN.includes(nameOf(error));
    if (!known) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** Errors whose message is all that the user needs. */
const KNOWN = ['CommandError', 'ConfigError', 'EnvError'];

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
  const { file, rest } = dotenvOf(given);
  const envFile = resolve(file ? process.cwd() : ROOT, file ?? '.env');
  const { compatibleRows, readEnvFile } = await import('../../cdk/lib/env.mjs').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandError('the packages of package.json are not installed: run `npm ci` first');
  });
  const more = compatibleRows(jsonOf(contextOf(rest)['openAiCompatibleProviders']));
  return { deployment: readEnvFile(envFile, more), envFile, rest };
}

/**
 * Takes `--dotenv FILE` and `--dotenv=FILE` out of the arguments. Not --env-file: Node takes that for
 * itself, wherever it stands, and puts the keys into the environment.
 * @param {string[]} given
 */
function dotenvOf(given) {
  const rest = [...given];
  /** @type {string[]} */
  const files = [];
  for (let at = 0; at < rest.length;) {
    const [, joined] = /^--dotenv(?:=(.*))?$/s.exec(rest[at] ?? '') ?? ['', null];
    // The CDK takes any flag, so that one that is almost this would be the other account's.
    if (joined === null) {
      if (/^-+dot-?env/i.test(rest[at] ?? '')) {
        throw new CommandError(`${rest[at]} is not known; did you mean --dotenv FILE?`);
      }
      at += 1;
      continue;
    }
    const file = joined ?? rest[at + 1] ?? '';
    if (!file || (joined === undefined && file.startsWith('-'))) {
      throw new CommandError('--dotenv: expected a file after it');
    }
    rest.splice(at, joined === undefined ? 2 : 1);
    files.push(file);
  }
  if (files.length > 1) {
    throw new CommandError(`--dotenv: expected one file, got ${files.join(' and ')}`);
  }
  return { file: files[0], rest };
}

/**
 * What the arguments say of the context, in each form that the CDK takes, and which they are.
 * @param {string[]} rest
 */
function contextArguments(rest) {
  /** @type {Record<string, string>} */
  const context = {};
  /** @type {string[]} */
  const others = [];
  for (let at = 0; at < rest.length; at += 1) {
    const argument = rest[at] ?? '';
    if (/^--?stack-?name(=|$)/i.test(argument)) {
      throw new CommandError(
        `${argument} is not known; the stack's name is said by -c stackName=…`,
      );
    }
    const [, joined] = /^(?:--context|--c|-[A-Za-z]*c)(?:=(.*))?$/s.exec(argument) ?? ['', null];
    if (joined === null) {
      // The CDK passes over it without a word.
      if (/^-c/.test(argument)) {
        throw new CommandError(`${argument}: expected -c name=value, with a space after -c`);
      }
      others.push(argument);
      continue;
    }
    if (joined === undefined) at += 1;
    const text = joined ?? rest[at] ?? '';
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new CommandError(`${argument}: expected name=value, got ${JSON.stringify(text)}`);
    }
    context[name] = value;
  }
  return { context, others };
}

/**
 * The context as the CDK reads it: ~/.cdk.json, cdk.context.json, cdk.json, `-c`; the last holds.
 * @param {string[]} rest
 * @returns {Record<string, unknown>}
 */
export function contextOf(rest) {
  return {
    ...fileOf(resolve(homedir(), '.cdk.json')).context,
    ...fileOf(resolve(ROOT, 'cdk.context.json')),
    ...fileOf(resolve(ROOT, 'cdk.json')).context,
    ...contextArguments(rest).context,
  };
}

/**
 * @param {string} path
 * @returns {Record<string, any>}
 */
function fileOf(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

/**
 * The context by the reader of the app, so that both act on the same stack.
 * @param {string[]} rest
 * @returns {Promise<import('../../cdk/lib/config.ts').Config>}
 */
export async function configOf(rest) {
  const { tsImport } = await import('tsx/esm/api');
  const { readConfig } = await tsImport('../../cdk/lib/config.ts', import.meta.url);
  return readConfig(contextOf(rest));
}

/**
 * Refuses what is no context, where no CDK runs that would take it.
 * @param {string[]} rest
 */
export function onlyContext(rest) {
  const [other] = contextArguments(rest).others;
  if (other !== undefined) {
    throw new CommandError(`${other} is not known; allowed are --dotenv FILE and -c name=value`);
  }
}

/** @param {unknown} given */
function jsonOf(given) {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch {
    // The app says what is wrong with it.
    return undefined;
  }
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
