// cdk-nag's AwsSolutions rules find nothing but what cases/nag.json says is meant, and why. A rule
// there may hold alternatives in brackets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';

import { OPTION_SETS } from './support/option-sets.ts';
import { appOf } from './support/synth.ts';

interface Meant {
  rule: string;
  path: string;
  why: string;
}

const MEANT = JSON.parse(
  readFileSync(new URL('cases/nag.json', import.meta.url), 'utf8'),
) as Meant[];
const used = new Set<Meant>();

/** As cases/nag.json writes it: no hashes of logical IDs, no functions of CloudFormation. */
function plain(rule: string): string {
  return rule
    .replace(/\{"Fn::Select".*?"Ref":"(\w+)"\}\]\}\]\}/, '<$1.Name>')
    .replace(/([A-Za-z])[0-9A-F]{8}(?=[.>])/g, '$1')
    .replaceAll('<AWS::Partition>', 'aws');
}

function fits({ rule, path }: Meant, found: string, where: string): boolean {
  const pattern = rule
    .split(/(\([^)]*\)\??)/)
    .map((part) => (part.startsWith('(') ? part.replace(/[.*](?!\?)/g, '\\$&') : escaped(part)))
    .join('');
  return new RegExp(`^${pattern}$`).test(found) && new RegExp(path).test(where);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

for (const [name, context] of Object.entries(OPTION_SETS)) {
  test(`AwsSolutions: ${name}`, () => {
    const [app] = appOf(context);
    app.synth();
    const { violations } = new AwsSolutionsChecks().validateScope(app);
    const left = violations.flatMap(({ ruleName, description, violatingResources }) =>
      violatingResources.flatMap(({ constructPath = '' }) => {
        const rule = plain(ruleName);
        const meant = MEANT.find((one) => fits(one, rule, `${constructPath}/`));
        if (meant) used.add(meant);
        return meant ? [] : [`${constructPath}: ${rule}: ${description}`];
      }),
    );
    assert.deepEqual(left, []);
  });
}

test('nothing is excused that no rule finds', () => {
  assert.deepEqual(
    MEANT.filter((meant) => !used.has(meant)).map(({ rule }) => rule),
    [],
  );
});
