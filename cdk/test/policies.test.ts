// Checks that the policies in documentation/setup allow the deployment of each option set and the
// permissions of its roles, and that the roles themselves have narrow permissions.
// cases/handlers.json lists the actions that CloudFormation uses for each resource type, according
// to AWS's resource schemas. cases/resources.json and cases/bootstrap.json list the actions that
// this stack never needs, with reasons.
//
// The tests do not cover actions that the schemas omit or that the CDK's command line needs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { BOUNDARY_ADDITIONS } from '../lib/boundary.ts';
import { readConfig } from '../lib/config.ts';
import { allows, like, listOf, policyOf, type Policy } from './support/iam.ts';
import { OPTION_SETS } from './support/option-sets.ts';
import { resolve, type Arns } from './support/resolve.ts';
import { REGION, ROOT, template, type Context, type Statement } from './support/synth.ts';

/** The resource that an action needs access to. */
interface Target {
  arn: string;
  context?: Record<string, string>;
}

interface ResourceRow extends Target {
  /** Actions in the resource schema that this stack never needs, each with a reason. */
  notNeeded?: Record<string, string>;
  /** Actions that are needed only if the resource has the property. */
  onlyWith?: Record<string, string>;
  /** Actions that need access to another resource or use different condition keys. */
  other?: Record<string, Target>;
}

type Template = { Resources: Record<string, { Type: string; Properties?: unknown }> };

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`cases/${name}.json`, import.meta.url), 'utf8'));
const { handlers } = read('handlers') as {
  handlers: Record<string, Record<string, string[]>>;
};
const RESOURCES = read('resources') as Record<string, ResourceRow>;
const BOOTSTRAP = read('bootstrap') as Record<string, ResourceRow>;
const BOUNDARY = policyOf('LlmExeLambdaCdkPermissionBoundaryPolicy');
const DEPLOY = policyOf('DeployLlmExeCdkAppPolicy');
/** The policies with the statements that some options require, by their names. */
const ADDITIONS = Object.fromEntries(
  BOUNDARY_ADDITIONS.map(({ name }) => [name, policyOf(`LlmExeLambdaCdk${name}Policy`)]),
);

/** Returns the boundary with additional statements, as the account guide describes. */
function boundaryWith(...names: string[]): Policy {
  const added = names.flatMap((name) => ADDITIONS[name]!.policy.Statement);
  return { ...BOUNDARY.policy, Statement: [...BOUNDARY.policy.Statement, ...added] };
}

/** Returns the names of the additional statements that a context requires. */
function additionsFor(context: Context): string[] {
  const config = readConfig(context);
  return BOUNDARY_ADDITIONS.filter(({ isNeeded }) => isNeeded(config)).map(({ name }) => name);
}

/**
 * Actions that list resources. They do not name a resource, so AWS checks whether they are allowed
 * on `*`.
 */
const LIST_ACTIONS = [
  'cloudwatch:DescribeAlarms',
  'logs:DescribeLogGroups',
  'ssm:DescribeParameters',
];

for (const [name, { text }] of Object.entries({ BOUNDARY, DEPLOY, ...ADDITIONS })) {
  test(`the policy ${name} is valid in IAM`, () => {
    assert.ok(text.replace(/\s/g, '').length <= 6144, 'at most 6,144 characters');
    for (const statement of (JSON.parse(text) as Policy).Statement) {
      for (const resource of listOf(statement.Resource as string | string[])) {
        // IAM rejects a wildcard in the partition or the service of an ARN.
        assert.match(resource, /^(\*|arn:aws:[a-z0-9-]+:.*)$/);
      }
      for (const action of listOf(statement.Action)) {
        assert.match(
          action,
          /^[a-z0-9-]+:(?!\*$)[A-Za-z*]+$/,
          'an action of one service, not all of its actions',
        );
      }
    }
  });
}

test('only the policy for httpApiEnabled allows API Gateway actions', () => {
  const actions = ({ policy }: { policy: Policy }): string[] =>
    policy.Statement.flatMap(({ Action }) => listOf(Action));
  const isApiGateway = (action: string): boolean => like(action.split(':')[0]!, 'apigateway');
  assert.deepEqual([BOUNDARY, DEPLOY].flatMap(actions).filter(isApiGateway), []);
  assert.deepEqual(
    actions(ADDITIONS['HttpApi']!).filter((action) => !isApiGateway(action)),
    [],
  );
  const boundary = boundaryWith('HttpApi');
  for (const action of ['DELETE', 'GET', 'PATCH', 'POST', 'PUT', 'TagResource', 'UntagResource']) {
    const resource = 'arn:aws:apigateway:us-west-2::/apis/a1b2c3';
    const access = { action: `apigateway:${action}`, resource };
    assert.equal(allows(BOUNDARY.policy, access), false, action);
    assert.equal(allows(DEPLOY.policy, access), false, action);
    for (const other of ['/restapis/a1b2c3', '/domainnames/a.example', '/vpclinks/a1b2c3']) {
      const elsewhere = { ...access, resource: `arn:aws:apigateway:us-west-2::${other}` };
      assert.equal(allows(boundary, elsewhere), false, `${action} on ${other}`);
    }
  }
});

test('the command of the account guide adds statements to the boundary', () => {
  const guide = readFileSync(join(ROOT, 'documentation', 'setup', 'README.md'), 'utf8');
  const [, command = ''] = /```bash\n(node -e [^]*?)```/.exec(guide) ?? [];
  const run = (script: string): string => {
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: ROOT });
    assert.equal(stderr, '');
    assert.ok(!stdout.includes('YOUR_AWS'), 'the placeholders are replaced');
    return stdout;
  };
  const documented = "' HttpApi |";
  assert.ok(command.includes(documented), command);
  assert.deepEqual(JSON.parse(run(command)), boundaryWith('HttpApi'));
  const names = Object.keys(ADDITIONS);
  const all = run(command.replace(documented, `' ${names.join(' ')} |`));
  assert.deepEqual(JSON.parse(all), boundaryWith(...names));
});

test('the boundary with all statements is not too long for IAM, in every region', () => {
  // The names of other regions of the partition `aws` are not longer.
  const text = JSON.stringify(boundaryWith(...Object.keys(ADDITIONS)));
  const length = text.replaceAll(REGION, 'ap-southeast-1').replace(/\s/g, '').length;
  assert.ok(length <= 6144, `at most 6,144 characters, not ${length}`);
});

test('the account guide lists each policy with additional statements', () => {
  const guide = readFileSync(join(ROOT, 'documentation', 'setup', 'README.md'), 'utf8');
  for (const { name, option } of BOUNDARY_ADDITIONS) {
    const { Sid } = ADDITIONS[name]!.policy.Statement[0]!;
    const row = guide.split('\n').find((line) => line.startsWith(`| [${name}](`));
    for (const part of [`LlmExeLambdaCdk${name}Policy.json`, `\`${option}`, `\`${Sid}\``]) {
      assert.ok(row?.includes(part), `${name}: ${part}`);
    }
  }
});

test('with `*` as the region, the policies apply to all regions', () => {
  const policy = (text: string): Policy =>
    JSON.parse(
      text.replaceAll('YOUR_AWS_DEPLOY_REGION', '*').replaceAll('YOUR_AWS_ACCOUNT_ID', '0'),
    ) as Policy;
  const user = policy(DEPLOY.text);
  const role = 'arn:aws:iam::0:role/cdk-llmexe-deploy-role-0-eu-west-1';
  assert.equal(allows(user, { action: 'sts:AssumeRole', resource: role }), true);
  const resource = 'arn:aws:kms:eu-west-1:0:key/0123';
  for (const [host, allowed] of Object.entries({ 'ssm.eu-west-1': true, 'rds.eu-west-1': false })) {
    const context = { 'kms:ViaService': `${host}.amazonaws.com` };
    const access = { action: 'kms:Decrypt', resource, context };
    assert.equal(allows(policy(BOUNDARY.text), access), allowed, host);
  }
});

/** Replaces the placeholders in the ARN of a target. */
function withNames(target: Target, id: string, stack: string): Target {
  const arn = target.arn
    .replaceAll('{stack}', stack)
    .replaceAll('{id}', id)
    .replaceAll('{lowerstack}', stack.toLowerCase())
    .replaceAll('{lowerid}', id.toLowerCase());
  return { ...target, arn };
}

/** Returns the actions that a resource requires but the policy does not allow. */
function deniedActions(
  policy: Policy,
  type: string,
  row: ResourceRow,
  id: string,
  stack: string,
  properties: unknown = {},
): string[] {
  const steps = handlers[type];
  assert.ok(steps, `${type}: run scripts/oracles/cfn_handlers.py`);
  return [...new Set(Object.values(steps).flat())].flatMap((action) => {
    const matches = (pattern: string): boolean => like(pattern.toLowerCase(), action.toLowerCase());
    const other = Object.entries(row.other ?? {}).find(([pattern]) => matches(pattern));
    if (!other && Object.keys(row.notNeeded ?? {}).some(matches)) return [];
    const [, property] = Object.entries(row.onlyWith ?? {}).find(([key]) => matches(key)) ?? [];
    if (property !== undefined && !(property in (properties as object))) return [];
    const { arn, context } = withNames(other?.[1] ?? row, id, stack);
    const resource = LIST_ACTIONS.includes(action) ? '*' : arn;
    const access = { action, resource, ...(context && { context }) };
    return allows(policy, access) ? [] : [`${type}: ${action} on ${resource}`];
  });
}

function resourcesOf(context: Context): [string, string, unknown][] {
  const { Resources } = template(context).toJSON() as Template;
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
    .map(([id, { Type, Properties }]) => [id, Type, Properties]);
}

function rowOf(type: string): ResourceRow {
  const row = RESOURCES[type];
  assert.ok(row, `cases/resources.json has no row for ${type}`);
  return row;
}

for (const [name, context] of Object.entries(OPTION_SETS)) {
  const stack = 'LlmExeLambda';
  const additions = additionsFor(context);
  const boundary = boundaryWith(...additions);
  const resources = resourcesOf(context);
  const arns: Arns = Object.fromEntries(
    resources.map(([id, type]) => [id, withNames(rowOf(type), id, stack).arn]),
  );

  test(`CloudFormation can create, update and delete the resources: ${name}`, () => {
    const denied = (boundary: Policy): string[] =>
      resources.flatMap(([id, type, properties]) =>
        deniedActions(boundary, type, rowOf(type), id, stack, properties),
      );
    assert.deepEqual([...new Set(denied(boundary))], []);
  });

  const statements = resources
    .filter(([, type]) => type === 'AWS::IAM::Policy')
    .flatMap(([, , properties]) => {
      const { PolicyDocument } = resolve(properties, arns) as { PolicyDocument: Policy };
      return PolicyDocument.Statement;
    });

  test(`the boundary allows the permissions of the roles: ${name}`, () => {
    const outside = (policy: Policy): string[] =>
      statements.flatMap((statement) => outsideBoundary(policy, statement));
    assert.deepEqual(outside(boundary), []);
  });

  for (const addition of additions) {
    test(`the statement ${addition} is required: ${name}`, () => {
      const others = boundaryWith(...additions.filter((other) => other !== addition));
      const denied = [
        ...resources.flatMap(([id, type, properties]) =>
          deniedActions(others, type, rowOf(type), id, stack, properties),
        ),
        ...statements.flatMap((statement) => outsideBoundary(others, statement)),
      ];
      assert.notDeepEqual(denied, []);
    });
  }

  test(`no role has wildcard actions, or the resource * except for X-Ray: ${name}`, () => {
    const wide = statements.filter((statement) => {
      const actions = listOf(statement.Action);
      const isAll = listOf(statement.Resource).includes('*');
      const isXRay = actions.every((action) => action.startsWith('xray:'));
      return actions.some((action) => action.includes('*')) || (isAll && !isXRay);
    });
    assert.deepEqual(wide, []);
  });

  test(`no role can write to a whole bucket: ${name}`, () => {
    const wide = statements.filter(
      ({ Action, Resource }) =>
        listOf(Action).some((action) => /^s3:(?!(Get|List))/.test(action)) &&
        listOf(Resource as string | string[]).some((arn) =>
          /^arn:aws:s3:::[^/]*(\/\*)?$/.test(arn),
        ),
    );
    assert.deepEqual(wide, []);
  });
}

test('a batch can read files and write results only in their folders', () => {
  const statements = Object.values(
    template({ batchEnabled: true }).findResources('AWS::IAM::Policy'),
  )
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action, Sid }) => !Sid && listOf(Action).some((action) => action.startsWith('s3:')));
  const actual = statements.map(({ Action, Resource }) => [
    listOf(Action),
    /"(\/[^"]*)"\]\]/.exec(JSON.stringify(Resource))?.[1],
  ]);
  const write = ['AbortMultipartUpload', 'GetObject', 'ListMultipartUploadParts', 'PutObject'];
  assert.deepEqual(actual, [
    [write.map((action) => `s3:${action}`), '/batch/results/*'],
    [['s3:GetObject'], '/batch/*'],
  ]);
});

test('the ARN of an inference profile allows its models, only through the profile', () => {
  for (const kind of ['inference-profile', 'application-inference-profile']) {
    const arn = `arn:aws:bedrock:us-west-2:000000000000:${kind}/abc`;
    const resources = resourcesOf({ allowedBedrockModels: [arn] });
    const arns: Arns = Object.fromEntries(
      resources.map(([id, type]) => [id, withNames(rowOf(type), id, 'LlmExeLambda').arn]),
    );
    const [policy] = resources
      .filter(([, type]) => type === 'AWS::IAM::Policy')
      .map(([, , properties]) => resolve(properties, arns) as { PolicyDocument: Policy });
    const may = (resource: string, profile?: string): boolean =>
      allows(policy!.PolicyDocument, {
        action: 'bedrock:InvokeModel',
        resource,
        ...(profile && { context: { 'bedrock:InferenceProfileArn': profile } }),
      });
    const model = 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x';
    assert.deepEqual(
      [may(arn), may(model, arn), may(model), may(model, `${arn}d`), may(`${arn}d`)],
      [true, true, false, false, false],
    );
  }
});

/** Returns the actions in a statement of a role that the boundary does not allow. */
function outsideBoundary(boundary: Policy, statement: Statement): string[] {
  const context = Object.fromEntries(
    Object.values(statement.Condition ?? {}).flatMap((keys) =>
      Object.entries(keys).map(([key, value]) => [key, String(listOf(value)[0])]),
    ),
  );
  return listOf(statement.Action).flatMap((action) =>
    listOf(statement.Resource as string | string[])
      .filter((resource) => !allows(boundary, { action, resource, context }))
      .map((resource) => `${action} on ${resource}`),
  );
}

interface BootstrapResource {
  Type: string;
  Condition?: string;
  Properties: { PermissionsBoundary?: { 'Fn::If': [string, unknown, unknown] } };
}

function bootstrapResources(): BootstrapResource[] {
  const program = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const result = spawnSync(process.execPath, [program, 'bootstrap', '--show-template', '--json'], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  const { Resources } = JSON.parse(result.stdout) as {
    Resources: Record<string, BootstrapResource>;
  };
  return Object.values(Resources);
}

test('the deploy policy allows the bootstrap', () => {
  const types = new Set(
    bootstrapResources()
      // Resources with a condition (a KMS key, an example boundary) are not created by default.
      .filter(({ Condition }) => Condition === undefined)
      .map(({ Type }) => Type),
  );
  assert.deepEqual([...types].sort(), Object.keys(BOOTSTRAP).sort());
  const denied = Object.entries(BOOTSTRAP).flatMap(([type, row]) =>
    deniedActions(DEPLOY.policy, type, row, '', ''),
  );
  assert.deepEqual(denied, []);
});

test('the bootstrap can set the boundary on each of its roles', () => {
  const bounded = bootstrapResources()
    .filter(({ Type }) => Type === 'AWS::IAM::Role')
    .map(({ Properties }) => Properties.PermissionsBoundary?.['Fn::If'][0]);
  const all = 'ShouldApplyPermissionsBoundaryToAllRoles';
  // The CloudFormation role always gets the given boundary.
  assert.deepEqual(bounded.sort(), ['PermissionsBoundarySet', all, all, all, all]);
});

test('the deploy user cannot create a bootstrap role without the boundary', () => {
  const iam = 'arn:aws:iam::000000000000';
  const boundary = `${iam}:policy/LlmExeLambdaCdkPermissionBoundaryPolicy`;
  const may = (action: string, resource: string, context?: Record<string, string>): boolean =>
    allows(DEPLOY.policy, { action, resource, ...(context && { context }) });
  const role = `${iam}:role/cdk-llmexe-any-role-000000000000-us-west-2`;
  for (const action of [
    'iam:CreateRole',
    'iam:PutRolePolicy',
    'iam:AttachRolePolicy',
    'iam:PutRolePermissionsBoundary',
  ]) {
    const policy = { 'iam:PolicyARN': boundary };
    const other = { ...policy, 'iam:PermissionsBoundary': `${iam}:policy/Other` };
    assert.equal(may(action, role, policy), false, action);
    assert.equal(may(action, role, other), false, action);
    const bounded = { ...policy, 'iam:PermissionsBoundary': boundary };
    assert.equal(may(action, role, bounded), true, action);
    assert.equal(may(action, `${iam}:role/Other`, bounded), false, action);
  }
  for (const action of ['iam:DeleteRolePermissionsBoundary', 'iam:PassRole']) {
    assert.equal(may(action, role, { 'iam:PermissionsBoundary': boundary }), false, action);
  }
  const named = (name: string): string =>
    `${iam}:role/cdk-llmexe-${name}-role-000000000000-us-west-2`;
  for (const [name, allowed] of Object.entries({
    deploy: true,
    'file-publishing': true,
    'image-publishing': false,
    lookup: false,
    'cfn-exec': false,
  })) {
    assert.equal(may('sts:AssumeRole', named(name)), allowed, name);
  }
});

test('the boundary allows what the bootstrap roles need for a deployment, for stacks of this app only', () => {
  const stack = 'arn:aws:cloudformation:us-west-2:000000000000:stack/LlmExeLambdaStaging/*';
  const assets = 'arn:aws:s3:::cdk-llmexe-assets-000000000000-us-west-2';
  const role = 'arn:aws:iam::000000000000:role/cdk-llmexe-cfn-exec-role-000000000000-us-west-2';
  const version = 'arn:aws:ssm:us-west-2:000000000000:parameter/cdk-bootstrap/llmexe/version';
  const may = (action: string, resource: string, context = {}): boolean =>
    allows(BOUNDARY.policy, { action, resource, context });
  const writes = [
    'CreateChangeSet',
    'DeleteChangeSet',
    'ExecuteChangeSet',
    'CreateStack',
    'UpdateStack',
    'DeleteStack',
    'RollbackStack',
    'ContinueUpdateRollback',
    'UpdateTerminationProtection',
  ];
  const reads = ['DescribeStacks', 'DescribeChangeSet', 'DescribeEvents', 'GetTemplate'];
  for (const action of [...writes, ...reads].map((name) => `cloudformation:${name}`)) {
    assert.equal(may(action, stack), true, action);
  }
  for (const action of writes.map((name) => `cloudformation:${name}`)) {
    assert.equal(may(action, stack.replace('LlmExe', 'Other')), false, action);
  }
  for (const action of ['GetBucketLocation', 'GetEncryptionConfiguration', 'ListBucket']) {
    assert.equal(may(`s3:${action}`, assets), true, action);
  }
  for (const action of ['GetObject', 'PutObject', 'AbortMultipartUpload']) {
    assert.equal(may(`s3:${action}`, `${assets}/0123.zip`), true, action);
  }
  assert.equal(may('ssm:GetParameter', version), true);
  for (const action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
    const key = 'arn:aws:kms:us-west-2:000000000000:key/0123';
    assert.equal(may(action, key, { 'kms:ViaService': 's3.us-west-2.amazonaws.com' }), true);
    assert.equal(may(action, key), false);
  }
  const cloudFormation = { 'iam:PassedToService': 'cloudformation.amazonaws.com' };
  assert.equal(may('iam:PassRole', role, cloudFormation), true);
  assert.equal(may('iam:PassRole', role.replace('cfn-exec', 'deploy'), cloudFormation), false);
  for (const action of ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:UpdateAssumeRolePolicy']) {
    assert.equal(may(action, role), false, action);
  }
});

test('a deployment cannot create a role without the boundary or with another name', () => {
  const boundary = 'arn:aws:iam::000000000000:policy/LlmExeLambdaCdkPermissionBoundaryPolicy';
  const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;
  const may = (action: string, name: string, bound?: string): boolean =>
    allows(BOUNDARY.policy, {
      action,
      resource: role(name),
      ...(bound && { context: { 'iam:PermissionsBoundary': bound } }),
    });
  assert.equal(may('iam:CreateRole', 'LlmExeLambda-Role', boundary), true);
  assert.equal(may('iam:CreateRole', 'LlmExeLambda-Role'), false);
  assert.equal(may('iam:CreateRole', 'Other', boundary), false);
  assert.equal(may('iam:PutRolePolicy', 'LlmExeLambda-Role', `${boundary}-other`), false);
  assert.equal(may('iam:DeleteRolePermissionsBoundary', 'LlmExeLambda-Role', boundary), false);
  assert.equal(may('iam:AttachRolePolicy', 'LlmExeLambda-Role', boundary), false);
  for (const action of ['iam:CreatePolicyVersion', 'iam:CreateUser', 'iam:CreateAccessKey']) {
    assert.equal(allows(BOUNDARY.policy, { action, resource: boundary }), false, action);
    assert.equal(allows(DEPLOY.policy, { action, resource: boundary }), false, action);
  }
});

test('by default, the function can call the allowed models in the allowed regions', () => {
  const resources = resourcesOf({});
  const arns: Arns = Object.fromEntries(
    resources.map(([id, type]) => [id, withNames(rowOf(type), id, 'LlmExeLambda').arn]),
  );
  const [policy] = resources
    .filter(([, type]) => type === 'AWS::IAM::Policy')
    .map(([, , properties]) => resolve(properties, arns) as { PolicyDocument: Policy });
  const may = (resource: string, profile?: string): boolean =>
    allows(policy!.PolicyDocument, {
      action: 'bedrock:InvokeModel',
      resource: `arn:aws:bedrock:${resource}`,
      ...(profile && {
        context: { 'bedrock:InferenceProfileArn': `arn:aws:bedrock:${profile}` },
      }),
    });
  const sonnet = 'anthropic.claude-3-5-sonnet-20241022-v2:0';
  const profile = `us-west-2:000000000000:inference-profile/us.${sonnet}`;
  assert.equal(may(`us-west-2::foundation-model/${sonnet}`), true);
  assert.equal(may('us-west-2::foundation-model/meta.llama3-8b-instruct-v1:0'), true);
  assert.equal(may(profile), true);
  assert.equal(may('us-west-2:000000000000:inference-profile/global.meta.llama9'), true);
  // In another region or without a region, a model can be called only through the profile.
  assert.equal(may(`us-east-1::foundation-model/${sonnet}`), false);
  assert.equal(may(`us-east-1::foundation-model/${sonnet}`, profile), true);
  assert.equal(may(`::foundation-model/${sonnet}`, profile), true);
  assert.equal(may('us-west-2::foundation-model/amazon.nova-lite-v1:0'), false);
  assert.equal(may('us-west-2:111111111111:inference-profile/us.anthropic.claude'), false);
});
