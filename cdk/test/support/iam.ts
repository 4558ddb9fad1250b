// Evaluates the IAM policies of this repository. Only the features that they use are supported:
// Allow statements with wildcards in actions and resources, and string and ARN conditions.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ACCOUNT, REGION, ROOT, type Statement } from './synth.ts';

export interface Policy {
  Version: string;
  Statement: Statement[];
}

/** An action on a resource, which a policy may or may not allow. */
export interface Access {
  action: string;
  /** An ARN or a pattern. For a pattern, all matching ARNs must be allowed. */
  resource: string;
  context?: Readonly<Record<string, string>>;
}

/**
 * Reads a policy from documentation/setup. Returns its text, and the parsed policy with its
 * placeholders replaced.
 */
export function policyOf(name: string): { policy: Policy; text: string } {
  const text = readFileSync(join(ROOT, 'documentation', 'setup', `${name}.json`), 'utf8');
  const filled = text
    .replaceAll('YOUR_AWS_DEPLOY_REGION', REGION)
    .replaceAll('YOUR_AWS_ACCOUNT_ID', ACCOUNT);
  return { policy: JSON.parse(filled) as Policy, text };
}

export function allows(policy: Policy, access: Access): boolean {
  return policy.Statement.some((statement) => statementAllows(statement, access));
}

function statementAllows(statement: Statement, { action, resource, context = {} }: Access) {
  return (
    statement.Effect === 'Allow' &&
    listOf(statement.Action).some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
    listOf(statement.Resource as string | string[]).some((pattern) => like(pattern, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) => {
      if (!['StringEquals', 'StringLike', 'ArnLike', 'ArnEquals'].includes(operator)) {
        throw new Error(`condition operator ${operator} is not supported by support/iam.ts`);
      }
      return Object.entries(keys).every(([key, values]) => {
        const actual = context[key];
        const matches = (value: string): boolean =>
          operator === 'StringEquals' ? value === actual : like(value, actual ?? '');
        return actual !== undefined && listOf(values as string | string[]).some(matches);
      });
    })
  );
}

/** Whether a string matches a pattern with the wildcards `*` and `?`. */
export function like(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

export function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
