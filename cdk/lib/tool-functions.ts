// The Lambda functions that the models may call as tools: checks of the property `toolFunctions`, and
// the permission to invoke them.

import {
  Reference,
  Stack,
  Token,
  Tokenization,
  type CfnElement,
  type IResolvable,
} from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';

import { parseFunctionArn } from './function-name.ts';

/** Lambda's maximum for the environment variables of a function, in bytes of their JSON. */
const MAX_ENVIRONMENT_BYTES = 4096;

/** The form of the random part of the names that CloudFormation generates. */
const RANDOM_PART = 'X'.repeat(12);

/** Lambda's maximum length of the name of a function. */
const MAX_NAME_LENGTH = 64;

/** The shortest values of pseudo parameters. */
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '000000000000',
};

/** Returns the ARNs of the functions. The ARN of a version or an alias has a qualifier. */
export function toolArns(functions: readonly lambda.IFunction[] = []): string[] {
  return [...new Set(functions.map(({ functionArn }) => functionArn))];
}

/**
 * Returns a statement that allows invoking these functions. `IFunction.grantInvoke` would also allow
 * every version and alias of each function.
 */
export function toolStatements(arns: readonly string[]): iam.PolicyStatement[] {
  if (arns.length === 0) return [];
  const actions = ['lambda:InvokeFunction'];
  return [new iam.PolicyStatement({ sid: 'CallTools', actions, resources: [...arns] })];
}

/** Describes ARNs that the function would reject at its start. */
export function checkToolArns(arns: readonly string[]): string[] {
  const literal = arns.filter((arn) => !Token.isUnresolved(arn));
  return literal.flatMap((arn) =>
    parseFunctionArn(arn) ? [] : [`expected the ARN of a function, got ${JSON.stringify(arn)}`],
  );
}

/** Describes each ARN of the function itself, which it never calls. */
export function checkOwnArn(own: lambda.Function, arns: readonly string[]): string[] {
  const stack = Stack.of(own);
  const self = parseFunctionArn(expectedText(stack, own.functionArn));
  const isSame = (expected: string, actual: string): boolean =>
    Token.isUnresolved(expected) || expected === actual;
  return arns.flatMap((arn) => {
    const text = expectedText(stack, arn);
    const tool = parseFunctionArn(text);
    const isOwn =
      tool &&
      self &&
      isSameName(self.name, tool.name) &&
      isSame(stack.region, tool.region) &&
      isSame(stack.account, tool.account);
    return isOwn ? [`${text} is the function itself, which can't be its own tool; remove it`] : [];
  });
}

/** Returns whether a name is the expected one, whose end CloudFormation may generate. */
function isSameName(expected: string, name: string): boolean {
  if (!expected.endsWith(`-${RANDOM_PART}`)) return expected === name;
  const start = expected.slice(0, -RANDOM_PART.length);
  return name.startsWith(start) && /^[A-Za-z0-9]{12,13}$/.test(name.slice(start.length));
}

/**
 * Describes environment variables that exceed Lambda's limit for sure. Values that are known only at
 * deployment count as empty, except for the ARNs of the tools.
 */
export function checkEnvironmentSize(own: lambda.Function, arns: readonly string[]): string[] {
  const { environment } = own.node.defaultChild as lambda.CfnFunction;
  const stack = Stack.of(own);
  const { variables = {} } = (stack.resolve(environment) ?? {}) as {
    variables?: Record<string, unknown>;
  };
  const known = Object.entries(variables).map(([name, value]) => [name, knownText(value)]);
  const others = known.filter(([name]) => name !== 'TOOL_FUNCTIONS');
  const list = arns.map((arn) => expectedText(stack, arn)).join(',');
  const sizeOf = (entries: unknown[][]): number =>
    Buffer.byteLength(JSON.stringify(Object.fromEntries(entries)));
  const all = sizeOf(arns.length > 0 ? [...others, ['TOOL_FUNCTIONS', list]] : known);
  if (all <= MAX_ENVIRONMENT_BYTES) return [];
  const limit = `but Lambda allows ${MAX_ENVIRONMENT_BYTES}`;
  if (arns.length === 0 || sizeOf(others) > MAX_ENVIRONMENT_BYTES) {
    return [`environment: the variables of the function have at least ${all} bytes, ${limit}`];
  }
  return [
    `toolFunctions: the ARNs of these ${arns.length} functions have ${list.length} bytes, and all ` +
      `environment variables at least ${all}, ${limit}; list fewer functions`,
  ];
}

/** Returns the text of a resolved value, without the parts that are known only at deployment. */
function knownText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const [separator, parts] = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'] ?? [
    '',
    [],
  ];
  return parts.map(knownText).join(separator);
}

/**
 * Returns the text that a name or an ARN will have at deployment. If CloudFormation generates the
 * name of a function, its random part is a placeholder of the same length. Other parts that are known
 * only at deployment have placeholders of the minimum length.
 */
function expectedText(stack: Stack, text: string): string {
  if (!Token.isUnresolved(text)) return text;
  const parts = Tokenization.reverseString(text).mapTokens({
    mapToken: (token) => tokenText(stack, token),
  });
  return String(parts.join({ join: (left, right) => `${left}${right}` }));
}

function tokenText(stack: Stack, token: IResolvable): string {
  if (!Reference.isReference(token)) {
    const resolved = stack.resolve(token) as { Ref?: string } | undefined;
    return PSEUDO[resolved?.Ref ?? ''] ?? '';
  }
  const { target, displayName } = token;
  if (target instanceof lambda.CfnFunction) {
    return displayName === 'Arn' ? arnOf(target, nameOf(target)) : nameOf(target);
  }
  if (target instanceof lambda.CfnAlias) {
    return arnOf(target, `${expectedText(target.stack, target.functionName)}:${target.name}`);
  }
  if (target instanceof lambda.CfnVersion) {
    return arnOf(target, `${expectedText(target.stack, target.functionName)}:1`);
  }
  return '';
}

function arnOf({ stack }: CfnElement, name: string): string {
  const text = (part: string): string => expectedText(stack, part);
  const place = `${text(stack.region)}:${text(stack.account)}`;
  return `arn:${text(stack.partition)}:lambda:${place}:function:${name}`;
}

/** Returns the name of a function, or the name that CloudFormation will generate. */
function nameOf(target: lambda.CfnFunction): string {
  const { stack } = target;
  const functionName: unknown = stack.resolve(target.functionName);
  if (typeof functionName === 'string') return functionName;
  const start = `${stack.stackName}-${String(stack.resolve(target.logicalId))}`;
  return `${start.slice(0, MAX_NAME_LENGTH - RANDOM_PART.length - 1)}-${RANDOM_PART}`;
}
