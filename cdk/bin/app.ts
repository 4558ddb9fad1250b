// The CDK app: `cdk` runs it, as cdk.json says. In: cdk.json's context and .env. Out: the template
// of the stack, or what is wrong with either, and no stack trace.

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, DefaultStackSynthesizer } from 'aws-cdk-lib';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

import { ConfigError, readConfig } from '../lib/config.ts';
import { EnvError, readEnvFile } from '../lib/env.mjs';
import { LlmExeStack } from '../lib/stack.ts';

/** Of the toolkit stack that `npm run bootstrap` makes. */
const QUALIFIER = 'llmexe';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

try {
  // As `cdk init` writes them into cdk.json, whose context is left to its reader.
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
