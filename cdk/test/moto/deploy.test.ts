// The documented way, from bootstrap to destroy, against moto; and the real binary with what was
// deployed. moto knows no function URL, so that the stack is deployed without; nor does it ask
// whether a role may do what it does.
//
// The tests are steps: each needs the one before it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { policyOf } from '../support/iam.ts';
import { Account, MOTO_ACCOUNT, MOTO_REGION } from './account.ts';
import { Desk, KEY, Running, Simulator, fileOf, tool, unzip } from './world.ts';

const OPTIONS = [
  '-c',
  'endpointEnabled=false',
  '-c',
  'queueEnabled=true',
  '-c',
  'inboxPrefix=inbox/',
  '-c',
  'batchEnabled=true',
  '-c',
  'alarmEmail=ops@example.com',
];
const PARAMETER = '/LlmExeLambda/Secret/KeyOpenAI';

describe('a deployment', () => {
  let account: Account;
  let desk: Desk;
  let simulator: Simulator;
  let running: Running | undefined;
  let bucket = '';
  let batch = '';
  const options = [...OPTIONS, '-c', `codePath=${tool('LLM_EXE_ZIP')}`];

  before(async () => {
    account = await Account.start(tool('MOTO_SERVER'));
    simulator = await Simulator.start(tool('LLM_EXE_SIMULATOR'));
    desk = new Desk(account);
  });

  after(async () => {
    await running?.stop();
    await simulator.stop();
    await account.stop();
  });

  /** Physical name of a resource, by what its logical one begins with. */
  async function resource(type: string, begins = ''): Promise<string> {
    const xml = await account.query('cloudformation', {
      Action: 'DescribeStackResources',
      StackName: 'LlmExeLambda',
    });
    const members = xml.split('<member>').filter((one) => one.includes(`>${type}<`));
    const member = members.find((one) => one.includes(`<LogicalResourceId>${begins}`)) ?? '';
    return /<PhysicalResourceId>([^<]+)</.exec(member)?.[1] ?? '';
  }

  async function functionArn(): Promise<string> {
    const name = await resource('AWS::Lambda::Function');
    return `arn:aws:lambda:${MOTO_REGION}:${MOTO_ACCOUNT}:function:${name}`;
  }

  async function parameter(name: string): Promise<unknown> {
    const body = { Name: name, WithDecryption: true };
    const found = await account.json('AmazonSSM.GetParameter', 'ssm', body);
    return (found['Parameter'] as { Value: string; Type: string }) ?? undefined;
  }

  test('the policies of the account guide are taken', async () => {
    for (const name of [
      'LlmExeLambdaCdkPermissionBoundaryPolicy',
      'LlmExeLambdaCdkHttpApiPolicy',
      'DeployLlmExeCdkAppPolicy',
    ]) {
      const { policy } = policyOf(name);
      await account.query('iam', {
        Action: 'CreatePolicy',
        PolicyName: name,
        PolicyDocument: JSON.stringify(policy),
      });
    }
  });

  test('another account’s profile is refused', async () => {
    desk.env({ DEPLOY_ACCOUNT: '111111111111' });
    for (const command of ['bootstrap', 'deploy', 'diff', 'destroy', 'update-secrets']) {
      // Without a zip, deploy would first ask for the tools that build one.
      const { status, out } = await desk.npm(command, '-c', `codePath=${tool('LLM_EXE_ZIP')}`);
      assert.match(out, /DEPLOY_ACCOUNT is 111111111111, but the profile my-profile is of account/);
      assert.equal(status, 1, command);
    }
    desk.env({});
  });

  test('npm run bootstrap', async () => {
    const { status, out } = await desk.npm('bootstrap');
    assert.equal(status, 0, out);
    assert.match(out, /No key is set/);
    const xml = await account.query('cloudformation', {
      Action: 'DescribeStacks',
      StackName: 'LlmExeLambdaToolkit',
    });
    assert.match(xml, /<ParameterValue>llmexe</);
    const policy = `arn:aws:iam::${MOTO_ACCOUNT}:policy/LlmExeLambdaCdkPermissionBoundaryPolicy`;
    assert.ok(xml.includes(policy), xml);
    for (const role of ['deploy', 'file-publishing', 'image-publishing', 'lookup', 'cfn-exec']) {
      const name = `cdk-llmexe-${role}-role-${MOTO_ACCOUNT}-${MOTO_REGION}`;
      const told = await account.query('iam', { Action: 'GetRole', RoleName: name });
      assert.match(told, /<PermissionsBoundary>/, name);
      assert.ok(told.includes(policy), told);
    }
  });

  test('npm run deploy', async () => {
    const { status, out } = await desk.npm('deploy', '--require-approval', 'never', ...options);
    assert.equal(status, 0, out);
    bucket = await resource('AWS::S3::Bucket', 'LlmPrompts');
    assert.match(bucket, /^llmexelambda-llmprompts/);
  });

  test('the function starts with what was deployed, and misses its key by name', async () => {
    const name = await resource('AWS::Lambda::Function');
    const response = await account.rest('lambda', 'GET', `/2015-03-31/functions/${name}`);
    const { Configuration: found } = (await response.json()) as {
      Configuration: { Environment: { Variables: Record<string, string> } };
    };
    const deployed = found.Environment.Variables;
    assert.equal(deployed['AWS_S3_FILES_BUCKET_NAME'], bucket);
    running = new Running(unzip(tool('LLM_EXE_ZIP')), account, deployed, simulator);
    const answer = await account.invoke(JSON.parse(fileOf('examples/kitten.json')));
    const { errorType, errorMessage } = answer as Record<string, string>;
    assert.equal(errorType, 'SecretNotFound');
    assert.match(errorMessage!, new RegExp(`${PARAMETER}.*npm run update-secrets`, 's'));
  });

  test('npm run update-secrets puts what is set, as it is, and tells no value', async () => {
    desk.env({ OPEN_AI_API_KEY: `'first'`, ANTHROPIC_API_KEY: '' });
    assert.equal((await desk.npm('update-secrets')).status, 0);
    // Each quote of .env but one occurs in the key.
    desk.env({ OPENAI_API_KEY: `'${KEY.replaceAll("'", '’')}'` });
    const { status, out } = await desk.npm('update-secrets');
    assert.equal(status, 0, out);
    assert.deepEqual(out.match(/^\S+ -> .*$/gm), [`OPEN_AI_API_KEY -> ${PARAMETER}`]);
    assert.ok(!out.includes('sentinel'), out);
    const found = (await parameter(PARAMETER)) as { Value: string; Type: string };
    assert.deepEqual([found.Value, found.Type], [KEY.replaceAll("'", '’'), 'SecureString']);
    await assert.rejects(parameter('/LlmExeLambda/Secret/KeyAnthropic'), /ParameterNotFound/);
    const servers = { own: { baseUrl: 'https://a.example', key: 'KeyOwn', keyEnv: 'OWN_API_KEY' } };
    desk.env({ OWN_API_KEY: 'own' });
    const context = `openAiCompatibleProviders=${JSON.stringify(servers)}`;
    assert.match((await desk.npm('update-secrets', '-c', context)).out, /^OWN_API_KEY -> /m);
    // What is no header of HTTP is no key; now one that is.
    desk.env({ OPEN_AI_API_KEY: 'sk-any' });
    assert.equal((await desk.npm('update-secrets')).status, 0);
  });

  test('a prompt in the bucket is asked for and answered', async () => {
    const put = await account.rest(
      's3',
      'PUT',
      `/${bucket}/kitten.json`,
      fileOf('examples/prompts/kitten.json'),
    );
    assert.equal(put.status, 200);
    const answer = await account.invoke({ key: 'kitten.json' });
    assert.match(String(answer), /^Simulated reply from/);
    const missing = (await account.invoke({ key: 'no.json' })) as Record<string, string>;
    assert.equal(missing['errorType'], 'ConfigNotFound');
  });

  test('a batch of the queue is answered record by record, and its results are kept', async () => {
    const { Records } = JSON.parse(fileOf('examples/events/sqs.json')) as {
      Records: Record<string, unknown>[];
    };
    const record = (messageId: string, body: unknown): object => ({
      ...Records[0],
      messageId,
      body: JSON.stringify(body),
    });
    const event = { Records: [record('good', { key: 'kitten.json' }), record('bad', { key: 1 })] };
    await simulator.script([]);
    const failures = { batchItemFailures: [{ itemIdentifier: 'bad' }] };
    assert.deepEqual(await account.invoke(event), failures);
    assert.deepEqual(await account.invoke(event), failures);
    assert.equal((await simulator.journal()).length, 1, 'what is kept is not asked again');
    const listed = await (await account.rest('s3', 'GET', `/${bucket}?prefix=results/`)).text();
    assert.equal([...listed.matchAll(/<Key>results\/records\/\w+\.json</g)].length, 2);
  });

  test('Step Functions run the research, one call feeding the next', async () => {
    // Read before moto is told to run machines: it keeps those apart.
    batch = await account.definition(await resource('AWS::StepFunctions::StateMachine', 'Batch'));
    await account.interpretStateMachines();
    const definition = fileOf('examples/step-functions/research.asl.json');
    const machine = await account.stateMachine('research', definition, await functionArn());
    account.events.length = 0;
    await simulator.script([]);
    const done = await account.execute(machine, { topic: 'shark week' });
    assert.equal(done.status, 'SUCCEEDED', JSON.stringify(done));
    assert.match(String(done.output), /^Simulated reply from .*Write a short article about/);
    const [plan, write] = account.events as { data: Record<string, unknown> }[];
    assert.deepEqual(plan?.data, { topic: 'shark week' });
    assert.deepEqual(Object.keys(write?.data ?? {}).sort(), ['explanation', 'query']);
  });

  test('what another try can help is tried again, and a plan that is none is caught', async () => {
    // No pauses, so that the test has none.
    const definition = fileOf('examples/step-functions/research.asl.json').replaceAll(
      /"IntervalSeconds": \d+/g,
      '"IntervalSeconds": 1',
    );
    const machine = await account.stateMachine('again', definition, await functionArn());
    account.events.length = 0;
    const quota = {
      error: { type: 'insufficient_quota', code: 'insufficient_quota', message: '' },
    };
    await simulator.script([
      { times: 1, then: { status: 429, body: quota } },
      {
        when: { promptContains: 'You plan' },
        times: 9,
        then: { text: 'I would rather not plan.' },
      },
    ]);
    const done = await account.execute(machine, { topic: 'shark week' });
    assert.equal(done.status, 'SUCCEEDED', JSON.stringify(done));
    assert.match(String(done.output), /about shark week, because the topic itself/);
    assert.equal(account.events.length, 3, 'a plan refused, a plan that is none, an article');
  });

  test('what no other try can help fails by its name', async () => {
    const definition = fileOf('examples/step-functions/research.asl.json');
    const machine = await account.stateMachine('fails', definition, await functionArn());
    await simulator.script([{ times: 9, then: { status: 401 } }]);
    const done = await account.execute(machine, { topic: 'shark week' });
    assert.deepEqual([done.status, done.error], ['FAILED', 'ProviderAuthFailed']);
  });

  test('the batch runs a file of requests and keeps what came of each', async () => {
    // moto reads no JSONL and takes no whole number of percent: of the definition that was deployed,
    // only these two words are others.
    assert.match(batch, /"InputType":"JSONL"/);
    const definition = batch
      .replace('"JSONL"', '"JSON"')
      .replace(/("ToleratedFailurePercentage":\d+)/, '$1.0');
    assert.match(batch, /"ResultWriter"/);
    const machine = await account.stateMachine('batch', definition, '');
    const lines = fileOf('examples/step-functions/batch.jsonl').trim().split('\n');
    await account.rest('s3', 'PUT', `/${bucket}/batch/requests.jsonl`, `[${lines.join(',')}]`);
    account.events.length = 0;
    await simulator.script([]);
    const done = await account.execute(machine, { key: 'batch/requests.jsonl' });
    assert.equal(done.status, 'SUCCEEDED', JSON.stringify(done));
    const asked = lines.map((line) => JSON.parse(line) as unknown);
    const byText = (one: unknown, other: unknown): number =>
      JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
    assert.deepEqual(account.events.toSorted(byText), asked.toSorted(byText));
    assert.equal((await simulator.journal()).length, lines.length);
    // moto writes the manifest of the results, and not the results.
    const { Key } = (JSON.parse(String(done.output)) as { ResultWriterDetails: { Key: string } })
      .ResultWriterDetails;
    assert.match(Key, /^batch\/results\/.*\/manifest\.json$/);
    assert.equal((await account.rest('s3', 'GET', `/${bucket}/${Key}`)).status, 200);
  });

  test('npm run diff finds nothing to change, and what would', async () => {
    const same = await desk.npm('diff', '--method=template', ...options);
    assert.equal(same.status, 0, same.out);
    assert.match(same.out, /There were no differences/);
    const more = await desk.npm('diff', '--method=template', ...options, '-c', 'memorySize=1024');
    assert.match(more.out, /MemorySize/);
  });

  test('npm run destroy leaves the keys', async () => {
    // The bucket is kept by a policy that moto does not know (RetainExceptOnCreate).
    const { status, out } = await desk.npm('destroy', '--force', ...options);
    assert.equal(status, 0, out);
    await assert.rejects(resource('AWS::Lambda::Function'), /does not exist/);
    assert.ok(await parameter(PARAMETER));
  });
});
