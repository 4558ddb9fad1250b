// The entry point of the CDK app, as cdk.json specifies. It reads the context and .env, and
// synthesizes the stack. Errors in the context or .env are printed without a stack trace.

import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, DefaultStackSynthesizer, Errors } from 'aws-cdk-lib';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

import { ConfigError, readConfig } from '../lib/config.ts';
import { ENDPOINT_KEY, EnvError, compatibleRows, readOptionalEnvFile } from '../lib/env.ts';
import { LlmExeStack } from '../lib/stack.ts';

/** The qualifier of the toolkit stack that `npm run bootstrap` creates. */
const QUALIFIER = 'llmexe';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

try {
  // `cdk init` writes these flags into cdk.json. They are set here instead, so that cdk.json
  // contains only the options of this app.
  const app = new App({ context: CURRENTLY_RECOMMENDED_FLAGS });
  const config = readConfig(app.node.getAllContext());
  // Nothing is required here: a deployment without an account uses that of the credentials, and
  // the commands in scripts/ require one.
  const { account, region, environment, secrets } = readOptionalEnvFile(
    resolve(root, process.env['LLM_EXE_ENV_FILE'] ?? '.env'),
    {
      additionalRows: compatibleRows(config.openAiCompatibleProviders),
      variables: process.env,
      isPartial: true,
    },
  );
  new LlmExeStack(app, config.stackName, {
    config,
    root,
    ...(environment && { environment }),
    hasEndpointKey: secrets.some(({ name }) => name === ENDPOINT_KEY),
    env: { account, region },
    synthesizer: new DefaultStackSynthesizer({ qualifier: QUALIFIER }),
  });
  app.synth();
} catch (error) {
  // The CDK throws a validation error for the problems that the constructs report at synth.
  const isForUser =
    error instanceof ConfigError ||
    error instanceof EnvError ||
    (error instanceof Error && Errors.isValidationError(error));
  if (!isForUser) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
