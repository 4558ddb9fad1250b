// The function's code. In: a zip or a folder that is built already, or nothing. Out: an asset; where
// nothing was given, cargo-lambda builds it here and now.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

import { ConfigError } from './config.ts';
import { missingTool } from './tools.mjs';

export type ArchitectureName = 'x86_64' | 'arm64';

export interface CodeProps {
  /** The repository: where Cargo.toml is, and what a relative `codePath` starts from. */
  readonly root: string;
  readonly codePath?: string;
  readonly architecture: ArchitectureName;
}

/** The code to give to `LlmExeFunction`. */
export function functionCode(scope: Construct, props: CodeProps): lambda.Code {
  if (props.codePath !== undefined) return builtCode(resolve(props.root, props.codePath));
  // `cdk destroy` and `cdk list` read a template whose code nobody will run.
  if (!Stack.of(scope).bundlingRequired) {
    return lambda.Code.fromAsset(join(props.root, 'crates', 'llm-exe-lambda', 'src'));
  }
  return lambda.Code.fromAsset(build(props));
}

function builtCode(path: string): lambda.Code {
  if (!existsSync(path)) {
    throw new ConfigError(
      `context of cdk.json: codePath: there is no ${path}; build it by ` +
        '`cargo lambda build --release -p llm-exe-lambda --output-format zip`, or leave codePath out',
    );
  }
  const isFolder = statSync(path).isDirectory();
  const isFine = isFolder ? readdirSync(path).includes('bootstrap') : isZip(path);
  if (!isFine) {
    const expected = isFolder ? 'a folder with a file `bootstrap`' : 'a zip';
    throw new ConfigError(`context of cdk.json: codePath: expected ${expected}, got ${path}`);
  }
  return lambda.Code.fromAsset(path);
}

function isZip(path: string): boolean {
  return readFileSync(path).subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'));
}

function build({ root, architecture }: CodeProps): string {
  const missing = missingTool();
  if (missing) throw new ConfigError(missing);
  // A folder of its own: the hash of the asset is then of the binary, and not of a zip's time.
  const folder = join(root, 'target', 'lambda-cdk', architecture);
  const options = ['--release', '--locked', '--package', 'llm-exe-lambda', '--lambda-dir', folder];
  if (architecture === 'arm64') options.push('--arm64');
  else options.push('--x86-64');
  // Standard output is the template's where `cdk synth` prints it.
  const result = spawnSync('cargo', ['lambda', 'build', ...options], {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (result.status === 0) return join(folder, 'llm-exe-lambda');
  const why = result.error ? result.error.message : `it ended with ${result.status}`;
  throw new ConfigError(
    `the function can't be built: cargo lambda failed (${why}), and what it printed above says why`,
  );
}
