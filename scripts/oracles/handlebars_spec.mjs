// Writes the templates of the specification of handlebars.js (its folder spec/, MIT license) to
// crates/llm-exe/tests/cases/prompts/handlebars-spec/*.in.json, in the format that handlebars.mjs
// describes. handlebars.mjs then writes the results.
//
//   git clone --branch v4.7.9 https://github.com/handlebars-lang/handlebars.js
//   NODE_PATH=<folder with handlebars> node scripts/oracles/handlebars_spec.mjs handlebars.js/spec
//   NODE_PATH=<folder with handlebars> node scripts/oracles/handlebars.mjs \
//     crates/llm-exe/tests/cases/prompts/handlebars-spec
//
// The specification is a set of tests in JavaScript. This script runs them with functions that record
// each template. Skipped are tests of the JavaScript API: templates that need a helper or decorator
// written in JavaScript (all those of sub-expressions do), a compiler or runtime option, or data that is
// not JSON. The tests of the parser are recorded with their templates only.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const require = createRequire(process.env.NODE_PATH ? `${process.env.NODE_PATH}/` : import.meta.url);
const Handlebars = require("handlebars");
const here = dirname(fileURLToPath(import.meta.url));
const spec = process.argv[2];
const out = join(here, "../../crates/llm-exe/tests/cases/prompts/handlebars-spec");

const FILES = [
  "basic",
  "blocks",
  "builtins",
  "data",
  "helpers",
  "parser",
  "partials",
  "regressions",
  "whitespace-control",
];

mkdirSync(out, { recursive: true });
for (const file of FILES) {
  const { cases, skipped } = record(file);
  const rows = cases.map((row) => `  ${JSON.stringify(row)}`);
  writeFileSync(join(out, `${file}.in.json`), `{"cases": [\n${rows.join(",\n")}\n]}\n`);
  console.error(`${file}: ${cases.length} templates, ${skipped} skipped`);
}

// Runs a file of the specification and returns the templates that it uses.
function record(file) {
  const cases = [];
  let skipped = 0;
  let title = [];
  const counts = new Map();
  const add = (template, data, partials) => {
    const base = [file, ...title].join(" > ");
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    const row = { name: count > 1 ? `${base} #${count}` : base, template };
    if (Object.keys(data).length > 0) row.data = data;
    if (Object.keys(partials).length > 0) row.partials = partials;
    cases.push(row);
  };
  const finish = (bench) => {
    const { template, input, partials, isPlain } = bench;
    const isText = [template, ...Object.values(partials)].every((text) => typeof text === "string");
    const data = input === undefined || input === null ? {} : asJson(input);
    if (isPlain && isText && data) add(template, data, partials);
    else skipped += 1;
  };
  const hooks = [];
  const globals = {
    Handlebars: Handlebars.create(),
    handlebarsEnv: Handlebars.create(),
    CompilerContext: { compile: () => () => "", compileWithPartial: () => () => "" },
    expect: () => anything(),
    sinon: anything(),
    equals() {},
    shouldThrow(callback) {
      try {
        callback();
      } catch {
        // The results of handlebars.mjs say which templates fail.
      }
    },
    beforeEach: (hook) => hooks.push(hook),
    afterEach() {},
    describe: nested((callback) => callback()),
    it: nested((callback) => {
      for (const hook of hooks) attempt(hook);
      attempt(callback);
    }),
    expectTemplate: (template) => bench(template, finish),
    console: anything(),
    require: () => anything(),
  };
  globals.xit = globals.describe.skip = globals.it.skip = () => {};
  globals.global = globals;
  globals.Handlebars.print = Handlebars.print;
  globals.Handlebars.parse = (template) => {
    if (file === "parser") finish({ template, input: {}, partials: {}, isPlain: true });
    return Handlebars.parse(template);
  };
  vm.runInNewContext(readFileSync(join(spec, `${file}.js`), "utf8"), globals);
  return { cases, skipped };

  function nested(run) {
    return (name, callback) => {
      title.push(name);
      run(callback ?? (() => {}));
      title = title.slice(0, -1);
    };
  }
}

// The object that `expectTemplate` returns. It reports its template when an expectation is named.
function bench(template, finish) {
  const state = { template, input: {}, partials: {}, isPlain: true };
  const set = (change) => () => {
    change();
    return self;
  };
  const plainIfEmpty = (options) =>
    set(() => {
      if (Object.keys(options ?? {}).length > 0) state.isPlain = false;
    })();
  const notPlain = set(() => {
    state.isPlain = false;
  });
  const self = {
    withInput: (input) => set(() => Object.assign(state, { input }))(),
    withPartial: (name, source) => set(() => Object.assign(state.partials, { [name]: source }))(),
    withPartials: (partials) => set(() => Object.assign(state.partials, partials))(),
    withHelper: notPlain,
    withHelpers: plainIfEmpty,
    withDecorator: notPlain,
    withDecorators: plainIfEmpty,
    withCompileOptions: plainIfEmpty,
    withRuntimeOptions: plainIfEmpty,
    withMessage: () => self,
    toCompileTo: () => finish(state),
    toThrow: () => finish(state),
  };
  return self;
}

function attempt(callback) {
  try {
    callback({ skip() {} });
  } catch {
    // The test checks what this script does not imitate. Templates before that are recorded.
  }
}

// Returns a value as JSON, or undefined if it is not an object or loses anything in JSON.
function asJson(value) {
  if (typeof value !== "object" || Array.isArray(value)) return undefined;
  const isJson = (value) => {
    if (value === null) return true;
    if (typeof value === "number") return Number.isFinite(value);
    if (typeof value !== "object") return ["string", "boolean"].includes(typeof value);
    const { constructor } = value;
    if (constructor && !["Object", "Array"].includes(constructor.name)) return false;
    if (Array.isArray(value) && Object.keys(value).length !== value.length) return false;
    return Object.values(value).every(isJson);
  };
  return isJson(value) ? JSON.parse(JSON.stringify(value)) : undefined;
}

// Returns an object on which every property exists and can be called.
function anything() {
  const target = () => anything();
  return new Proxy(target, { get: (_, name) => (name === "then" ? undefined : anything()) });
}
