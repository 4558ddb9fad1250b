// As much of IAM's logic as the policies here use: allow statements with patterns of actions and
// resources, and conditions on texts. In: a policy and a question. Out: whether it is allowed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ACCOUNT, REGION, ROOT, type Statement } from './synth.ts';

export interface Policy {
  Version: string;
  Statement: Statement[];
}

export interface Question {
  action: string;
  /** An ARN, or a pattern of ARNs, all of which must be allowed. */
  resource: string;
  context?: Readonly<Record<string, string>>;
}

/** A policy of documentation/setup, as a reader of the guide fills it in. */
export function policyOf(name: string): { policy: Policy; text: string } {
  const text = readFileSync(join(ROOT, 'documentation', 'setup', `${name}.json`), 'utf8');
  const filled = text
    .replaceAll('YOUR_AWS_DEPLOY_REGION', REGION)
    .replaceAll('YOUR_AWS_ACCOUNT_ID', ACCOUNT);
  return { policy: JSON.parse(filled) as Policy, text };
}

export function allows(policy: Policy, question: Question): boolean {
  return policy.Statement.some((statement) => statementAllows(statement, question));
}

function statementAllows(statement: Statement, { action, resource, context = {} }: Question) {
  return (
    statement.Effect === 'Allow' &&
    listOf(statement.Action).some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
    listOf(statement.Resource as string | string[]).some((pattern) => like(pattern, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) => {
      if (!['StringEquals', 'StringLike', 'ArnLike', 'ArnEquals'].includes(operator)) {
        throw new Error(`no such condition here: ${operator}`);
      }
      return Object.entries(keys).every(([key, values]) => {
        const given = context[key];
        const fits = (value: string): boolean =>
          operator === 'StringEquals' ? value === given : like(value, given ?? '');
        return given !== undefined && listOf(values as string | string[]).some(fits);
      });
    })
  );
}

/** Whether a text fits a pattern with `*` and `?`. */
export function like(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

export function listOf<T>(one: T | T[]): T[] {
  return Array.isArray(one) ? one : [one];
}
