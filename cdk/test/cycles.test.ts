// Checks that the files of cdk/lib and cdk/bin do not import each other in a cycle. Type imports
// count too.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

import { ROOT } from './support/synth.ts';

type Graph = ReadonlyMap<string, readonly string[]>;

/** Returns the relative imports and re-exports of each file. */
function importsOf(folders: string[]): Graph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)),
  );
  return new Map(
    files.map((file) => {
      const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|\}).* from '(\.[^']+)';$/gm);
      const targets = [...imports].map(([, path]) => resolve(dirname(file), path!));
      return [relative(ROOT, file), targets.map((target) => relative(ROOT, target))];
    }),
  );
}

/** Returns the files of the first cycle, or `undefined` if the graph has no cycle. */
function findCycle(graph: Graph): string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test('the files of cdk/lib and cdk/bin have no import cycle', () => {
  const graph = importsOf(['cdk/lib', 'cdk/bin']);
  assert.ok(graph.get('cdk/lib/stack.ts')?.includes('cdk/lib/config.ts'), 'imports were found');
  assert.ok(graph.get('cdk/lib/config.ts')?.includes('cdk/lib/parsers.ts'), 'imports were found');
  const cycle = findCycle(graph);
  assert.equal(cycle, undefined, `import cycle: ${cycle?.join(' -> ')}`);
});

test('findCycle returns the files of a cycle', () => {
  const graph = new Map([
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['c', ['b']],
    ['d', []],
  ]);
  assert.deepEqual(findCycle(graph), ['b', 'c', 'b']);
});
