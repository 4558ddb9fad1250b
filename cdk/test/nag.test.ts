// Checks the stack of each option set against cdk-nag's AwsSolutions rules. cases/nag.json lists
// the accepted findings with reasons. Rules in cases/nag.json may contain alternatives in
// parentheses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';

import { OPTION_SETS } from './support/option-sets.ts';
import { appOf } from './support/synth.ts';

interface Accepted {
  rule: string;
  path: string;
  why: string;
}

const ACCEPTED = JSON.parse(
  readFileSync(new URL('cases/nag.json', import.meta.url), 'utf8'),
) as Accepted[];
const used = new Set<Accepted>();

/**
 * Removes the hashes from logical IDs and simplifies CloudFormation functions, to match
 * cases/nag.json.
 */
function normalize(rule: string): string {
  return rule
    .replace(/\{"Fn::Select".*?"Ref":"(\w+)"\}\]\}\]\}/, '<$1.Name>')
    .replace(/([A-Za-z])[0-9A-F]{8}(?=[.>])/g, '$1')
    .replaceAll('<AWS::Partition>', 'aws');
}

function matches({ rule, path }: Accepted, actualRule: string, actualPath: string): boolean {
  const pattern = rule
    .split(/(\([^)]*\)\??)/)
    .map((part) =>
      part.startsWith('(') ? part.replace(/[.*](?!\?)/g, '\\$&') : escapeRegExp(part),
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(actualRule) && new RegExp(path).test(actualPath);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

for (const [name, context] of Object.entries(OPTION_SETS)) {
  test(`AwsSolutions: ${name}`, () => {
    const [app] = appOf(context);
    app.synth();
    const { violations } = new AwsSolutionsChecks().validateScope(app);
    const unexpected = violations.flatMap(({ ruleName, description, violatingResources }) =>
      violatingResources.flatMap(({ constructPath = '' }) => {
        const rule = normalize(ruleName);
        const accepted = ACCEPTED.find((row) => matches(row, rule, `${constructPath}/`));
        if (accepted) used.add(accepted);
        return accepted ? [] : [`${constructPath}: ${rule}: ${description}`];
      }),
    );
    assert.deepEqual(unexpected, []);
  });
}

test('each accepted finding occurs', () => {
  assert.deepEqual(
    ACCEPTED.filter((accepted) => !used.has(accepted)).map(({ rule }) => rule),
    [],
  );
});
