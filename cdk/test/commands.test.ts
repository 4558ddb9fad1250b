// The commands of package.json as far as they go without AWS: checks first, one message, no trace;
// and in a folder whose name would trip a shell.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { configOf } from '../../scripts/lib/command.mjs';
import { CODE, ROOT, scratch } from './support/synth.ts';

const COMMANDS = ['bootstrap', 'deploy', 'diff', 'destroy', 'synth', 'update-secrets'];
const FOLDER = scratch('it\'s "a" #$HOME folder-');
const FINE = join(FOLDER, 'fine.env');
writeFileSync(
  FINE,
  'NODE_ENV=test\nDEPLOY_ACCOUNT=000000000000\nDEPLOY_REGION=us-west-2\n' +
    `DEPLOY_PROFILE=none-such\nXAI_API_KEY='sentinel # "of" $(xai)'\n`,
);

function run(command: string, args: string[], root = ROOT, path = process.env['PATH']) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', join(root, 'scripts', `${command}.mjs`), ...args],
    {
      cwd: FOLDER,
      encoding: 'utf8',
      env: {
        PATH: path,
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

  test(`${command}: the file is the one that is named, however it is named`, () => {
    const told = (...args: string[]): string => run(command, args).stderr;
    const missing = `${join(FOLDER, 'none.env')}: there is no such file; copy .env.sample to .env and fill it in`;
    assert.equal(told('--dotenv=none.env'), missing);
    assert.equal(told('--dotenv='), '--dotenv: expected a file after it');
    assert.equal(told('--dotenv', '-c', 'memorySize=1024'), '--dotenv: expected a file after it');
    assert.equal(told('--dot-env=a'), '--dot-env=a is not known; did you mean --dotenv FILE?');
    assert.equal(
      told('--dotenv', 'a.env', '--dotenv=b.env'),
      '--dotenv: expected one file, got a.env and b.env',
    );
  });

  test(`${command}: a stack that the CDK would pass over is refused`, () => {
    const told = (...args: string[]): string => run(command, ['--dotenv', FINE, ...args]).stderr;
    assert.match(told('--stackName', 'Mine'), /^--stackName is not known; .* -c stackName=…$/);
    assert.match(told('--stack-name=Mine'), /^--stack-name=Mine is not known/);
    assert.match(told('-cstackName=Mine'), /^-cstackName=Mine: expected -c name=value, with a/);
    assert.match(told('-c', 'stackName'), /^-c: expected name=value, got "stackName"$/);
  });
}

for (const command of ['bootstrap', 'deploy', 'update-secrets']) {
  test(`${command}: the stack’s name is read and checked as the CDK and the app do it`, () => {
    const forms = (said: string): string[][] => [
      ['-c', said],
      ['--context', said],
      [`-c=${said}`],
      [`--context=${said}`],
      ['--c', said],
      ['-vc', said],
    ];
    const told = 'context of cdk.json: stackName: expected at most 40 letters, digits and hyphens';
    for (const form of forms('stackName=../Other')) {
      const { status, stderr } = run(command, ['--dotenv', FINE, ...form]);
      assert.equal(status, 1);
      assert.ok(stderr.startsWith(told), `${form.join(' ')}: ${stderr}`);
    }
    const odd = run(command, ['--dotenv', FINE, '-c', 'stackname=Other']);
    assert.match(odd.stderr, /stackname is not known; did you mean stackName\?$/);
  });
}

test('the last name of a stack holds, and an empty one is the shipped one', async () => {
  const names = [
    [['-c', 'stackName=A', '--context=stackName=B'], 'B'],
    [['-c=stackName=A', '--verbose'], 'A'],
    [['-c', 'stackName='], 'LlmExeLambda'],
    [[], 'LlmExeLambda'],
  ] as const;
  for (const [args, name] of names) assert.equal((await configOf([...args])).stackName, name);
});

test('update-secrets: what it does not know is refused', () => {
  for (const other of ['Mine', '--force', '--profile=mine']) {
    const { status, stderr } = run('update-secrets', ['--dotenv', FINE, other]);
    const told = `${other} is not known; allowed are --dotenv FILE and -c name=value`;
    assert.deepEqual([status, stderr], [1, told]);
  }
});

test('deploy: a tool that is missing is named first, with where to get it', () => {
  const tools = (name: string, ...programs: string[]): string => {
    const folder = join(FOLDER, name);
    mkdirSync(folder);
    for (const program of programs) {
      writeFileSync(join(folder, 'cargo'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    }
    return folder;
  };
  const told = (path: string, ...args: string[]): string =>
    run('deploy', ['--dotenv', FINE, ...args], ROOT, path).stderr;
  const none = tools('none');
  assert.match(told(none), /^cargo is not found, .*https:\/\/rustup\.rs/);
  const bare = tools('bare', '[ "$1" = --version ] || exit 101');
  assert.match(told(bare), /^cargo-lambda is not found, .*pip install cargo-lambda/);
  // With a zip, and with both tools, it goes on to AWS.
  assert.match(told(none, '-c', `codePath=${CODE}`), /^Need to perform AWS calls/);
  assert.match(told(tools('both', 'exit 0')), /^Need to perform AWS calls/);
});

test('synth: a build that failed is told as that', () => {
  const folder = join(FOLDER, 'failing');
  mkdirSync(folder);
  const fails = '#!/bin/sh\ncase "$*" in *--version) ;; *) echo "$*" >&2; exit 3 ;; esac\n';
  writeFileSync(join(folder, 'cargo'), fails, { mode: 0o755 });
  const path = `${folder}:${process.env['PATH']}`;
  const { status, stderr } = run('synth', ['--dotenv', FINE], ROOT, path);
  assert.equal(status, 1);
  assert.match(stderr, /lambda build --release --locked --package llm-exe-lambda/);
  assert.match(stderr, /cargo lambda failed \(it ended with 3\)/);
  assert.ok(!stderr.includes('not found'), stderr);
});

for (const command of COMMANDS.filter((name) => name !== 'synth')) {
  test(`${command}: a profile that is none is the document’s own message`, () => {
    // Where a zip is named, no tool is missing.
    const code = command === 'update-secrets' ? [] : ['-c', `codePath=${CODE}`];
    const { status, stderr } = run(command, ['--dotenv', FINE, ...code]);
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
