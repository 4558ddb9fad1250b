// Fixtures of the deployment test: a user with an AWS profile and an .env file, the provider
// simulator, and the real binary with the environment of the deployed function.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { ROOT, scratch } from '../support/synth.ts';
import { MOTO_ACCOUNT, MOTO_REGION, type Account } from './account.ts';

/** A key with characters that have a special meaning in a shell, in .env or in templates. */
export const KEY = `sentinel 'of' "the" $(key) # {{of}} \`openai\` \\n`;
export const ENDPOINT_KEY = 'sentinel.of.the.endpoint';

/** Credentials as a CI job has them in its environment. */
export const ENVIRONMENT_KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

export interface CommandResult {
  status: number | null;
  /** The combined standard output and standard error. */
  output: string;
}

/**
 * A user who runs the npm commands. The user has an AWS profile, an .env file, and a folder whose
 * name contains spaces.
 */
export class User {
  readonly folder = scratch('llm exe user-');
  readonly envFile = join(this.folder, 'my deployment.env');
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
    const keys =
      'aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n' +
      'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n';
    writeFileSync(
      join(this.folder, 'config'),
      `[profile my-profile]\nregion = ${MOTO_REGION}\n${keys}`,
    );
    this.writeEnv({});
  }

  /** Writes the .env file. */
  writeEnv(values: Record<string, string>): void {
    const all = {
      NODE_ENV: 'test',
      DEPLOY_ACCOUNT: MOTO_ACCOUNT,
      DEPLOY_REGION: MOTO_REGION,
      DEPLOY_PROFILE: 'my-profile',
      ...values,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(this.envFile, lines.join(''), { mode: 0o600 });
  }

  /** Runs `npm run <command> -- <args>` with the .env file. */
  npm(command: string, ...args: string[]): Promise<CommandResult> {
    return this.npmWith({}, command, '--dotenv', this.envFile, ...args);
  }

  /** Runs `npm run <command> -- <args>` with additional environment variables. */
  npmWith(
    variables: Record<string, string>,
    command: string,
    ...args: string[]
  ): Promise<CommandResult> {
    const all = ['run', '--silent', command, '--', ...args];
    return this.#run('npm', all, variables);
  }

  /** Runs a script with bash in the repository, with the keys of the profile. */
  bash(script: string): Promise<CommandResult> {
    // Version 1 of the AWS CLI, which pip installs, ignores AWS_ENDPOINT_URL for SQS.
    const aws = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n';
    return this.#run('bash', ['-euo', 'pipefail', '-c', aws + script], {
      ...ENVIRONMENT_KEYS,
      PATH: `${tool('AWS_CLI_BIN')}:${process.env['PATH']}`,
      AWS_DEFAULT_REGION: MOTO_REGION,
    });
  }

  #run(program: string, args: string[], variables: Record<string, string>): Promise<CommandResult> {
    return resultOf(
      spawn(program, args, {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: this.#account.url,
          AWS_CONFIG_FILE: join(this.folder, 'config'),
          AWS_SHARED_CREDENTIALS_FILE: join(this.folder, 'none'),
          AWS_EC2_METADATA_DISABLED: 'true',
          CI: 'true',
          ...variables,
        },
      }),
    );
  }
}

async function resultOf(child: ChildProcess): Promise<CommandResult> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output: Buffer.concat(chunks).toString() };
}

/** The provider simulator. */
export class Simulator {
  /** The environment variables that make the function call the simulator. */
  readonly variables: Record<string, string>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, line: string) {
    this.#child = child;
    this.variables = Object.fromEntries(
      [...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
    );
  }

  static async start(program: string): Promise<Simulator> {
    const child = spawn(program, ['--port', '0', '--quiet'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return new Simulator(child, line);
  }

  async script(steps: unknown): Promise<void> {
    await this.#control('DELETE', 'journal');
    await this.#control('DELETE', 'script');
    await this.#control('POST', 'script', JSON.stringify(steps));
  }

  async journal(): Promise<unknown[]> {
    return (await this.#control('GET', 'journal')).json() as Promise<unknown[]>;
  }

  async #control(method: string, resource: string, body?: string): Promise<Response> {
    const base = new URL(this.variables['OLLAMA_ENDPOINT']!).origin;
    const response = await fetch(`${base}/_simulator/${resource}`, {
      method,
      ...(body !== undefined && { body }),
    });
    if (!response.ok) throw new Error(`simulator: ${method} ${resource}: ${await response.text()}`);
    return response;
  }

  async stop(): Promise<void> {
    this.#child.kill();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

/** The real binary, started as Lambda starts it, with the environment of the deployed function. */
export class Binary {
  readonly #child: ChildProcess;
  readonly #output: Buffer[] = [];

  constructor(
    program: string,
    account: Account,
    deployed: Record<string, string>,
    simulator: Simulator,
  ) {
    this.#child = spawn(program, [], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...deployed,
        ...simulator.variables,
        AWS_LAMBDA_RUNTIME_API: account.runtimeApi,
        AWS_LAMBDA_FUNCTION_NAME: 'llm-exe',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_REGION: MOTO_REGION,
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        AWS_ENDPOINT_URL_S3: account.url,
        AWS_ENDPOINT_URL_SSM: account.url,
      },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#output.push(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#output.push(chunk));
  }

  /** Stops the process and returns its complete output. */
  async stop(): Promise<string> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit');
    }
    return Buffer.concat(this.#output).toString();
  }
}

/** Returns the path of a tool, which scripts/test-cdk sets in the environment. */
export function tool(name: string): string {
  const path = process.env[name];
  if (!path)
    throw new Error(`${name} is not set; run this test with scripts/test-cdk, which sets it`);
  return path;
}

/** Reads a file of the repository. */
export function readFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Unpacks the deployed zip and returns the path of the binary. */
export function unzip(zip: string): string {
  const folder = scratch('llm-exe-zip-');
  const script = 'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])';
  const result = spawnSync('python3', ['-c', script, zip, folder], { stdio: 'inherit' });
  if (result.status !== 0) throw new Error(`cannot unpack ${zip}`);
  spawnSync('chmod', ['+x', join(folder, 'bootstrap')]);
  return join(folder, 'bootstrap');
}

/** Returns the commands of a page that the markers around them declare as tested. */
export function documentedCommands(page: string): string {
  const [, tested = ''] =
    /<!-- commands: a test runs them -->\n([^]*?)<!-- end -->/.exec(readFile(page)) ?? [];
  const blocks = [...tested.matchAll(/```bash\n([^]*?)```/g)].map(([, block]) => block);
  if (blocks.length === 0) throw new Error(`${page}: no commands between the markers`);
  return blocks.join('');
}
