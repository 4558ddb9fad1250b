// Checks the request bodies in the wire cases and the conversations against the types in the
// providers' npm packages. The script writes the bodies as typed TypeScript constants and compiles
// them, so that unknown fields and wrong types are errors. The field `bodyType` of a provider's
// data file is the TypeScript type of its bodies, in bodies.ts. The simulator checks bodies
// against JSON Schemas of the same types; this check does not depend on the conversion.
//
//   npm ci && node check.mjs
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tsc = join(here, "node_modules/typescript/bin/tsc");
if (!existsSync(tsc)) {
  console.error(`TypeScript is not installed; run: npm ci --prefix ${here}`);
  process.exit(1);
}
const cases = join(here, "../cases/wire");
const conversations = join(here, "../cases/conversations");

// The types of the bodies by name.
const HEAD = readFileSync(join(here, "bodies.ts"), "utf8");

// Returns a request body as TypeScript source, with values in the form that the SDK expects.
function toSource(value, type) {
  const text = JSON.stringify(value, null, 1);
  if (type === "Converse") {
    return text.replace(/"(bytes|redactedContent)": "[^"]*"/g, '"$1": new Uint8Array()');
  }
  if (type !== "GenerateContent") return text;
  // The Gemini types use TypeScript enums.
  return text
    .replace(/"thinkingLevel": "(\w+)"/g, '"thinkingLevel": "$1" as Gemini.ThinkingLevel')
    .replace(/"mode": "(\w+)"/g, '"mode": "$1" as Gemini.FunctionCallingConfigMode');
}

const lines = [HEAD];
let count = 0;
function add(name, body, type) {
  count += 1;
  lines.push(`// ${name}\nexport const body${count}: ${type} = ${toSource(body, type)};`);
}

// Returns the JSON of a folder's files by provider.
function read(folder) {
  const files = readdirSync(folder).sort();
  const parse = (file) => JSON.parse(readFileSync(join(folder, file), "utf8"));
  return new Map(files.map((file) => [basename(file, ".json"), parse(file)]));
}

const providers = read(cases);
function typeOf(provider) {
  const type = providers.get(provider.replace(":", "-"))?.bodyType;
  if (!type) throw new Error(`${provider}: the field bodyType is missing`);
  return type;
}

for (const [provider, data] of providers) {
  const type = typeOf(provider);
  for (const [name, { wire }] of Object.entries(data.cases)) {
    if (!wire) continue;
    const isResponses = wire.url.endsWith("/responses");
    add(`${provider}: ${name}`, wire.body, isResponses ? "SentResponses" : type);
  }
}
if (count < 100) throw new Error(`expected at least 100 bodies, found ${count}`);

const wireCount = count;
for (const [provider, named] of read(conversations)) {
  for (const [name, { turns, api }] of Object.entries(named)) {
    for (const [index, turn] of turns.entries()) {
      // A provider without the Responses API is called through its main API.
      const isResponses = api === "responses" && turn.request && "input" in turn.request;
      const type = isResponses ? "SentResponses" : typeOf(turn.provider ?? provider);
      if (turn.request) add(`${provider}: ${name}, turn ${index}`, turn.request, type);
    }
  }
}
if (count === wireCount) throw new Error("found no conversations");

mkdirSync(join(here, "node_modules/.wire"), { recursive: true });
const out = join(here, "node_modules/.wire/bodies.ts");
writeFileSync(out, `${lines.join("\n\n")}\n`);
const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
options.push("--module", "nodenext", "--moduleResolution", "nodenext");
const result = spawnSync(process.execPath, [tsc, ...options, out], { encoding: "utf8" });
if (result.status !== 0) {
  process.stdout.write(`${result.stdout}${result.stderr}`.slice(0, 20000));
  process.exit(1);
}
console.log(`${count} wire bodies match the types of their providers`);
