// Runs the documented deployment, from bootstrap to destroy, against moto, and runs the real binary
// with the environment of the deployed function. moto does not support function URLs, so the stack
// is deployed without one. moto does not enforce IAM policies.
//
// The tests run in order, and each test depends on the previous ones.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { policyOf } from '../support/iam.ts';
import { Account, MOTO_ACCOUNT, MOTO_REGION } from './account.ts';
import {
  Binary,
  ENVIRONMENT_KEYS,
  KEY,
  Simulator,
  User,
  documentedCommands,
  readFile,
  tool,
  unzip,
} from './fixtures.ts';

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
  '-c',
  'dashboardEnabled=true',
];
const PARAMETER = '/LlmExeLambda/Secret/KeyOpenAI';

describe('a deployment', () => {
  let account: Account;
  let user: User;
  let simulator: Simulator;
  let binary: Binary | undefined;
  let bucket = '';
  let batch = '';
  const options = [...OPTIONS, '-c', `codePath=${tool('LLM_EXE_ZIP')}`];

  before(async () => {
    account = await Account.start(tool('MOTO_SERVER'));
    simulator = await Simulator.start(tool('LLM_EXE_SIMULATOR'));
    user = new User(account);
  });

  after(async () => {
    await binary?.stop();
    await simulator.stop();
    await account.stop();
  });

  /** Returns the physical ID of a resource, given its type and the start of its logical ID. */
  async function resource(type: string, prefix = ''): Promise<string> {
    const xml = await account.query('cloudformation', {
      Action: 'DescribeStackResources',
      StackName: 'LlmExeLambda',
    });
    const members = xml.split('<member>').filter((xml) => xml.includes(`>${type}<`));
    const member = members.find((xml) => xml.includes(`<LogicalResourceId>${prefix}`)) ?? '';
    return /<PhysicalResourceId>([^<]+)</.exec(member)?.[1] ?? '';
  }

  async function functionArn(): Promise<string> {
    const name = await resource('AWS::Lambda::Function');
    return `arn:aws:lambda:${MOTO_REGION}:${MOTO_ACCOUNT}:function:${name}`;
  }

  async function parameter(name: string): Promise<unknown> {
    const body = { Name: name, WithDecryption: true };
    const reply = await account.json('AmazonSSM.GetParameter', 'ssm', body);
    return (reply['Parameter'] as { Value: string; Type: string }) ?? undefined;
  }

  test('the commands of the account guide create the policies and the user', async () => {
    const { policy } = policyOf('LlmExeLambdaCdkHttpApiPolicy');
    await account.query('iam', {
      Action: 'CreatePolicy',
      PolicyName: 'LlmExeLambdaCdkHttpApiPolicy',
      PolicyDocument: JSON.stringify(policy),
    });
    const script = documentedCommands('documentation/setup/README.md')
      .replace('region=us-west-2', `region=${MOTO_REGION}`)
      .replace('account=000000000000', `account=${MOTO_ACCOUNT}`);
    const { status, output } = await user.bash(script);
    assert.equal(status, 0, output);
    assert.match(output, /"AccessKeyId"/);
    for (const name of ['LlmExeLambdaCdkPermissionBoundaryPolicy', 'DeployLlmExeCdkAppPolicy']) {
      const xml = await account.query('iam', {
        Action: 'GetPolicyVersion',
        PolicyArn: `arn:aws:iam::${MOTO_ACCOUNT}:policy/${name}`,
        VersionId: 'v1',
      });
      assert.match(xml, new RegExp(MOTO_ACCOUNT));
      assert.doesNotMatch(xml, /YOUR_AWS/);
    }
  });

  test('the commands reject a profile of another account', async () => {
    user.writeEnv({ DEPLOY_ACCOUNT: '111111111111' });
    for (const command of ['bootstrap', 'deploy', 'diff', 'destroy', 'update-secrets']) {
      // Without codePath, the command would first check that the build tools are installed.
      const { status, output } = await user.npm(command, '-c', `codePath=${tool('LLM_EXE_ZIP')}`);
      assert.match(
        output,
        /DEPLOY_ACCOUNT is 111111111111, but the profile my-profile belongs to account/,
      );
      assert.equal(status, 1, command);
    }
    user.writeEnv({});
  });

  test('npm run bootstrap creates the toolkit stack with the boundary on all roles', async () => {
    const { status, output } = await user.npm('bootstrap');
    assert.equal(status, 0, output);
    assert.match(output, /No key is set/);
    const xml = await account.query('cloudformation', {
      Action: 'DescribeStacks',
      StackName: 'LlmExeLambdaToolkit',
    });
    assert.match(xml, /<ParameterValue>llmexe</);
    const policy = `arn:aws:iam::${MOTO_ACCOUNT}:policy/LlmExeLambdaCdkPermissionBoundaryPolicy`;
    assert.ok(xml.includes(policy), xml);
    for (const role of ['deploy', 'file-publishing', 'image-publishing', 'lookup', 'cfn-exec']) {
      const name = `cdk-llmexe-${role}-role-${MOTO_ACCOUNT}-${MOTO_REGION}`;
      const xml = await account.query('iam', { Action: 'GetRole', RoleName: name });
      assert.match(xml, /<PermissionsBoundary>/, name);
      assert.ok(xml.includes(policy), xml);
    }
  });

  test('npm run deploy creates the stack', async () => {
    const { status, output } = await user.npm('deploy', '--require-approval', 'never', ...options);
    assert.equal(status, 0, output);
    bucket = await resource('AWS::S3::Bucket', 'LlmPrompts');
    assert.match(bucket, /^llmexelambda-llmprompts/);
  });

  test('the dashboard has the names of the deployed function, log group and queues', async () => {
    const DashboardName = `LlmExeLambda-${MOTO_REGION}`;
    const xml = await account.query('monitoring', { Action: 'GetDashboard', DashboardName });
    const [, escaped = ''] = /<DashboardBody>([^]*)<\/DashboardBody>/.exec(xml) ?? [];
    const body = escaped.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
    const { widgets } = JSON.parse(body.replaceAll('&amp;', '&')) as { widgets: object[] };
    assert.equal(widgets.length, 14);
    const text = JSON.stringify(widgets);
    const names = [
      await resource('AWS::Lambda::Function'),
      await resource('AWS::Logs::LogGroup'),
      (await resource('AWS::SQS::Queue', 'Queue')).replace(/.*\//, ''),
    ];
    for (const name of names) assert.ok(name !== '' && text.includes(name), name);
    assert.ok(text.includes(`"region":"${MOTO_REGION}"`));
  });

  test('without a profile and a file, the credentials in the environment are used', async () => {
    const variables = {
      ...ENVIRONMENT_KEYS,
      NODE_ENV: 'test',
      DEPLOY_ACCOUNT: MOTO_ACCOUNT,
      DEPLOY_REGION: MOTO_REGION,
      DEPLOY_PROFILE: '',
    };
    // The same command as in the job of docs/deploy.md.
    const args = ['--require-approval', 'never', ...options];
    const { status, output } = await user.npmWith(variables, 'deploy', ...args);
    assert.equal(status, 0, output);
    assert.match(output, /no changes/);
    const other = { ...variables, DEPLOY_ACCOUNT: '111111111111' };
    const rejected = await user.npmWith(other, 'deploy', ...args);
    assert.match(rejected.output, /but the credentials belong to account 123456789012/);
  });

  test('the function starts with the deployed settings and reports the missing key', async () => {
    const name = await resource('AWS::Lambda::Function');
    const response = await account.rest('lambda', 'GET', `/2015-03-31/functions/${name}`);
    const { Configuration: configuration } = (await response.json()) as {
      Configuration: { Environment: { Variables: Record<string, string> } };
    };
    const deployed = configuration.Environment.Variables;
    assert.equal(deployed['AWS_S3_FILES_BUCKET_NAME'], bucket);
    binary = new Binary(unzip(tool('LLM_EXE_ZIP')), account, deployed, simulator);
    const result = await account.invoke(JSON.parse(readFile('examples/kitten.json')));
    const { errorType, errorMessage } = result as Record<string, string>;
    assert.equal(errorType, 'SecretNotFound');
    assert.match(errorMessage!, new RegExp(`${PARAMETER}.*npm run update-secrets`, 's'));
  });

  test('npm run update-secrets stores the keys unchanged and prints no value', async () => {
    user.writeEnv({ OPEN_AI_API_KEY: `'first'`, ANTHROPIC_API_KEY: '' });
    assert.equal((await user.npm('update-secrets')).status, 0);
    // The key contains every type of quote except the type that encloses it in .env.
    user.writeEnv({ OPENAI_API_KEY: `'${KEY.replaceAll("'", '’')}'` });
    const { status, output } = await user.npm('update-secrets');
    assert.equal(status, 0, output);
    assert.deepEqual(output.match(/^\S+ -> .*$/gm), [`OPENAI_API_KEY -> ${PARAMETER}`]);
    assert.ok(!output.includes('sentinel'), output);
    const stored = (await parameter(PARAMETER)) as { Value: string; Type: string };
    assert.deepEqual([stored.Value, stored.Type], [KEY.replaceAll("'", '’'), 'SecureString']);
    await assert.rejects(parameter('/LlmExeLambda/Secret/KeyAnthropic'), /ParameterNotFound/);
    const providers = {
      own: { baseUrl: 'https://a.example', key: 'KeyOwn', keyEnv: 'OWN_API_KEY' },
    };
    user.writeEnv({ OWN_API_KEY: 'own' });
    const context = `openAiCompatibleProviders=${JSON.stringify(providers)}`;
    assert.match((await user.npm('update-secrets', '-c', context)).output, /^OWN_API_KEY -> /m);
    // The key above is not a valid HTTP header value, so the function rejects it. Store a valid
    // key.
    user.writeEnv({ OPEN_AI_API_KEY: 'sk-any' });
    assert.equal((await user.npm('update-secrets')).status, 0);
  });

  test('a hosted config in the bucket is run', async () => {
    const put = await account.rest(
      's3',
      'PUT',
      `/${bucket}/kitten.json`,
      readFile('examples/prompts/kitten.json'),
    );
    assert.equal(put.status, 200);
    const response = await account.invoke({ key: 'kitten.json' });
    assert.match(String(response), /^Simulated reply from/);
    const missing = (await account.invoke({ key: 'no.json' })) as Record<string, string>;
    assert.equal(missing['errorType'], 'ConfigNotFound');
  });

  test('an SQS event returns partial failures, and results are stored', async () => {
    const { Records } = JSON.parse(readFile('examples/events/sqs.json')) as {
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
    assert.equal((await simulator.journal()).length, 1, 'a stored result is not requested again');
    const listed = await (await account.rest('s3', 'GET', `/${bucket}?prefix=results/`)).text();
    assert.equal([...listed.matchAll(/<Key>results\/records\/\w+\.json</g)].length, 2);
  });

  test('the commands of docs/deploy.md send a request and wait for its result', async () => {
    const QueueUrl = await resource('AWS::SQS::Queue', 'Queue');
    const script = documentedCommands('docs/deploy.md')
      .replaceAll('QUEUE_URL', QueueUrl)
      .replaceAll('PROMPT_BUCKET', bucket);
    await simulator.script([]);
    const command = user.bash(script);
    // In AWS, Lambda receives the messages of the queue and invokes the function.
    let message: { MessageId: string; Body: string; ReceiptHandle: string } | undefined;
    for (let left = 300; !message && left > 0; left--) {
      const reply = await account.json('AmazonSQS.ReceiveMessage', 'sqs', { QueueUrl });
      message = (reply['Messages'] as (typeof message)[] | undefined)?.[0];
      if (!message) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (!message) assert.fail(`no message was sent: ${(await command).output}`);
    const [name = ''] = QueueUrl.split('/').slice(-1);
    const record = {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:${MOTO_REGION}:${MOTO_ACCOUNT}:${name}`,
      awsRegion: MOTO_REGION,
    };
    assert.deepEqual(await account.invoke({ Records: [record] }), { batchItemFailures: [] });
    const { status, output } = await command;
    assert.equal(status, 0, output);
    const stored = JSON.parse(output.slice(output.indexOf('{'))) as Record<string, unknown>;
    assert.deepEqual([stored['id'], stored['status']], [message.MessageId, 'ok']);
    assert.match(String(stored['result']), /^Simulated reply from/);
  });

  test('the research state machine passes the first result to the second call', async () => {
    // After `interpretStateMachines`, moto stores state machines separately, so read the definition
    // first.
    batch = await account.definition(await resource('AWS::StepFunctions::StateMachine', 'Batch'));
    await account.interpretStateMachines();
    const definition = readFile('examples/step-functions/research.asl.json');
    const machine = await account.stateMachine('research', definition, await functionArn());
    account.events.length = 0;
    await simulator.script([]);
    const execution = await account.execute(machine, { topic: 'shark week' });
    assert.equal(execution.status, 'SUCCEEDED', JSON.stringify(execution));
    assert.match(String(execution.output), /^Simulated reply from .*Write a short article about/);
    const [plan, write] = account.events as { data: Record<string, unknown> }[];
    assert.deepEqual(plan?.data, { topic: 'shark week' });
    assert.deepEqual(Object.keys(write?.data ?? {}).sort(), ['explanation', 'query']);
  });

  test('the article state machine writes each section of the outline', async () => {
    const definition = readFile('examples/step-functions/article.asl.json');
    const machine = await account.stateMachine('article', definition, await functionArn());
    account.events.length = 0;
    const outline = JSON.stringify({ title: 'Whales', sections: ['A', 'B'] });
    const when = { promptContains: 'Plan an article' };
    await simulator.script([{ when, times: 1, then: { text: outline } }]);
    const execution = await account.execute(machine, { topic: 'whales' });
    assert.equal(execution.status, 'SUCCEEDED', JSON.stringify(execution));
    assert.match(String(execution.output), /^Simulated reply from .*Make one article/);
    const events = account.events as { data: Record<string, unknown> }[];
    assert.equal(events.length, 4);
    const items = events.slice(1, 3).map((event) => event.data['item']);
    assert.deepEqual(items.sort(), ['A', 'B']);
  });

  test('temporary errors are retried, and an invalid plan is caught', async () => {
    // Shorten the retry intervals to keep the test fast.
    const definition = readFile('examples/step-functions/research.asl.json').replaceAll(
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
    const execution = await account.execute(machine, { topic: 'shark week' });
    assert.equal(execution.status, 'SUCCEEDED', JSON.stringify(execution));
    assert.match(String(execution.output), /about shark week, because the topic itself/);
    assert.equal(account.events.length, 3, 'a rate-limited plan, an invalid plan, an article');
  });

  test('a permanent error fails the execution with its errorType', async () => {
    const definition = readFile('examples/step-functions/research.asl.json');
    const machine = await account.stateMachine('fails', definition, await functionArn());
    await simulator.script([{ times: 9, then: { status: 401 } }]);
    const execution = await account.execute(machine, { topic: 'shark week' });
    assert.deepEqual([execution.status, execution.error], ['FAILED', 'ProviderAuthFailed']);
  });

  /** Approves the refund of order 1 and rejects that of order 2. Returns the received messages. */
  async function decide(QueueUrl: string): Promise<Record<string, unknown>> {
    const decided: Record<string, unknown> = {};
    for (let left = 300; Object.keys(decided).length < 2 && left > 0; left--) {
      const reply = await account.json('AmazonSQS.ReceiveMessage', 'sqs', { QueueUrl });
      for (const { Body } of (reply['Messages'] ?? []) as { Body: string }[]) {
        const { taskToken, call, text } = JSON.parse(Body) as {
          taskToken: string;
          call: { arguments: { order: string } };
          text: string;
        };
        const { order } = call.arguments;
        decided[order] = { call, text };
        await (order === '1'
          ? account.json('AWSStepFunctions.SendTaskSuccess', 'states', {
              taskToken,
              output: '{"refunded":540}',
            })
          : account.json('AWSStepFunctions.SendTaskFailure', 'states', {
              taskToken,
              error: 'Rejected',
              cause: 'The order is a year old.',
            }));
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return decided;
  }

  test('the approval state machine waits for two decisions and continues with them', async () => {
    const created = await account.json('AmazonSQS.CreateQueue', 'sqs', { QueueName: 'approvals' });
    const QueueUrl = String(created['QueueUrl']);
    const definition = readFile('examples/step-functions/approval.asl.json').replace(
      '${ApprovalQueueUrl}',
      QueueUrl,
    );
    const machine = await account.stateMachine('approval', definition, await functionArn());
    account.events.length = 0;
    const refund = (order: string): object => ({
      name: 'refund',
      arguments: { order, cents: 540 },
    });
    await simulator.script([
      { times: 1, then: { text: 'I will refund both.', toolCalls: [refund('1'), refund('2')] } },
      { times: 1, then: { text: 'We refunded order 1.' } },
    ]);
    const running = account.execute(machine, { complaint: 'Both orders arrived broken.' });
    const decided = await decide(QueueUrl);
    const { status, output, error } = await running;
    assert.equal(status, 'SUCCEEDED', JSON.stringify({ error, decided }));
    // Step Functions would encode the text as JSON.
    assert.equal(output, 'We refunded order 1.');
    const [first, second, ...others] = account.events as Record<string, unknown>[];
    assert.deepEqual(others, []);
    assert.deepEqual(first?.['data'], { complaint: 'Both orders arrived broken.' });
    const { continue: id, toolResults, ...same } = second ?? {};
    assert.deepEqual(same, first);
    assert.match(String(id), /^[0-9a-f]{64}$/);
    const calls = ['1', '2'].map(
      (order) => decided[order] as { call: { id: string }; text: string },
    );
    assert.equal(calls[0]!.text, 'I will refund both.');
    const [approved, rejected] = toolResults as Record<string, unknown>[];
    assert.deepEqual(approved, { id: calls[0]!.call.id, result: { refunded: 540 } });
    assert.equal(rejected?.['id'], calls[1]!.call.id);
    // moto drops the cause of SendTaskFailure.
    assert.equal((JSON.parse(String(rejected?.['error'])) as { Error: string }).Error, 'Rejected');
    assert.equal((await simulator.journal()).length, 2);
    const key = `results/conversations/${String(id)}.json`;
    assert.equal((await account.rest('s3', 'GET', `/${bucket}/${key}`)).status, 200);
  });

  test('without a decision in time, the model receives an error', async () => {
    const created = await account.json('AmazonSQS.CreateQueue', 'sqs', { QueueName: 'undecided' });
    const definition = readFile('examples/step-functions/approval.asl.json')
      .replace('${ApprovalQueueUrl}', String(created['QueueUrl']))
      .replace('"TimeoutSeconds": 259200', '"TimeoutSeconds": 1');
    const machine = await account.stateMachine('undecided', definition, await functionArn());
    account.events.length = 0;
    const call = { name: 'refund', arguments: { order: '1', cents: 540 } };
    await simulator.script([
      { times: 1, then: { toolCalls: [call] } },
      { times: 1, then: { text: 'A colleague will write to you.' } },
    ]);
    const execution = await account.execute(machine, { complaint: 'My order arrived broken.' });
    assert.equal(execution.status, 'SUCCEEDED', JSON.stringify(execution));
    assert.equal(execution.output, 'A colleague will write to you.');
    const [, { toolResults } = {}] = account.events as { toolResults?: { error: string }[] }[];
    assert.equal(toolResults?.[0]?.error, 'There was no decision within three days.');
  });

  test('the batch runs a file of requests and writes a manifest of results', async () => {
    // moto supports neither JSONL nor integer percentages, so change only these parts of the
    // deployed definition.
    assert.match(batch, /"InputType":"JSONL"/);
    const definition = batch
      .replace('"JSONL"', '"JSON"')
      .replace(/("ToleratedFailurePercentage":\d+)/, '$1.0');
    assert.match(batch, /"ResultWriter"/);
    const machine = await account.stateMachine('batch', definition, '');
    const lines = readFile('examples/step-functions/batch.jsonl').trim().split('\n');
    await account.rest('s3', 'PUT', `/${bucket}/batch/requests.jsonl`, `[${lines.join(',')}]`);
    account.events.length = 0;
    await simulator.script([]);
    const execution = await account.execute(machine, { key: 'batch/requests.jsonl' });
    assert.equal(execution.status, 'SUCCEEDED', JSON.stringify(execution));
    const requests = lines.map((line) => JSON.parse(line) as unknown);
    const byJson = (a: unknown, b: unknown): number =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
    assert.deepEqual(account.events.toSorted(byJson), requests.toSorted(byJson));
    assert.equal((await simulator.journal()).length, lines.length);
    // moto writes the manifest of the results, but not the results themselves.
    const { Key } = (
      JSON.parse(String(execution.output)) as { ResultWriterDetails: { Key: string } }
    ).ResultWriterDetails;
    assert.match(Key, /^batch\/results\/.*\/manifest\.json$/);
    assert.equal((await account.rest('s3', 'GET', `/${bucket}/${Key}`)).status, 200);
  });

  test('npm run diff reports differences only for changed options', async () => {
    const same = await user.npm('diff', '--method=template', ...options);
    assert.equal(same.status, 0, same.output);
    assert.match(same.output, /There were no differences/);
    const changed = await user.npm(
      'diff',
      '--method=template',
      ...options,
      '-c',
      'memorySize=1024',
    );
    assert.match(changed.output, /MemorySize/);
  });

  test('npm run destroy does not delete the keys', async () => {
    // Do not check the bucket, because moto does not support its deletion policy
    // (RetainExceptOnCreate).
    const { status, output } = await user.npm('destroy', '--force', ...options);
    assert.equal(status, 0, output);
    await assert.rejects(resource('AWS::Lambda::Function'), /does not exist/);
    assert.ok(await parameter(PARAMETER));
  });
});
