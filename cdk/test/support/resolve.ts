// What CloudFormation would make of a template's functions. In: a value of the template, and the
// ARN that each resource gets. Out: plain JSON.

import { ACCOUNT, REGION } from './synth.ts';

export type Arns = Readonly<Record<string, string>>;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** A `Ref` gives an ARN for some resources and a name for others; here only where it matters. */
function refOf(name: string, arns: Arns): string {
  const arn = PSEUDO[name] ?? arns[name];
  if (arn === undefined) throw new Error(`no such resource: ${name}`);
  return arn.startsWith('arn:aws:s3:::') ? arn.slice('arn:aws:s3:::'.length) : arn;
}

export function resolve(value: unknown, arns: Arns): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(one, arns));
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
