// Generates the expected results of tests/cases/prompts/handlebars. It renders every case in
// *.in.json with the npm package handlebars (4.7.x, noEscape) and writes the rendered texts and the
// failures to *.out.json.
//
//   NODE_PATH=<folder with handlebars> node scripts/oracles/handlebars.mjs [folder of cases]
//
// A file contains {data, cases}. A case is {name, template, data?, partials?}. The `data` of a case
// is an object or the name of an entry in the file's `data`.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(process.env.NODE_PATH ? `${process.env.NODE_PATH}/` : import.meta.url);
const Handlebars = require("handlebars");
const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "../../crates/llm-exe/tests/cases/prompts/handlebars");

console.error(`handlebars ${Handlebars.VERSION}`);
Handlebars.logger.log = () => {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".in.json"))) {
  const results = {};
  const { data: shared, cases } = JSON.parse(readFileSync(join(folder, file)));
  for (const { name, template, data, partials } of cases) {
    if (name in results) throw new Error(`${file}: two cases have the name ${name}`);
    const input = typeof data === "string" ? shared[data] : data;
    results[name] = render(template, input ?? {}, partials ?? {});
  }
  const out = join(folder, file.replace(/\.in\.json$/, ".out.json"));
  writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
  console.error(`${file}: ${Object.keys(results).length}`);
}

function render(template, data, partials) {
  const engine = Handlebars.create();
  engine.logger = { log() {} };
  for (const [name, source] of Object.entries(partials)) engine.registerPartial(name, source);
  try {
    return { expected: engine.compile(template, { noEscape: true })(data).toWellFormed() };
  } catch {
    return { error: true };
  }
}
