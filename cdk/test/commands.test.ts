// Tests the commands in package.json without calling AWS: argument checks, error messages without
// stack traces, and paths with characters that are special in a shell.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { configOf } from '../../scripts/lib/command.mjs';
import { CODE, ROOT, scratch } from './support/synth.ts';

const COMMANDS = ['bootstrap', 'deploy', 'diff', 'destroy', 'synth', 'update-secrets'];
const FOLDER = scratch('it\'s "a" #$HOME folder-');
const VALID = join(FOLDER, 'valid.env');
writeFileSync(
  VALID,
  'NODE_ENV=test\nDEPLOY_ACCOUNT=000000000000\nDEPLOY_REGION=us-west-2\n' +
    `DEPLOY_PROFILE=none-such\nXAI_API_KEY='sentinel # "of" $(xai)'\n`,
  { mode: 0o600 },
);

function run(
  command: string,
  args: string[],
  root = ROOT,
  path = process.env['PATH'],
  variables: Record<string, string> = {},
) {
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
        ...variables,
      },
    },
  );
  assert.ok(!`${stdout}${stderr}`.includes('sentinel'), 'the output contains a key');
  return { status, stdout, stderr: stderr.trim() };
}

for (const command of COMMANDS) {
  test(`${command}: reports a missing or invalid .env before anything else`, () => {
    const missing = run(command, ['--dotenv', 'none.env']);
    const message = `${join(FOLDER, 'none.env')}: file not found; copy .env.sample to .env and fill it in`;
    assert.deepEqual([missing.status, missing.stdout, missing.stderr], [1, '', message]);
    writeFileSync(join(FOLDER, 'invalid.env'), 'NODE_ENV=test\nDEPLOY_ACCOUNT=12\n', {
      mode: 0o600,
    });
    const invalid = run(command, ['--dotenv', 'invalid.env']);
    assert.equal(invalid.status, 1);
    assert.deepEqual(
      invalid.stderr.split('\n').map((line) => /invalid\.env: (\w+)/.exec(line)?.[1]),
      command === 'synth' ? ['DEPLOY_ACCOUNT'] : ['DEPLOY_ACCOUNT', 'DEPLOY_REGION'],
    );
    assert.match(run(command, ['--dotenv']).stderr, /^--dotenv: expected a file name, got none$/);
  });

  test(`${command}: accepts --dotenv FILE and --dotenv=FILE`, () => {
    const errorOf = (...args: string[]): string => run(command, args).stderr;
    const missing = `${join(FOLDER, 'none.env')}: file not found; copy .env.sample to .env and fill it in`;
    assert.equal(errorOf('--dotenv=none.env'), missing);
    assert.equal(errorOf('--dotenv='), '--dotenv: expected a file name, got none');
    assert.equal(
      errorOf('--dotenv', '-c', 'memorySize=1024'),
      '--dotenv: expected a file name, got none',
    );
    assert.equal(
      errorOf('--dot-env=a'),
      '--dot-env=a: unknown option (did you mean --dotenv FILE?)',
    );
    assert.equal(
      errorOf('--dotenv', 'a.env', '--dotenv=b.env'),
      '--dotenv: expected one file, got a.env and b.env',
    );
  });

  test(`${command}: rejects stack names in a form that the CDK ignores`, () => {
    const errorOf = (...args: string[]): string =>
      run(command, ['--dotenv', VALID, ...args]).stderr;
    assert.match(
      errorOf('--stackName', 'Mine'),
      /^--stackName: unknown option; .* -c stackName=…$/,
    );
    assert.match(errorOf('--stack-name=Mine'), /^--stack-name=Mine: unknown option/);
    assert.match(errorOf('-cstackName=Mine'), /^-cstackName=Mine: expected -c name=value, with a/);
    assert.match(errorOf('-c', 'stackName'), /^-c: expected name=value, got "stackName"$/);
  });
}

for (const command of ['bootstrap', 'deploy', 'update-secrets']) {
  test(`${command}: parses the name of the stack as the CDK and the app do`, () => {
    const forms = (argument: string): string[][] => [
      ['-c', argument],
      ['--context', argument],
      [`-c=${argument}`],
      [`--context=${argument}`],
      ['--c', argument],
      ['-vc', argument],
    ];
    const message = 'CDK context: stackName: expected at most 40 letters, digits and hyphens';
    for (const form of forms('stackName=../Other')) {
      const { status, stderr } = run(command, ['--dotenv', VALID, ...form]);
      assert.equal(status, 1);
      assert.ok(stderr.startsWith(message), `${form.join(' ')}: ${stderr}`);
    }
    const misspelled = run(command, ['--dotenv', VALID, '-c', 'stackname=Other']);
    assert.match(misspelled.stderr, /stackname: unknown key \(did you mean stackName\?\)$/);
  });
}

test('the last stackName wins, and an empty one is the default', async () => {
  const names = [
    [['-c', 'stackName=A', '--context=stackName=B'], 'B'],
    [['-c=stackName=A', '--verbose'], 'A'],
    [['-c', 'stackName='], 'LlmExeLambda'],
    [[], 'LlmExeLambda'],
  ] as const;
  for (const [args, name] of names) assert.equal((await configOf([...args])).stackName, name);
});

test('update-secrets: rejects unknown arguments', () => {
  for (const argument of ['Mine', '--force', '--profile=mine']) {
    const { status, stderr } = run('update-secrets', ['--dotenv', VALID, argument]);
    const message = `${argument}: unknown argument; expected --dotenv FILE, -c name=value, --dry-run or --help`;
    assert.deepEqual([status, stderr], [1, message]);
  }
});

test('deploy: reports a missing tool and how to install it', () => {
  const tools = (name: string, ...programs: string[]): string => {
    const folder = join(FOLDER, name);
    mkdirSync(folder);
    for (const program of programs) {
      writeFileSync(join(folder, 'cargo'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
    }
    return folder;
  };
  const errorOf = (path: string, ...args: string[]): string =>
    run('deploy', ['--dotenv', VALID, ...args], ROOT, path).stderr;
  const none = tools('none');
  assert.match(errorOf(none), /^cargo is required .* not found: .*https:\/\/rustup\.rs/);
  const bare = tools('bare', '[ "$1" = --version ] || exit 101');
  assert.match(errorOf(bare), /^cargo-lambda is required .* not found: .*pip install cargo-lambda/);
  // With codePath, or if both tools are installed, the command continues and calls AWS.
  assert.match(errorOf(none, '-c', `codePath=${CODE}`), /^Need to perform AWS calls/);
  assert.match(errorOf(tools('both', 'exit 0')), /^Need to perform AWS calls/);
});

test('synth: reports a failed build', () => {
  const folder = join(FOLDER, 'failing');
  mkdirSync(folder);
  const fails = '#!/bin/sh\ncase "$*" in *--version) ;; *) echo "$*" >&2; exit 3 ;; esac\n';
  writeFileSync(join(folder, 'cargo'), fails, { mode: 0o755 });
  const path = `${folder}:${process.env['PATH']}`;
  const { status, stderr } = run('synth', ['--dotenv', VALID], ROOT, path);
  assert.equal(status, 1);
  assert.match(stderr, /lambda build --release --locked --package llm-exe-lambda/);
  assert.match(stderr, /--target x86_64-unknown-linux-gnu\.2\.34 /);
  assert.match(stderr, /cargo lambda failed \(exit code 3\)/);
  assert.ok(!stderr.includes('not found'), stderr);
});

test('synth: reports a list of tools that is too long, without a stack trace', () => {
  const start = 'arn:aws:lambda:us-west-2:000000000000:function:LlmExeLambda';
  const arns = Array.from({ length: 60 }, (_, index) => `${start}${'x'.repeat(40)}${index}`);
  const options = ['-c', `codePath=${CODE}`, '-c', `toolFunctions=${arns.join(',')}`];
  const { status, stderr } = run('synth', ['--dotenv', VALID, ...options]);
  assert.equal(status, 1);
  assert.match(stderr, /toolFunctions: the ARNs of these 60 functions .* Lambda allows 4096/);
  assert.doesNotMatch(stderr, /^ +at /m);
});

for (const command of COMMANDS.filter((name) => name !== 'synth')) {
  test(`${command}: a missing profile gives the documented message`, () => {
    // With codePath, the command does not need the build tools.
    const code = command === 'update-secrets' ? [] : ['-c', `codePath=${CODE}`];
    const { status, stderr } = run(command, ['--dotenv', VALID, ...code]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Need to perform AWS calls for account 000000000000, but no credentials have been configured/,
    );
    assert.equal(stderr.split('\n').length, 1);
  });
}

test('bootstrap: without a boundary, the CloudFormation policy is required', () => {
  const { status, stderr } = run('bootstrap', [
    '--dotenv',
    VALID,
    '-c',
    'permissionsBoundary=none',
  ]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /permissionsBoundary is none, so --cloudformation-execution-policies is required/,
  );
});

test('synth: works in a folder whose name has special characters', () => {
  const root = join(FOLDER, 'repository');
  mkdirSync(root);
  for (const path of ['cdk', 'scripts', 'cdk.json', 'package.json']) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const code = join(FOLDER, 'code');
  cpSync(CODE, code, { recursive: true });
  const args = ['--dotenv', VALID, '-c', `codePath=${code}`, '--json'];
  const { status, stdout, stderr } = run('synth', args, root);
  assert.equal(status, 0, stderr);
  const { Resources } = JSON.parse(stdout) as { Resources: object };
  assert.ok(Object.keys(Resources).length > 5);
});

test('synth: reports an invalid context without a stack trace', () => {
  const args = ['--dotenv', VALID, '-c', 'endpointauth=NONE', '-c', 'memorySize=1'];
  const { status, stdout, stderr } = run('synth', args);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /endpointauth: unknown key \(did you mean endpointAuth\?\)\n.*memorySize: expected/,
  );
  assert.ok(!stderr.includes('    at '), stderr);
});

for (const command of COMMANDS) {
  for (const flag of ['--help', '-h']) {
    test(`${command} ${flag}: prints the options without any check`, () => {
      // Neither the packages nor .env nor AWS are needed.
      const root = join(FOLDER, `help ${command} ${flag}`);
      cpSync(join(ROOT, 'scripts'), join(root, 'scripts'), { recursive: true });
      const args = ['--dotenv', 'none.env', flag];
      const { status, stdout, stderr } = run(command, args, root, '/nowhere');
      assert.deepEqual([status, stderr], [0, '']);
      assert.ok(stdout.startsWith(`npm run ${command} -- [options]\n`), stdout);
      assert.match(stdout, /--dotenv FILE/);
    });
  }
}

test('synth: needs neither a file nor an account', () => {
  const root = join(FOLDER, 'without env');
  for (const path of ['cdk', 'scripts', 'cdk.json', 'package.json']) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const args = ['-c', `codePath=${CODE}`, '-c', 'endpointAuth=API_KEY', '--json'];
  const { status, stdout, stderr } = run('synth', args, root);
  assert.equal(status, 0, stderr);
  assert.ok('Resources' in (JSON.parse(stdout) as object));
  assert.match(stderr, /with API_KEY, every call fails .* run npm run update-secrets/);
  // A key prevents the warning, and the template contains the account.
  const variables = { ENDPOINT_API_KEY: 'sentinel', DEPLOY_ACCOUNT: '222222222222' };
  const set = run('synth', args, root, process.env['PATH'], {
    ...variables,
    DEPLOY_REGION: 'eu-west-1',
  });
  assert.equal(set.status, 0, set.stderr);
  assert.ok(!set.stderr.includes('API_KEY'), set.stderr);
  assert.match(set.stdout, /eu-west-1:222222222222:parameter/);
});

test('deploy: without a profile, the credentials in the environment are used', () => {
  const file = join(FOLDER, 'ci.env');
  writeFileSync(file, 'NODE_ENV=test\n', { mode: 0o600 });
  const variables = { DEPLOY_ACCOUNT: '000000000000', DEPLOY_REGION: 'us-west-2' };
  const args = ['--dotenv', file, '-c', `codePath=${CODE}`];
  const none = run('deploy', args, ROOT, process.env['PATH'], variables).stderr;
  assert.match(
    none,
    /^Need to perform AWS calls for account 000000000000, but no credentials were/,
  );
  assert.match(none, /set DEPLOY_PROFILE .* or set AWS_ACCESS_KEY_ID/);
  // A profile that does not exist is not replaced by other credentials without an error.
  const both = run('deploy', ['--dotenv', VALID, ...args.slice(2)], ROOT, process.env['PATH'], {
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  }).stderr;
  assert.match(both, /profile none-such.*to use the credentials in the environment, unset DEPLOY_/);
});

test('update-secrets --dry-run: prints the names without calling AWS', () => {
  const variables = { GEMINI_API_KEY: 'sentinel', NODE_ENV: 'other' };
  const args = ['--dotenv', VALID, '--dry-run', '-c', 'stackName=Mine'];
  const { status, stdout, stderr } = run(
    'update-secrets',
    args,
    ROOT,
    process.env['PATH'],
    variables,
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(stdout.split('\n'), [
    'XAI_API_KEY -> /Mine/Secret/KeyXAI',
    'GEMINI_API_KEY -> /Mine/Secret/KeyGoogle (from the environment)',
    'Without --dry-run, 2 keys would be stored in Parameter Store.',
    '',
  ]);
});
