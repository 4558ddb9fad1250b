// Shared code of the commands in package.json. It parses arguments, .env and cdk.json, and runs the
// CDK's command line. Errors that the user can fix are printed without a stack trace.
// @ts-check

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * The qualifier and the stack of the bootstrap resources, which are separate from the account's own
 * `CDKToolkit` stack.
 */
export const QUALIFIER = 'llmexe';
export const TOOLKIT_STACK = 'LlmExeLambdaToolkit';

const MIN_NODE_VERSION = 20;

/** An error that the user can fix. */
export class CommandError extends Error {}

/**
 * @typedef {object} Command
 * @property {import('../../cdk/lib/env.ts').Deployment} deployment the variables and keys
 * @property {string} envFile
 * @property {string[]} rest the arguments for the CDK
 */

/**
 * @typedef {object} Details
 * @property {string} help the text for `--help`
 * @property {(rest: string[]) => boolean} [isPartial] whether variables that a deployment needs may
 * be missing. Default: they are required.
 */

/**
 * A command whose account and region are set.
 * @typedef {import('../../cdk/lib/env.ts').Deployment & { account: string, region: string }} Target
 */

/**
 * Parses the arguments and .env, then runs a command.
 * @param {Details} details
 * @param {(command: Command) => number | Promise<number>} action returns the exit code
 */
export async function run(details, action) {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(`${details.help}\n\n${COMMON_HELP}`);
    return;
  }
  try {
    process.exitCode = await action(await parseCommand(args, details));
  } catch (error) {
    const isUserError = error instanceof Error && USER_ERRORS.includes(error.constructor.name);
    if (!isUserError) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

const COMMON_HELP = `Options:
  --dotenv FILE    read FILE instead of .env; environment variables take precedence over both
  -c NAME=VALUE    set an option of the stack; docs/deploy.md lists them
  --help           print this text`;

/**
 * The classes of errors that the user can fix. They are compared by name because they are loaded
 * lazily.
 */
const USER_ERRORS = ['CommandError', 'ConfigError', 'EnvError'];

/**
 * @param {string[]} args
 * @param {Details} details
 * @returns {Promise<Command>}
 */
async function parseCommand(args, { isPartial = () => false }) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < MIN_NODE_VERSION) {
    throw new CommandError(
      `Node ${MIN_NODE_VERSION} or newer is required, got ${process.versions.node}`,
    );
  }
  const { file, rest } = takeDotenv(args);
  const envFile = resolve(file ? process.cwd() : ROOT, file ?? '.env');
  const env = await loadEnv();
  const options = {
    additionalRows: env.compatibleRows(parseJson(contextOf(rest)['openAiCompatibleProviders'])),
    variables: process.env,
    isPartial: isPartial(rest),
  };
  // A file that the user names must exist.
  const read = file ? env.readEnvFile : env.readOptionalEnvFile;
  const deployment = read(envFile, options);
  const warning = env.warnOfPermissions(envFile);
  if (warning) console.error(`warning: ${warning}`);
  return { deployment, envFile, rest };
}

/**
 * Loads a TypeScript module of the CDK app.
 * @param {string} path the path relative to this file
 */
async function load(path) {
  try {
    const { tsImport } = await import('tsx/esm/api');
    return await tsImport(path, import.meta.url);
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CommandError('the packages of package.json are not installed: run `npm ci` first');
  }
}

/** @returns {Promise<typeof import('../../cdk/lib/env.ts')>} */
const loadEnv = () => load('../../cdk/lib/env.ts');

/**
 * Returns an error message if a tool for building the function is missing.
 * @returns {Promise<string | undefined>}
 */
export async function missingTool() {
  /** @type {typeof import('../../cdk/lib/tools.ts')} */
  const tools = await load('../../cdk/lib/tools.ts');
  return tools.missingTool();
}

/**
 * Returns the variables of a command for which none may be missing.
 * @param {Command} command
 * @returns {Target}
 */
export function targetOf({ deployment }) {
  return /** @type {Target} */ (deployment);
}

/**
 * Removes `--dotenv FILE` and `--dotenv=FILE` from the arguments. The option is not called
 * `--env-file`, because Node handles an option of that name in any position and would load the keys
 * into the environment.
 * @param {string[]} args
 */
function takeDotenv(args) {
  const rest = [...args];
  /** @type {string[]} */
  const files = [];
  for (let at = 0; at < rest.length;) {
    const [, joined] = /^--dotenv(?:=(.*))?$/s.exec(rest[at] ?? '') ?? ['', null];
    // The CDK ignores unknown options, so with a misspelled --dotenv, the command would deploy to
    // the account in the default .env.
    if (joined === null) {
      if (/^-+dot-?env/i.test(rest[at] ?? '')) {
        throw new CommandError(`${rest[at]}: unknown option (did you mean --dotenv FILE?)`);
      }
      at += 1;
      continue;
    }
    const file = joined ?? rest[at + 1] ?? '';
    if (!file || (joined === undefined && file.startsWith('-'))) {
      throw new CommandError('--dotenv: expected a file name, got none');
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
 * Parses the context arguments (`-c name=value`) in each form that the CDK accepts. Returns the
 * context and all other arguments.
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
        `${argument}: unknown option; set the name of the stack with -c stackName=…`,
      );
    }
    const [, joined] = /^(?:--context|--c|-[A-Za-z]*c)(?:=(.*))?$/s.exec(argument) ?? ['', null];
    if (joined === null) {
      // The CDK silently ignores arguments of the form -cNAME=VALUE.
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
 * Merges the sources of the context as the CDK does. The precedence, from lowest to highest, is
 * ~/.cdk.json, cdk.context.json, cdk.json, `-c`.
 * @param {string[]} rest
 * @returns {Record<string, unknown>}
 */
export function contextOf(rest) {
  return {
    ...readJson(resolve(homedir(), '.cdk.json')).context,
    ...readJson(resolve(ROOT, 'cdk.context.json')),
    ...readJson(resolve(ROOT, 'cdk.json')).context,
    ...contextArguments(rest).context,
  };
}

/**
 * Reads a JSON file. Returns an empty object if the file does not exist.
 * @param {string} path
 * @returns {Record<string, any>}
 */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

/**
 * Parses the context with the CDK app's own code, so that the command and the app use the same
 * stack.
 * @param {string[]} rest
 * @returns {Promise<import('../../cdk/lib/config.ts').Config>}
 */
export async function configOf(rest) {
  const { readConfig } = await load('../../cdk/lib/config.ts');
  return readConfig(contextOf(rest));
}

/**
 * Rejects all arguments other than the context, for commands that do not run the CDK.
 * @param {string[]} rest
 * @param {string} also the command's own arguments, for the message
 */
export function rejectOtherArguments(rest, also) {
  const [other] = contextArguments(rest).others;
  if (other !== undefined) {
    const expected = `--dotenv FILE, -c name=value${also} or --help`;
    throw new CommandError(`${other}: unknown argument; expected ${expected}`);
  }
}

/** @param {unknown} value */
function parseJson(value) {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // The CDK app reports malformed JSON, so ignore it here.
    return undefined;
  }
}

/**
 * Runs the CDK's command line with the profile, or with the AWS SDK's credentials if there is none.
 * @param {Command} command
 * @param {string[]} args
 * @returns {number} the exit code
 */
export function cdk({ deployment, envFile }, args) {
  const program = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
  const profile = deployment.profile ? ['--profile', deployment.profile] : [];
  // Do not use a shell, which could interpret values from .env or arguments as commands.
  const result = spawnSync(process.execPath, [program, ...args, ...profile], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      LLM_EXE_ENV_FILE: envFile,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      ...(deployment.region && { AWS_REGION: deployment.region }),
    },
  });
  if (result.error) throw new CommandError(`cannot run the CDK: ${result.error.message}`);
  return result.status ?? 1;
}
