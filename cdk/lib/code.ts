// Creates the CDK asset with the function's code. The code is either an existing zip file or
// folder, or the output of cargo-lambda, which runs during synthesis.

import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

import { ConfigError } from './config.ts';
import { checkProgram, type ArchitectureName } from './program.ts';
import { missingTool } from './tools.ts';

/**
 * The targets that cargo-lambda builds, with the glibc version of Amazon Linux 2023. The scripts
 * build with the same version (scripts/lib/tools.sh).
 */
const TARGETS: Record<ArchitectureName, string> = {
  x86_64: 'x86_64-unknown-linux-gnu.2.34',
  arm64: 'aarch64-unknown-linux-gnu.2.34',
};

export interface CodeProps {
  /**
   * The path of the repository. A relative `codePath` is resolved against it.
   */
  readonly root: string;
  /**
   * A zip file or a folder that contains the binary as `bootstrap`. Default: cargo-lambda builds
   * the binary.
   */
  readonly codePath?: string;
  readonly architecture: ArchitectureName;
}

/**
 * Returns the code asset for `LlmExeFunction`.
 *
 * @throws ConfigError if `codePath` is invalid or the build fails
 */
export function functionCode(scope: Construct, props: CodeProps): lambda.Code {
  if (props.codePath !== undefined) {
    return existingCode(resolve(props.root, props.codePath), props.architecture);
  }
  // `cdk destroy` and `cdk list` do not deploy the code, so any existing folder works.
  if (!Stack.of(scope).bundlingRequired) {
    return lambda.Code.fromAsset(join(props.root, 'crates', 'llm-exe-lambda', 'src'));
  }
  return lambda.Code.fromAsset(build(props));
}

function existingCode(path: string, architecture: ArchitectureName): lambda.Code {
  if (!existsSync(path)) {
    throw new ConfigError(
      `CDK context: codePath: ${path} does not exist; build it with ` +
        `\`cargo lambda build --release --target ${TARGETS[architecture]} -p llm-exe-lambda ` +
        '--output-format zip`, or remove codePath',
    );
  }
  const problem = checkProgram(path, architecture);
  if (problem) throw new ConfigError(`CDK context: codePath: ${problem}`);
  return lambda.Code.fromAsset(path);
}

function build({ root, architecture }: CodeProps): string {
  const missing = missingTool();
  if (missing) throw new ConfigError(missing);
  // Build a folder instead of a zip, whose timestamps would change the asset hash.
  const folder = join(root, 'target', 'lambda-cdk', architecture);
  const options = ['--release', '--locked', '--package', 'llm-exe-lambda'];
  options.push('--target', TARGETS[architecture], '--lambda-dir', folder);
  // Redirect standard output, which must contain only the template that `cdk synth` prints.
  const result = spawnSync('cargo', ['lambda', 'build', ...options], {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (result.status === 0) return join(folder, 'llm-exe-lambda');
  const reason = result.error ? result.error.message : `exit code ${result.status}`;
  throw new ConfigError(
    `cannot build the function: cargo lambda failed (${reason}); see its output above`,
  );
}
