// Makes the expected texts of tests/cases/prompts/handlebars: for every *.in.json there, what npm
// handlebars (4.7.x, noEscape) renders, or that it fails, goes into *.out.json beside it.
//
//   NODE_PATH=<folder with handlebars> node scripts/oracles/handlebars.mjs [folder of cases]
//
// A case is {name, template, data?, partials?}. The data stays in the *.in.json alone, so that
// numbers keep the form they were written in.
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
  for (const { name, template, data, partials } of JSON.parse(readFileSync(join(folder, file)))) {
    if (name in results) throw new Error(`${file}: two cases are named ${name}`);
    results[name] = render(template, data ?? {}, partials ?? {});
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
