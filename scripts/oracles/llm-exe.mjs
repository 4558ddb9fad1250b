// Makes the expected texts of tests/cases/prompts/llm-exe: for every *.in.json there, what npm
// llm-exe (3.x, utils.replaceTemplateString) renders, or that it fails, goes into *.out.json.
//
//   NODE_PATH=<folder with llm-exe> node scripts/oracles/llm-exe.mjs [folder of cases]
//
// llm-exe escapes {{x}} for HTML, which prompts are not: the entities are taken back here, so no
// case may hold one of them as its own text.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(process.env.NODE_PATH ? `${process.env.NODE_PATH}/` : import.meta.url);
const { utils } = require("llm-exe");
const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "../../crates/llm-exe/tests/cases/prompts/llm-exe");
const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'", "#x60": "`", "#x3D": "=" };

console.log = console.error = () => {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".in.json"))) {
  const results = {};
  for (const { name, template, data, partials } of JSON.parse(readFileSync(join(folder, file)))) {
    if (name in results) throw new Error(`${file}: two cases are named ${name}`);
    results[name] = render(template, data ?? {}, partials ?? {});
  }
  const out = join(folder, file.replace(/\.in\.json$/, ".out.json"));
  writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
  process.stderr.write(`${file}: ${Object.keys(results).length}\n`);
}

function render(source, data, given) {
  const partials = Object.entries(given).map(([name, template]) => ({ name, template }));
  try {
    const text = utils.replaceTemplateString(source, data, { helpers: [], partials });
    const raw = text.replace(/&(amp|lt|gt|quot|#x27|#x60|#x3D);/g, (_, e) => entities[e]);
    return { expected: raw.toWellFormed() };
  } catch {
    return { error: true };
  }
}
