// Packs the constructs and uses the package in the app that `cdk init` creates, as docs/deploy.md
// describes. scripts/test-cdk runs this test. It needs the npm registry.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { ROOT, elfHeader, scratch } from '../support/synth.ts';

const SCRATCH = scratch('package-');
const APP = join(SCRATCH, 'my-app');
const require = createRequire(import.meta.url);

/** Runs a program and returns its standard output. */
function run(folder: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', CI: 'true' },
  });
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Returns the first code block of a section of docs/deploy.md, in a language. */
function example(section: string, language: string): string {
  const page = readFileSync(join(ROOT, 'docs', 'deploy.md'), 'utf8');
  const [, text = ''] = page.split(`\n## ${section}\n`);
  const [, code] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text) ?? [];
  assert.ok(code, `docs/deploy.md, ${section}: no example in ${language}`);
  return code;
}

const RESOURCES = [
  'AWS::Lambda::Function',
  'AWS::Lambda::EventSourceMapping',
  'AWS::SQS::Queue',
  'AWS::S3::Bucket',
];

interface TemplateJson {
  Resources: Record<string, { Type: string; Properties: { Runtime?: string } }>;
}

describe('the package in the app of cdk init', { timeout: 1_200_000 }, () => {
  let packed = '';

  before(() => {
    packed = join(
      SCRATCH,
      run(ROOT, 'npm', 'pack', './cdk', '--silent', '--pack-destination', SCRATCH).trim(),
    );
    mkdirSync(APP);
    const cdk = require.resolve('aws-cdk/bin/cdk');
    run(APP, process.execPath, cdk, 'init', 'app', '--language', 'typescript', '--generate-only');
    run(APP, 'npm', 'install', '--no-audit', '--no-fund');
    run(APP, 'npm', 'install', '--no-audit', '--no-fund', packed);
    const program = join(APP, 'llm-exe-lambda-x86_64');
    mkdirSync(program);
    writeFileSync(join(program, 'bootstrap'), elfHeader('x86_64'), { mode: 0o755 });
    // The example of the docs names a zip; a folder needs no tool to write it.
    const stack = example('In another CDK stack', 'ts').replace('-x86_64.zip', '-x86_64');
    writeFileSync(join(APP, 'lib', 'my-app-stack.ts'), stack);
    const jest = `
      import { App } from 'aws-cdk-lib';
      import { Template } from 'aws-cdk-lib/assertions';
      import { MyAppStack } from '../lib/my-app-stack';

      test('the stack has a function', () => {
        const template = Template.fromStack(new MyAppStack(new App(), 'MyAppStack'));
        template.resourceCountIs('AWS::Lambda::Function', 1);
      });`;
    writeFileSync(join(APP, 'test', 'my-app.test.ts'), jest);
  });

  test('the package contains only compiled files', () => {
    const files = run(SCRATCH, 'tar', '-tzf', packed).trim().split('\n');
    const isShipped = (name: string): boolean =>
      /^package\/(package\.json|README\.md|dist\/(LICENSE|package\.json|[\w-]+\.(js|mjs|d\.ts|d\.mts)))$/.test(
        name,
      );
    assert.deepEqual(
      files.filter((name) => !isShipped(name) && !name.startsWith('package/zips/')),
      [],
    );
    assert.ok(files.includes('package/README.md'));
    const installed = join(APP, 'node_modules', 'llm-exe-lambda');
    for (const name of files.filter((name) => /\.m?[jt]s$/.test(name))) {
      const text = readFileSync(join(installed, name.replace('package/', '')), 'utf8');
      assert.doesNotMatch(text, /(from|require\(|import\() ?['"][^'"]*(?<!\.d)\.ts['"]/, name);
    }
    assert.ok(!existsSync(join(installed, 'node_modules')), 'the package brings no second CDK');
  });

  test('npx cdk synth', () => {
    run(APP, 'npx', 'cdk', 'synth', '--quiet');
    const text = readFileSync(join(APP, 'cdk.out', 'MyAppStack.template.json'), 'utf8');
    const { Resources } = JSON.parse(text) as TemplateJson;
    const types = new Set(Object.values(Resources).map(({ Type }) => Type));
    for (const type of RESOURCES) assert.ok(types.has(type), type);
  });

  test('npx jest', () => {
    run(APP, 'npx', 'jest');
  });

  test('npm install and npm ci keep the package', () => {
    for (const command of ['install', 'ci']) {
      run(APP, 'npm', command, '--no-audit', '--no-fund');
      assert.ok(
        existsSync(join(APP, 'node_modules', 'llm-exe-lambda', 'dist', 'index.js')),
        command,
      );
    }
  });

  test('CommonJS and ES modules use the same classes', () => {
    const script = `
      import { createRequire } from 'node:module';
      import * as module from 'llm-exe-lambda';
      const common = createRequire(import.meta.url)('llm-exe-lambda');
      const names = Object.keys(common).sort();
      if (JSON.stringify(Object.keys(module).sort()) !== JSON.stringify(names)) process.exit(1);
      console.log(names.every((name) => module[name] === common[name]), names.join(' '));`;
    writeFileSync(join(APP, 'both.mjs'), script);
    const output = run(APP, process.execPath, 'both.mjs').trim();
    assert.equal(output, 'true LlmExeBatch LlmExeDashboard LlmExeFunction promptBucket');
  });

  test('a zip in the package is the default code', () => {
    const script = `
      import { App, Stack } from 'aws-cdk-lib';
      import { LlmExeFunction } from 'llm-exe-lambda';
      const stack = new Stack(new App(), 'Mine');
      try {
        new LlmExeFunction(stack, 'Llm');
        console.log('created');
      } catch (error) {
        console.log(error.message);
      }`;
    writeFileSync(join(APP, 'default.mjs'), script);
    const create = (): string => run(APP, process.execPath, 'default.mjs').trim();
    assert.match(create(), /^LlmExeFunction: the package contains no zip for x86_64; set code/);
    const zips = join(APP, 'node_modules', 'llm-exe-lambda', 'zips');
    mkdirSync(zips);
    const zip = join(zips, 'llm-exe-lambda-x86_64.zip');
    run(APP, 'python3', '-m', 'zipfile', '-c', zip, join('llm-exe-lambda-x86_64', 'bootstrap'));
    assert.equal(create(), 'created');
    // The zip is checked like one that the user names.
    run(APP, 'python3', '-m', 'zipfile', '-c', zip, 'package.json');
    assert.match(create(), /^Mine\/Llm: code: expected a zip with a file `bootstrap` at its root/);
  });

  test('types are found with every module resolution', () => {
    writeFileSync(
      join(APP, 'types.ts'),
      `import { LlmExeFunction, type LlmExeFunctionProps } from 'llm-exe-lambda';
       export const props: LlmExeFunctionProps = { memorySize: 1024 };
       // @ts-expect-error: a misspelled property
       export const wrong: LlmExeFunctionProps = { memorySise: 1024 };
       export const construct: typeof LlmExeFunction = LlmExeFunction;`,
    );
    const compiler = require.resolve('typescript/bin/tsc');
    for (const [module, resolution] of [
      ['commonjs', 'node10'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ] as const) {
      const options = ['--module', module, '--moduleResolution', resolution, '--target', 'es2022'];
      run(
        APP,
        process.execPath,
        compiler,
        ...options,
        '--strict',
        '--noEmit',
        '--skipLibCheck',
        'types.ts',
      );
    }
  });
});
