// Checks that the tools for building the function are installed.

import { spawnSync } from 'node:child_process';

const OR_USE_A_ZIP = 'or set codePath in the CDK context to a zip that is already built';

/** Returns an error message if a tool is missing, or `undefined` if all tools are installed. */
export function missingTool(): string | undefined {
  const cargo = spawnSync('cargo', ['--version'], { stdio: 'ignore' });
  if (cargo.error) {
    return `cargo is required to build the function but was not found: install Rust (https://rustup.rs), ${OR_USE_A_ZIP}`;
  }
  const lambda = spawnSync('cargo', ['lambda', '--version'], { stdio: 'ignore' });
  if (lambda.error || lambda.status !== 0) {
    return (
      'cargo-lambda is required to build the function but was not found: install it ' +
      `(\`pip install cargo-lambda\`), ${OR_USE_A_ZIP}`
    );
  }
  return undefined;
}
