// Tests the property toolFunctions: the permission and the setting, and the lists that synth rejects.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';

import { LlmExeFunction, type LlmExeFunctionProps } from '../lib/index.ts';
import { OPTION_SETS } from './support/option-sets.ts';
import { resolve, type Arns } from './support/resolve.ts';
import {
  ACCOUNT,
  CODE,
  REGION,
  ROOT,
  environment,
  functionStatements,
  template,
  type Context,
  type Statement,
} from './support/synth.ts';

const ENV = { account: ACCOUNT, region: REGION };
const PREFIX = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:`;

type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;

function toolOf(stack: Stack, id: string, functionName?: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.PROVIDED_AL2023,
    handler: 'bootstrap',
    code: lambda.Code.fromAsset(CODE),
    ...(functionName && { functionName }),
  });
}

function llmOf(stack: Stack, props: LlmExeFunctionProps): LlmExeFunction {
  return new LlmExeFunction(stack, 'Llm', { code: lambda.Code.fromAsset(CODE), ...props });
}

/** Returns the resources of a stack, and their ARNs, in which the name is the logical ID. */
function resourcesOf(stack: Stack): [Resources, Arns] {
  const { Resources } = Template.fromStack(stack).toJSON() as { Resources: Resources };
  const arns = Object.keys(Resources).map((id): [string, string] => [id, `${PREFIX}${id}`]);
  return [Resources, Object.fromEntries(arns)];
}

/** Returns the ARNs that the role may invoke, and the value of TOOL_FUNCTIONS. */
function toolsOf(stack: Stack): { resources: unknown; setting: unknown } {
  const [resources, arns] = resourcesOf(stack);
  const statements = Object.entries(resources)
    .filter(([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith('LlmRole'))
    .flatMap(([, { Properties }]) => {
      const { PolicyDocument } = resolve(Properties, arns) as {
        PolicyDocument: { Statement: Statement[] };
      };
      return PolicyDocument.Statement;
    })
    .filter(({ Action }) => JSON.stringify(Action).includes('lambda:'));
  const [llm] = Object.entries(resources).filter(([id]) => id.startsWith('LlmFunction'));
  const { Environment } = resolve(llm![1].Properties, arns) as {
    Environment: { Variables: Record<string, unknown> };
  };
  assert.equal(statements.length, 1);
  assert.equal(statements[0]!.Action, 'lambda:InvokeFunction');
  assert.equal(statements[0]!.Condition, undefined);
  return { resources: statements[0]!.Resource, setting: Environment.Variables['TOOL_FUNCTIONS'] };
}

describe('the role', () => {
  test('may invoke a function, but not its versions', () => {
    const stack = new Stack(new App(), 'Mine', { env: ENV });
    const tool = toolOf(stack, 'Orders');
    llmOf(stack, { toolFunctions: [tool, tool] });
    const arn = `${PREFIX}${stack.resolve((tool.node.defaultChild as lambda.CfnFunction).logicalId)}`;
    assert.deepEqual(toolsOf(stack), { resources: arn, setting: arn });
  });

  test('may invoke a version or an alias, but not its function', () => {
    const stack = new Stack(new App(), 'Mine', { env: ENV });
    const tool = toolOf(stack, 'Orders', 'orders');
    const alias = new lambda.Alias(stack, 'Live', {
      aliasName: 'live',
      version: tool.currentVersion,
    });
    llmOf(stack, { toolFunctions: [alias, tool.currentVersion, tool.latestVersion] });
    const { resources, setting } = toolsOf(stack);
    const [liveArn = '', versionArn = '', latestArn = ''] = resources as string[];
    assert.equal(setting, [liveArn, versionArn, latestArn].join(','));
    const own = `${PREFIX}${stack.resolve((tool.node.defaultChild as lambda.CfnFunction).logicalId)}`;
    // The template refers to the alias and to the version themselves, whose Ref is their ARN.
    assert.ok(liveArn === `${own}:live` || /function:Live[0-9A-F]{8}$/.test(liveArn), liveArn);
    assert.match(versionArn, /function:OrdersCurrentVersion[0-9A-Za-z]+$/);
    assert.equal(latestArn, `${own}:$LATEST`);
    assert.ok(![liveArn, versionArn, latestArn].includes(own));
  });

  test('may invoke imported functions, with the qualifiers of their ARNs', () => {
    const stack = new Stack(new App(), 'Mine', { env: ENV });
    const arns = [
      `${PREFIX}orders`,
      `${PREFIX}rates:live`,
      'arn:aws:lambda:eu-west-1:111111111111:function:orders:3',
    ];
    const toolFunctions = arns.map((arn) => lambda.Function.fromFunctionArn(stack, arn, arn));
    toolFunctions.push(lambda.Function.fromFunctionName(stack, 'Name', 'named'));
    llmOf(stack, { toolFunctions });
    const expected = [...arns, `${PREFIX}named`];
    assert.deepEqual(toolsOf(stack), { resources: expected, setting: expected.join(',') });
  });

  test('may invoke a function of another stack', () => {
    const app = new App();
    const other = new Stack(app, 'Other', { env: ENV });
    const stack = new Stack(app, 'Mine', { env: ENV });
    llmOf(stack, { toolFunctions: [toolOf(other, 'Orders')] });
    const [resources] = resourcesOf(stack);
    const text = JSON.stringify(resources);
    assert.match(
      text,
      /"Action":"lambda:InvokeFunction","Effect":"Allow","Resource":\{"Fn::ImportValue":/,
    );
    assert.match(text, /"TOOL_FUNCTIONS":\{"Fn::ImportValue":/);
  });

  test('may invoke no function without tools', () => {
    assert.ok(!JSON.stringify(functionStatements()).includes('lambda:'));
    const { TOOL_FUNCTIONS, TOOLS_FROM_HTTP } = environment();
    assert.deepEqual([TOOL_FUNCTIONS, TOOLS_FROM_HTTP], [undefined, undefined]);
  });
});

describe('the examples of docs/deploy.md', () => {
  const [, section = ''] = readFileSync(join(ROOT, 'docs', 'deploy.md'), 'utf8').split(
    '\n## Tools\n',
  );
  const block = (language: string): string =>
    new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)![1]!;

  test('cdk.json allows its functions', () => {
    const { context } = JSON.parse(block('json')) as { context: Context };
    const [tools] = functionStatements(context).filter(({ Sid }) => Sid === 'CallTools');
    assert.deepEqual(tools!.Resource, context['toolFunctions']);
  });

  test('the construct allows its functions', () => {
    const stack = new Stack(new App(), 'Mine', { env: ENV });
    const orders = toolOf(stack, 'Orders');
    const version = toolOf(stack, 'Rates').currentVersion;
    const values = {
      LlmExeFunction,
      Duration,
      Code: lambda.Code,
      Function: lambda.Function,
      orders,
      ratesAlias: new lambda.Alias(stack, 'Alias', { aliasName: 'live', version }),
      otherArn: `${PREFIX}other`,
    };
    const program = block('ts').replace('llm-exe-lambda-x86_64.zip', CODE);
    new Function(...Object.keys(values), program).apply(stack, Object.values(values));
    const { resources } = toolsOf(stack);
    assert.equal((resources as string[]).length, 3);
    assert.equal((resources as string[])[2], `${PREFIX}other`);
  });
});

describe('the stack', () => {
  const context = OPTION_SETS['tools'] as Context & { toolFunctions: string[] };

  test('may invoke exactly the functions of the context', () => {
    const [tools, ...others] = functionStatements(context).filter(({ Action }) =>
      JSON.stringify(Action).includes('lambda:'),
    );
    assert.deepEqual(others, []);
    assert.deepEqual(tools, {
      Sid: 'CallTools',
      Effect: 'Allow',
      Action: 'lambda:InvokeFunction',
      Resource: context.toolFunctions,
    });
    const set = environment(context);
    assert.equal(set['TOOL_FUNCTIONS'], context.toolFunctions.join(','));
    assert.equal(set['TOOLS_FROM_HTTP'], 'true');
    const { TOOLS_FROM_HTTP } = environment({ ...context, toolsFromHttp: false });
    assert.equal(TOOLS_FROM_HTTP, undefined);
  });

  test('ignores a repeated function', () => {
    const [arn = ''] = context.toolFunctions;
    assert.equal(environment({ toolFunctions: [arn, arn] })['TOOL_FUNCTIONS'], arn);
  });

  test('does not change the permissions and policies of the functions', () => {
    const before = template({ ...context, toolFunctions: [], toolsFromHttp: false }).toJSON();
    const after = template(context).toJSON();
    assert.deepEqual(Object.keys(after.Resources), Object.keys(before.Resources));
  });
});

/** Returns the message with which synth fails. */
function failure(synth: () => unknown): string {
  try {
    synth();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('synth rejects', () => {
  const construct = (props: LlmExeFunctionProps, env?: typeof ENV): string =>
    failure(() => {
      const stack = new Stack(new App(), 'Mine', env && { env });
      llmOf(stack, props);
      Template.fromStack(stack);
    });
  const imported = (...names: string[]): lambda.IFunction[] => {
    const scope = new Stack();
    return names.map((name) =>
      lambda.Function.fromFunctionArn(scope, name, name.includes(':f') ? name : `${PREFIX}${name}`),
    );
  };

  test('what is not the ARN of a function', () => {
    for (const name of ['orders*', '*', 'a b', 'orders:live:2']) {
      const message = construct({ toolFunctions: imported(name) });
      const expected = `Mine/Llm: toolFunctions: expected the ARN of a function, got "${PREFIX}${name}"`;
      assert.equal(message, expected);
    }
  });

  test('toolsFromHttp without functions', () => {
    const message = 'Mine/Llm: toolsFromHttp: requires toolFunctions';
    assert.ok(construct({ toolsFromHttp: true }).startsWith(message));
    assert.equal(
      construct({ toolsFromHttp: true, environment: { TOOL_FUNCTIONS: 'orders-*' } }),
      '',
    );
  });

  test('responseStreaming without a function URL', () => {
    const message = construct({ responseStreaming: true });
    assert.ok(message.startsWith('Mine/Llm: responseStreaming: requires endpoint'), message);
    assert.equal(construct({ responseStreaming: true, endpoint: {} }), '');
  });

  test('a setting in environment that a property sets too', () => {
    const toolFunctions = imported('orders');
    for (const [props, name, property] of [
      [{ toolFunctions }, 'TOOL_FUNCTIONS', 'toolFunctions'],
      [{ toolFunctions, toolsFromHttp: true }, 'TOOLS_FROM_HTTP', 'toolsFromHttp'],
      [{ results: { prefix: 'results' } }, 'RESULT_PREFIX', 'results'],
      [{ responseStreaming: true, endpoint: {} }, 'RESPONSE_STREAMING', 'responseStreaming'],
    ] as const) {
      const value = {
        TOOL_FUNCTIONS: 'a',
        TOOLS_FROM_HTTP: 'false',
        RESULT_PREFIX: 's3://abc/d',
        RESPONSE_STREAMING: 'rest',
      };
      const message = construct({ ...props, environment: { [name]: value[name] } });
      const expected = `environment: ${name} is set by the property ${property}; use that instead`;
      assert.ok(message.includes(expected), message);
    }
  });

  test('the function itself, by the name that CloudFormation generates', () => {
    const stack = new Stack(new App(), 'Mine', { env: ENV });
    const own = llmOf(stack, {}).function.node.defaultChild as lambda.CfnFunction;
    const name = `Mine-${String(stack.resolve(own.logicalId))}-AbCdEfGhIjKl`;
    for (const tool of [name, `${name}:live`, `${name}:$LATEST`]) {
      const message = construct({ toolFunctions: imported('orders', tool) }, ENV);
      const expected = `toolFunctions: ${PREFIX}${tool} is the function itself`;
      assert.ok(message.includes(expected), message);
      // Without an account and a region, the stack may be deployed to those of the ARN.
      assert.ok(construct({ toolFunctions: imported(tool) }).includes(expected));
    }
    const byName = failure(() => {
      const stack = new Stack(new App(), 'Mine', { env: ENV });
      llmOf(stack, { toolFunctions: [lambda.Function.fromFunctionName(stack, 'Own', name)] });
      Template.fromStack(stack);
    });
    assert.ok(byName.includes(`${PREFIX}${name} is the function itself`), byName);
    for (const tool of [
      `${name}x9-`,
      `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:${name}`,
      `arn:aws:lambda:${REGION}:111111111111:function:${name}`,
      name.replace('Mine', 'Yours'),
      'orders',
    ]) {
      assert.equal(construct({ toolFunctions: imported(tool) }, ENV), '', tool);
    }
  });

  test('the function itself, by a name that was set later', () => {
    const message = failure(() => {
      const stack = new Stack(new App(), 'Mine', { env: ENV });
      const llm = llmOf(stack, { toolFunctions: imported('llm:live') });
      (llm.function.node.defaultChild as lambda.CfnFunction).functionName = 'llm';
      Template.fromStack(stack);
    });
    assert.ok(message.includes(`${PREFIX}llm:live is the function itself`), message);
  });

  test('a list of functions for which the environment has no room', () => {
    const names = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => `orders-${'x'.repeat(40)}-${index}`);
    const long = construct({ toolFunctions: imported(...names(45)) });
    assert.match(
      long,
      /toolFunctions: the ARNs of these 45 functions have \d+ bytes, and all environment variables at least \d+, but Lambda allows 4096; list fewer functions/,
    );
    assert.equal(construct({ toolFunctions: imported(...names(30)) }), '');
    const context = { toolFunctions: names(45).map((name) => `${PREFIX}LlmExeLambda${name}`) };
    assert.match(
      failure(() => template(context)),
      /toolFunctions: the ARNs of these 45 functions/,
    );
  });

  test('a long list of functions whose names CloudFormation generates', () => {
    for (const [count, isTooLong] of [
      [30, false],
      [50, true],
    ] as const) {
      const message = failure(() => {
        const app = new App();
        const other = new Stack(app, 'Other');
        const stack = new Stack(app, 'Mine');
        const toolFunctions = Array.from({ length: count }, (_, index) =>
          toolOf(index % 2 === 0 ? other : stack, `Orders${index}`),
        );
        llmOf(stack, { toolFunctions });
        Template.fromStack(stack);
      });
      const reason = `toolFunctions: the ARNs of these ${count} functions`;
      assert.equal(message.includes(reason), isTooLong, message);
    }
  });

  test('other variables for which the environment has no room', () => {
    const providers = { inhouse: { baseUrl: `https://a.example/${'x'.repeat(4100)}` } };
    const settings = { OPENAI_COMPATIBLE_PROVIDERS: JSON.stringify(providers) };
    const message = construct({ environment: settings, toolFunctions: imported('orders') });
    assert.match(message, /environment: the variables of the function have at least 4\d{3} bytes/);
    assert.doesNotMatch(message, /toolFunctions/);
  });

  test('a list that is at the limit of the environment, and not below it', () => {
    // The names of the other settings and of the bucket are known only at deployment.
    const sizeWith = (length: number): string =>
      failure(() => {
        const stack = new Stack(new App(), 'Mine', { env: ENV });
        const llm = llmOf(stack, { toolFunctions: imported('orders') });
        llm.function.addEnvironment('TZ', 'x'.repeat(length));
        Template.fromStack(stack);
      });
    let low = 3000;
    let high = 4096;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (sizeWith(middle) === '') low = middle;
      else high = middle;
    }
    const message = sizeWith(high);
    assert.match(message, /at least 4097, but Lambda allows 4096/);
  });
});
