// Generates the expected results of tests/cases/parsers/corpus. For each case in *.in.json, it runs
// the parser of the same name from the npm package llm-exe (3.x, createParser). It writes the
// result, or {error: true} if the parser throws, to *.out.json.
//
//   NODE_PATH=<folder with llm-exe> node scripts/oracles/parsers.mjs [folder of cases]
//
// Our `json` parser finds a value within other text, so llm-exe's `json` parser runs with match:
// "extract". llm-exe escapes rendered templates for HTML. This script undoes the escaping, so cases
// must not contain HTML entities themselves.
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
  for (const testCase of JSON.parse(readFileSync(join(folder, file)))) {
    const { name } = testCase;
    if (name in results) throw new Error(`${file}: two cases have the name ${name}`);
    results[name] = parse(parser, testCase);
  }
  const out = join(folder, `${parser}.out.json`);
  const lines = Object.entries(results).map(
    ([name, result]) => ` ${JSON.stringify(name)}: ${JSON.stringify(result)}`,
  );
  writeFileSync(out, `{\n${lines.join(",\n")}\n}\n`);
  const errors = Object.values(results).filter((result) => result.error).length;
  process.stderr.write(`${parser}: ${lines.length} cases, including ${errors} errors\n`);
}

function parse(parser, { text, options, schema, data }) {
  const defaults = parser === "json" ? { match: "extract" } : {};
  try {
    const parserOptions = { ...defaults, ...options, schema };
    const result = createParser(parser, parserOptions).parse(text, data ?? {});
    if (parser !== "replaceStringTemplate") return { result };
    return { result: result.replace(/&(amp|lt|gt|quot|#x27|#x60|#x3D);/g, (_, e) => entities[e]) };
  } catch {
    return { error: true };
  }
}
