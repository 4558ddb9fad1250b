// Prints the JSON Schemas of types in bodies.ts, as an object with the names of the types. Called
// by scripts/vendor-types, which simplifies them.
//
//   npm ci && node schemas.mjs TYPE...
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createGenerator } from "ts-json-schema-generator";

const here = dirname(fileURLToPath(import.meta.url));
const schemas = {};
for (const type of process.argv.slice(2)) {
  const generator = createGenerator({
    path: join(here, "bodies.ts"),
    tsconfig: join(here, "tsconfig.json"),
    type,
    // The descriptions tell which fields the Gemini API does not have.
    jsDoc: "extended",
    expose: "all",
    topRef: false,
    encodeRefs: false,
    additionalProperties: false,
    skipTypeCheck: true,
    sortProps: true,
  });
  schemas[type] = generator.createSchema(type);
}
process.stdout.write(JSON.stringify(schemas));
