// Replaces the CloudFormation intrinsic functions in a template with plain JSON values.

import { ACCOUNT, REGION } from './synth.ts';

/** The ARN of each resource by its logical ID. */
export type Arns = Readonly<Record<string, string>>;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

/**
 * Returns the bucket name for a `Ref` to a bucket. For other types, returns the ARN, which is
 * sufficient for the tests.
 */
function refOf(name: string, arns: Arns): string {
  const arn = PSEUDO[name] ?? arns[name];
  if (arn === undefined) throw new Error(`Ref: unknown resource ${name}`);
  return arn.startsWith('arn:aws:s3:::') ? arn.slice('arn:aws:s3:::'.length) : arn;
}

export function resolve(value: unknown, arns: Arns): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, arns));
  if (typeof value !== 'object' || value === null) return value;
  const [[key, inner] = ['', undefined], ...more] = Object.entries(value);
  if (more.length === 0) {
    if (key === 'Ref') return refOf(inner as string, arns);
    if (key === 'Fn::GetAtt') return arns[(inner as string[])[0]!];
    if (key === 'Fn::Join') {
      const [separator, parts] = inner as [string, unknown[]];
      return (resolve(parts, arns) as string[]).join(separator);
    }
    if (key === 'Fn::Split') {
      const [separator, text] = inner as [string, unknown];
      return (resolve(text, arns) as string).split(separator);
    }
    if (key === 'Fn::Select') {
      const [index, list] = inner as [number, unknown];
      return (resolve(list, arns) as string[])[index];
    }
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, arns)]));
}
