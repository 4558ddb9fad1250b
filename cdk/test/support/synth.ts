// Synthesizes the stack from a CDK context, as `npm run synth` does.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, DefaultStackSynthesizer } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

import { readConfig } from '../../lib/config.ts';
import { LlmExeStack } from '../../lib/stack.ts';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');
export const ACCOUNT = '000000000000';
export const REGION = 'us-west-2';

const SCRATCH = mkdtempSync(join(tmpdir(), 'llm exe synth-'));
process.on('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

/** A folder with a fake binary, which is the function's code in tests. */
export const CODE = mkdtempSync(join(SCRATCH, 'code-'));
writeFileSync(join(CODE, 'bootstrap'), 'not a program');

/** Creates a temporary folder that is deleted when the tests end. */
export function scratch(name: string): string {
  return mkdtempSync(join(SCRATCH, name));
}

export type Context = Readonly<Record<string, unknown>>;

/** Creates an app and its stack. The values in `context` override the defaults. */
export function appOf(
  context: Context,
  prepare: (app: App) => void = () => {},
): [App, LlmExeStack] {
  const app = new App({
    outdir: mkdtempSync(join(SCRATCH, 'out-')),
    context: CURRENTLY_RECOMMENDED_FLAGS,
  });
  prepare(app);
  const config = readConfig({ codePath: CODE, ...context });
  const stack = new LlmExeStack(app, config.stackName, {
    config,
    root: ROOT,
    environment: 'test',
    env: { account: ACCOUNT, region: REGION },
    synthesizer: new DefaultStackSynthesizer({ qualifier: 'llmexe' }),
  });
  return [app, stack];
}

/** Returns the template for a context. */
export function template(context: Context = {}): Template {
  return Template.fromStack(appOf(context)[1]);
}

/** Returns the policy statements of the function's role. */
export function functionStatements(context: Context = {}): Statement[] {
  const policies = Object.entries(template(context).findResources('AWS::IAM::Policy'));
  return policies
    .filter(([id]) => id.startsWith('LlmRole'))
    .flatMap(([, policy]) => policy['Properties'].PolicyDocument.Statement as Statement[]);
}

export interface Statement {
  Sid?: string;
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** Returns the environment variables of the function. */
export function environment(context: Context = {}): Record<string, unknown> {
  const [fn] = Object.values(template(context).findResources('AWS::Lambda::Function'));
  return fn!['Properties'].Environment.Variables;
}
