// Tests how .env is parsed: rejected files, and values with quotes, comments and shell syntax.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'dotenv';

import {
  ENV,
  EnvError,
  compatibleRows,
  readEnv,
  readEnvFile,
  readOptionalEnvFile,
  warnOfPermissions,
} from '../lib/env.ts';
import { ROOT } from './support/synth.ts';

const VALID: Record<string, string> = {
  NODE_ENV: 'production',
  DEPLOY_ACCOUNT: '000000000000',
  DEPLOY_REGION: 'us-west-2',
  DEPLOY_PROFILE: 'llm-exe-lambda',
};

function envText(values: Record<string, string>): string {
  return Object.entries({ ...VALID, ...values })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Returns a case with a value that dotenv would truncate or whose quotes it would not remove. */
function ambiguous(value: string): [Record<string, string>, string] {
  const message = 'XAI_API_KEY: expected the value in quotes that do not occur in it, got';
  return [{ XAI_API_KEY: value }, message];
}

const INVALID: [Record<string, string>, string][] = [
  [{ NODE_ENV: '' }, 'NODE_ENV is not set'],
  [{ NODE_ENV: 'two words' }, 'NODE_ENV: expected one word'],
  [{ DEPLOY_ACCOUNT: '' }, 'DEPLOY_ACCOUNT is not set (ID of your AWS account, 12 digits)'],
  [
    { DEPLOY_ACCOUNT: '1234' },
    'DEPLOY_ACCOUNT: expected the 12 digits of an AWS account, got "1234"',
  ],
  [{ DEPLOY_ACCOUNT: '1234-5678-9012' }, 'DEPLOY_ACCOUNT: expected the 12 digits'],
  [{ DEPLOY_REGION: '' }, 'DEPLOY_REGION is not set'],
  [
    { DEPLOY_REGION: 'us-west' },
    'DEPLOY_REGION: expected an AWS region like us-west-2, got "us-west"',
  ],
  [{ DEPLOY_REGION: 'us-wets-2' }, 'DEPLOY_REGION: expected an AWS region'],
  [{ DEPLOY_REGION: 'us-west-2a' }, 'DEPLOY_REGION: expected an AWS region'],
  [{ DEPLOY_PROFILE: '"a b"' }, 'DEPLOY_PROFILE: expected the name of a profile'],
  [{ DEPLOY_PROFILE: '--force' }, 'DEPLOY_PROFILE: expected the name of a profile'],
  [{ DEPLOY_PROFILE: '-x' }, 'DEPLOY_PROFILE: expected the name of a profile'],
  [
    { ANTROPIC_API_KEY: 'a' },
    'ANTROPIC_API_KEY: unknown variable (did you mean ANTHROPIC_API_KEY?)',
  ],
  [{ DEPLOY_ACOUNT: '1' }, 'DEPLOY_ACOUNT: unknown variable (did you mean DEPLOY_ACCOUNT?)'],
  [
    { OPEN_AI_API_KEY: 'a', OPENAI_API_KEY: 'b' },
    'OPENAI_API_KEY and OPEN_AI_API_KEY are names of the same variable but have different values',
  ],
  ...['sentinel#b', '#sentinel', 'sentinel #b', "'sentinel'#b"].map(ambiguous),
  ...['"sentinel', "'sentinel", '`sentinel', '"sentinel"b', 'sentinel"'].map(ambiguous),
  ...[`'sentinel # it's'`, `"sentinel' # b`].map(ambiguous),
  [{ OPENAI_API_KEY: 'a#b' }, 'OPENAI_API_KEY: expected the value in quotes'],
  [{ 'export XAI_API_KEY': 'a#b' }, 'XAI_API_KEY: expected the value in quotes'],
  [{ NODE_ENV: 'test#1' }, 'NODE_ENV: expected the value in quotes'],
  [{ XAI_API_KEY: '"a\nb"' }, 'XAI_API_KEY: expected a key without line breaks'],
];

for (const [values, message] of INVALID) {
  test(`rejects ${JSON.stringify(values)}`, () => {
    assert.throws(
      () => readEnv(envText(values)),
      (error) =>
        error instanceof EnvError &&
        error.message.includes(`.env: ${message}`) &&
        !error.message.includes('sentinel'),
    );
  });
}

test('no error message contains a key', () => {
  const keys = { OPEN_AI_API_KEY: 'sentinel1', OPENAI_API_KEY: 'sentinel2', NODE_ENV: '' };
  assert.throws(
    () => readEnv(envText(keys)),
    (error) => error instanceof EnvError && !error.message.includes('sentinel'),
  );
});

test('all problems are reported together, and a missing file is reported', () => {
  assert.throws(() => readEnv(''), /NODE_ENV.*\n.*DEPLOY_ACCOUNT.*\n.*DEPLOY_REGION/);
  assert.throws(
    () => readEnvFile('/no/such/.env'),
    /\/no\/such\/\.env: file not found; copy \.env\.sample/,
  );
  assert.throws(() => readEnvFile('/'), /cannot read the file \(EISDIR\)/);
});

test('a file that other users can read causes a warning', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llm-exe-env-'));
  const file = join(folder, '.env');
  try {
    writeFileSync(file, '');
    for (const [mode, expected] of [
      [0o600, undefined],
      [0o400, undefined],
      [0o644, 'mode 644'],
      [0o640, 'mode 640'],
      [0o602, 'mode 602'],
    ] as const) {
      chmodSync(file, mode);
      const warning = warnOfPermissions(file);
      assert.ok(expected ? warning?.includes(expected) : warning === undefined, warning);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('values are read without changes', () => {
  const values = [
    [`'a # b'`, 'a # b'],
    [`"it's"`, `it's`],
    ['`it\'s "so"`', `it's "so"`],
    ['$(touch /tmp/never)', '$(touch /tmp/never)'],
    ['plain # a comment', 'plain'],
    [' "quoted" # it\'s a "comment"', 'quoted'],
    [`"it's #1" # so`, `it's #1`],
    [`'it's'`, `it's`],
    ['a"b', 'a"b'],
    ['a=b=c', 'a=b=c'],
  ];
  for (const [written, value] of values) {
    const { secrets } = readEnv(envText({ XAI_API_KEY: written! }));
    assert.deepEqual(secrets, [{ name: 'XAI_API_KEY', parameter: 'KeyXAI', value }]);
  }
  assert.deepEqual(readEnv(envText({ MY_APP_TOKEN: 'a#b', XAI_API_KEY: ' # none' })).secrets, []);
  assert.deepEqual(readEnv(envText({ XAI_API_KEY: '', GEMINI_API_KEY: '  ' })).secrets, []);
  const alias = readEnv(envText({ OPEN_AI_API_KEY: 'x' })).secrets;
  assert.deepEqual(alias, [{ name: 'OPENAI_API_KEY', parameter: 'KeyOpenAI', value: 'x' }]);
});

test('variables of other programs are ignored', () => {
  const variables = {
    AWS_REGION: 'x',
    AWS_ACCESS_KEY_ID: 'y',
    MY_APP_TOKEN: 'z',
    ZAI_API_KEY: 'z',
  };
  assert.deepEqual(readEnv(envText(variables)).secrets, []);
});

test('keys of OpenAI-compatible providers are stored under their configured names', () => {
  const rows = compatibleRows({
    inhouse: { baseUrl: 'https://a.example', key: 'KeyInhouse', keyEnv: 'INHOUSE_API_KEY' },
    open: { baseUrl: 'https://b.example' },
  });
  const { secrets } = readEnv(envText({ INHOUSE_API_KEY: 'x' }), '.env', {
    additionalRows: rows,
  });
  const expected = { name: 'INHOUSE_API_KEY', parameter: 'KeyInhouse', value: 'x' };
  assert.deepEqual(secrets, [expected]);
});

test('environment variables take precedence over the file', () => {
  const variables = {
    DEPLOY_ACCOUNT: '111111111111',
    DEPLOY_PROFILE: 'from-environment',
    OPEN_AI_API_KEY: 'from-environment',
    GEMINI_API_KEY: '',
    NODE_ENV: undefined,
  };
  const file = { OPENAI_API_KEY: 'from-file', GEMINI_API_KEY: 'from-file' };
  const { secrets, ...rest } = readEnv(envText(file), '.env', { variables });
  assert.deepEqual(rest, {
    environment: 'production',
    account: '111111111111',
    region: 'us-west-2',
    profile: 'from-environment',
  });
  // An empty variable counts as unset, and two names of a key are compared within one source only.
  assert.deepEqual(secrets, [
    {
      name: 'OPENAI_API_KEY',
      parameter: 'KeyOpenAI',
      value: 'from-environment',
      isFromEnvironment: true,
    },
    { name: 'GEMINI_API_KEY', parameter: 'KeyGoogle', value: 'from-file' },
  ]);
  const withoutProfile = readEnv(envText({}), '.env', { variables: { DEPLOY_PROFILE: '' } });
  assert.equal(withoutProfile.profile, undefined);
});

test('an invalid environment variable is reported as such, and never quoted if it is a key', () => {
  const variables = { DEPLOY_REGION: 'mars', XAI_API_KEY: 'sentinel\n2' };
  assert.throws(
    () => readEnv(envText({}), '.env', { variables }),
    (error: Error) =>
      error.message.includes('environment variables: DEPLOY_REGION: expected an AWS region') &&
      error.message.includes('environment variables: XAI_API_KEY: expected a key without line') &&
      !error.message.includes('sentinel'),
  );
});

test('the profile is optional, and nothing is required for a template', () => {
  const { DEPLOY_PROFILE, ...required } = VALID;
  const text = Object.entries(required).map(([name, value]) => `${name}=${value}\n`);
  assert.equal(readEnv(text.join('')).profile, undefined);
  assert.deepEqual(readEnv('', '.env', { isPartial: true }).secrets, []);
  assert.throws(() => readEnv('DEPLOY_ACCOUNT=1', '.env', { isPartial: true }), /12 digits/);
});

test('the file may be missing if environment variables have everything', () => {
  const missing = '/no/such/.env';
  assert.equal(readOptionalEnvFile(missing, { variables: VALID }).account, '000000000000');
  assert.equal(readOptionalEnvFile(missing, { isPartial: true }).account, undefined);
  assert.throws(
    () => readOptionalEnvFile(missing, { variables: { ...VALID, DEPLOY_REGION: '' } }),
    /file not found; copy .env.sample .* or set the variables in the environment:\n.*DEPLOY_REGION/,
  );
});

test('.env.sample contains every variable and no key', () => {
  const sample = parse(readFileSync(join(ROOT, '.env.sample'), 'utf8'));
  assert.deepEqual(
    Object.keys(sample),
    ENV.map(({ name }) => name),
    '.env.sample is out of date; run scripts/update',
  );
  for (const { name, secret } of ENV) if (secret) assert.equal(sample[name], '');
});

test('the headers of traces are checked, and messages do not contain them', () => {
  const secretsOf = (headers: string) =>
    readEnv(`TRACE_HEADERS="${headers}"`, '.env', { isPartial: true }).secrets;
  for (const headers of ['authorization=Bearer%20a', 'x-key=a=b==,x-team=c', 'a=b%2Cc,d=']) {
    assert.deepEqual(secretsOf(headers), [
      { name: 'TRACE_HEADERS', parameter: 'KeyTraceHeaders', value: headers },
    ]);
  }
  for (const headers of [
    'sentinel',
    'authorization: sentinel',
    'authorization=Bearer sentinel',
    'a=sentinel,b',
    'a b=sentinel',
  ]) {
    assert.throws(
      () => secretsOf(headers),
      (error: Error) => {
        assert.match(
          error.message,
          /^\.env: TRACE_HEADERS: expected headers like name=value,other=/,
        );
        assert.ok(!error.message.includes('sentinel'), error.message);
        return true;
      },
      headers,
    );
  }
});
