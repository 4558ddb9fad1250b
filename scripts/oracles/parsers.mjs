// Makes the expected results of tests/cases/parsers/corpus: for every *.in.json there, what the
// parser of that name in npm llm-exe (3.x, createParser) answers, or that it refuses, goes into
// *.out.json.
//
//   NODE_PATH=<folder with llm-exe> node scripts/oracles/parsers.mjs [folder of cases]
//
// Our `json` looks for a value within other text, as theirs does with match: "extract". What they
// render is escaped for HTML: the entities are taken back, so no case may hold one as its own text.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(process.env.NODE_PATH ? `${process.env.NODE_PATH}/` : import.meta.url);
const { createParser } = require("llm-exe");
const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "../../crates/llm-exe/tests/cases/parsers/corpus");
const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'", "#x60": "`", "#x3D": "=" };

console.log = console.error = () => {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".in.json"))) {
  const parser = file.replace(/\.in\.json$/, "");
  const results = {};
  for (const one of JSON.parse(readFileSync(join(folder, file)))) {
    if (one.name in results) throw new Error(`${file}: two cases are named ${one.name}`);
    results[one.name] = parsed(parser, one);
  }
  const out = join(folder, `${parser}.out.json`);
  const lines = Object.entries(results).map(
    ([name, result]) => ` ${JSON.stringify(name)}: ${JSON.stringify(result)}`,
  );
  writeFileSync(out, `{\n${lines.join(",\n")}\n}\n`);
  const refused = Object.values(results).filter((result) => result.error).length;
  process.stderr.write(`${parser}: ${lines.length}, ${refused} of them refused\n`);
}

function parsed(parser, { text, options, schema, data }) {
  const common = parser === "json" ? { match: "extract" } : {};
  try {
    const result = createParser(parser, { ...common, ...options, schema }).parse(text, data ?? {});
    if (parser !== "replaceStringTemplate") return { result };
    return { result: result.replace(/&(amp|lt|gt|quot|#x27|#x60|#x3D);/g, (_, e) => entities[e]) };
  } catch {
    return { error: true };
  }
}
