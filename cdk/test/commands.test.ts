// The commands of package.json as far as they go without AWS: checks first, one message, no trace;
// and in a folder whose name would trip a shell.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { CODE, ROOT, scratch } from './support/synth.ts';

const COMMANDS = ['bootstrap', 'deploy', 'diff', 'destroy', 'synth', 'update-secrets'];
const FOLDER = scratch('it\'s "a" #$HOME folder-');
const FINE = join(FOLDER, 'fine.env');
writeFileSync(
  FINE,
  'NODE_ENV=test\nDEPLOY_ACCOUNT=000000000000\nDEPLOY_REGION=us-west-2\n' +
    `DEPLOY_PROFILE=none-such\nXAI_API_KEY='sentinel # "of" $(xai)'\n`,
);

function run(command: string, args: string[], root = ROOT) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', join(root, 'scripts', `${command}.mjs`), ...args],
    {
      cwd: FOLDER,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: FOLDER,
        AWS_EC2_METADATA_DISABLED: 'true',
        NODE_NO_WARNINGS: '1',
      },
    },
  );
  assert.ok(!`${stdout}${stderr}`.includes('sentinel'), 'a key is told');
  return { status, stdout, stderr: stderr.trim() };
}

for (const command of COMMANDS) {
  test(`${command}: a .env that is missing or wrong is told first, and nothing else`, () => {
    const missing = run(command, ['--dotenv', 'none.env']);
    const told = `${join(FOLDER, 'none.env')}: there is no such file; copy .env.sample to .env and fill it in`;
    assert.deepEqual([missing.status, missing.stdout, missing.stderr], [1, '', told]);
    writeFileSync(join(FOLDER, 'wrong.env'), 'NODE_ENV=test\nDEPLOY_ACCOUNT=12\n');
    const wrong = run(command, ['--dotenv', 'wrong.env']);
    assert.equal(wrong.status, 1);
    assert.deepEqual(
      wrong.stderr.split('\n').map((line) => /wrong\.env: (\w+)/.exec(line)?.[1]),
      ['DEPLOY_ACCOUNT', 'DEPLOY_REGION', 'DEPLOY_PROFILE'],
    );
    assert.match(run(command, ['--dotenv']).stderr, /^--dotenv: expected a file after it$/);
  });
}

for (const command of COMMANDS.filter((name) => name !== 'synth')) {
  test(`${command}: a profile that is none is the document’s own message`, () => {
    const { status, stderr } = run(command, ['--dotenv', FINE]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Need to perform AWS calls for account 000000000000, but no credentials have been configured/,
    );
    assert.equal(stderr.split('\n').length, 1);
  });
}

test('bootstrap: without a boundary it wants to be told what CloudFormation may do', () => {
  const { status, stderr } = run('bootstrap', ['--dotenv', FINE, '-c', 'permissionsBoundary=none']);
  assert.equal(status, 1);
  assert.match(stderr, /permissionsBoundary: none; say what CloudFormation may do/);
});

test('synth: in a folder whose name would trip a shell', () => {
  const root = join(FOLDER, 'repository');
  mkdirSync(root);
  for (const one of ['cdk', 'scripts', 'cdk.json', 'package.json']) {
    cpSync(join(ROOT, one), join(root, one), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const code = join(FOLDER, 'code');
  cpSync(CODE, code, { recursive: true });
  const args = ['--dotenv', FINE, '-c', `codePath=${code}`, '--json'];
  const { status, stdout, stderr } = run('synth', args, root);
  assert.equal(status, 0, stderr);
  const { Resources } = JSON.parse(stdout) as { Resources: object };
  assert.ok(Object.keys(Resources).length > 5);
});

test('synth: what is wrong with the context is told without a trace', () => {
  const args = ['--dotenv', FINE, '-c', 'endpointauth=NONE', '-c', 'memorySize=1'];
  const { status, stdout, stderr } = run('synth', args);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /endpointauth is not known; did you mean endpointAuth\?\n.*memorySize: expected/,
  );
  assert.ok(!stderr.includes('    at '), stderr);
});

test('the constructs are taken from a package, as docs/deploy.md does it', () => {
  const app = join(FOLDER, 'app');
  const own = join(app, 'node_modules', 'llm-exe-lambda');
  mkdirSync(own, { recursive: true });
  for (const one of ['cdk', 'package.json']) {
    cpSync(join(ROOT, one), join(own, one), { recursive: true });
  }
  for (const one of ['aws-cdk-lib', 'constructs', 'dotenv']) {
    symlinkSync(join(ROOT, 'node_modules', one), join(app, 'node_modules', one));
  }
  const source = `
    import { App, Stack } from 'aws-cdk-lib';
    import { Code } from 'aws-cdk-lib/aws-lambda';
    import { LlmExeFunction } from 'llm-exe-lambda';
    const stack = new Stack(new App(), 'Mine');
    new LlmExeFunction(stack, 'Llm', { code: Code.fromAsset(${JSON.stringify(CODE)}) });
    console.log(Object.keys(stack.resolve(stack._toCloudFormation()).Resources).length);`;
  writeFileSync(join(app, 'app.ts'), source);
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
  const tsx = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, 'app.ts'], {
    cwd: app,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.ok(Number(stdout) > 5, stdout);
});
