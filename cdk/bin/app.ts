// The entry point of the CDK app, which cdk.json names. It reads the context and .env and
// synthesizes the stack. Problems with either are printed without a stack trace.

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, DefaultStackSynthesizer } from 'aws-cdk-lib';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

import { ConfigError, readConfig } from '../lib/config.ts';
import { EnvError, readEnvFile } from '../lib/env.mjs';
import { LlmExeStack } from '../lib/stack.ts';

/** The qualifier of the toolkit stack that `npm run bootstrap` creates. */
const QUALIFIER = 'llmexe';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

try {
  // The flags that `cdk init` writes into cdk.json, kept here so that cdk.json has only our
  // options.
  const app = new App({ context: CURRENTLY_RECOMMENDED_FLAGS });
  const config = readConfig(app.node.getAllContext());
  const { account, region, environment } = readEnvFile(
    resolve(root, process.env['LLM_EXE_ENV_FILE'] ?? '.env'),
  );
  new LlmExeStack(app, config.stackName, {
    config,
    root,
    environment,
    env: { account, region },
    synthesizer: new DefaultStackSynthesizer({ qualifier: QUALIFIER }),
  });
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof EnvError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
