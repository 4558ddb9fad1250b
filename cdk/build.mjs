// Compiles the constructs into `dist`, as CommonJS with type declarations. npm runs this before it
// packs the package. ES modules import the same code through a wrapper, so that a program that uses
// both module systems has one copy of each class.
// @ts-check

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const DIST = join(FOLDER, 'dist');
const require = createRequire(import.meta.url);

rmSync(DIST, { recursive: true, force: true });
const compiler = require.resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', FOLDER], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// tsc does not rewrite the extensions of imports in declarations.
for (const name of readdirSync(DIST).filter((name) => name.endsWith('.d.ts'))) {
  const path = join(DIST, name);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replaceAll(/(['"]\.[^'"\n]*)\.ts(['"])/g, '$1.js$2'));
}

// The package itself is of type `module`, for the sources.
writeFileSync(join(DIST, 'package.json'), '{ "type": "commonjs" }\n');
const names = Object.keys(require(join(DIST, 'index.js'))).sort();
writeFileSync(
  join(DIST, 'index.mjs'),
  `import constructs from './index.js';\n\nexport const { ${names.join(', ')} } = constructs;\n`,
);
writeFileSync(join(DIST, 'index.d.mts'), "export * from './index.js';\n");
copyFileSync(join(FOLDER, '..', 'LICENSE'), join(DIST, 'LICENSE'));
