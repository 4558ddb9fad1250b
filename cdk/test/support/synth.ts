// Synthesizes the stack from a CDK context, as `npm run synth` does.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, DefaultStackSynthesizer } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api';

import { readConfig } from '../../lib/config.ts';
import type { ArchitectureName } from '../../lib/program.ts';
import { LlmExeStack } from '../../lib/stack.ts';

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');
export const ACCOUNT = '000000000000';
export const REGION = 'us-west-2';

const SCRATCH = mkdtempSync(join(tmpdir(), 'llm exe synth-'));
process.on('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

/** Returns the start of a program for Linux, with the machine of an architecture. */
export function elfHeader(architecture: ArchitectureName): Buffer {
  const header = Buffer.alloc(64);
  // 64 bits, little endian.
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(architecture === 'arm64' ? 0xb7 : 0x3e, 18);
  return header;
}

function fakeCode(architecture: ArchitectureName): string {
  const folder = mkdtempSync(join(SCRATCH, 'code-'));
  writeFileSync(join(folder, 'bootstrap'), elfHeader(architecture), { mode: 0o755 });
  return folder;
}

/** Folders with fake binaries, which are the function's code in tests. */
const CODES = { x86_64: fakeCode('x86_64'), arm64: fakeCode('arm64') };
export const CODE = CODES.x86_64;

/** Creates a temporary folder that is deleted when the tests end. */
export function scratch(name: string): string {
  return mkdtempSync(join(SCRATCH, name));
}

export type Context = Readonly<Record<string, unknown>>;

const codeFor = (context: Context): string =>
  context['architecture'] === 'arm64' ? CODES.arm64 : CODES.x86_64;

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
  const config = readConfig({ codePath: codeFor(context), ...context });
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
