// Generates the expected results of tests/cases/prompts/llm-exe. It renders every case in *.in.json
// with the npm package llm-exe (3.x, utils.replaceTemplateString) and writes the rendered texts and
// the failures to *.out.json.
//
//   NODE_PATH=<folder with llm-exe> node scripts/oracles/llm-exe.mjs [folder of cases]
//
// handlebars.mjs describes the file format. llm-exe escapes the value of {{x}} for HTML. This
// script replaces the HTML entities with the original characters, so a case must not contain HTML
// entities itself.
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
  const { data: shared, cases } = JSON.parse(readFileSync(join(folder, file)));
  for (const { name, template, data, partials } of cases) {
    if (name in results) throw new Error(`${file}: two cases have the name ${name}`);
    const input = typeof data === "string" ? shared[data] : data;
    results[name] = render(template, input ?? {}, partials ?? {});
  }
  const out = join(folder, file.replace(/\.in\.json$/, ".out.json"));
  writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
  process.stderr.write(`${file}: ${Object.keys(results).length}\n`);
}

function render(source, data, sources) {
  const partials = Object.entries(sources).map(([name, template]) => ({ name, template }));
  try {
    const text = utils.replaceTemplateString(source, data, { helpers: [], partials });
    const raw = text.replace(/&(amp|lt|gt|quot|#x27|#x60|#x3D);/g, (_, e) => entities[e]);
    return { expected: raw.toWellFormed() };
  } catch {
    return { error: true };
  }
}
