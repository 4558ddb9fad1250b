// The tools that build the function. In: nothing. Out: what is missing and how to get it, or nothing.
// Plain JavaScript, because the scripts read it too.
// @ts-check

import { spawnSync } from 'node:child_process';

const OR_ELSE = 'or name a built zip in the context as codePath';

/** @returns {string | undefined} */
export function missingTool() {
  const cargo = spawnSync('cargo', ['--version'], { stdio: 'ignore' });
  if (cargo.error) {
    return `cargo is not found, which builds the function: install Rust (https://rustup.rs), ${OR_ELSE}`;
  }
  const lambda = spawnSync('cargo', ['lambda', '--version'], { stdio: 'ignore' });
  if (lambda.error || lambda.status !== 0) {
    return (
      'cargo-lambda is not found, which builds the function: install it ' +
      `(\`pip install cargo-lambda\`), ${OR_ELSE}`
    );
  }
  return undefined;
}
