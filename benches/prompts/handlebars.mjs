// Renders the prompt in this folder with npm handlebars. It reads one request per line from
// standard input: `<task> <milliseconds>` runs the task repeatedly for that time and prints the
// average microseconds per run. `text <task>` prints the rendered text as a JSON string.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Handlebars from "handlebars";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const [source, item, data] = [read("template.hbs"), read("item.hbs"), JSON.parse(read("data.json"))];
// Prompts are plain text, so do not escape values for HTML.
const options = { noEscape: true };

// Registers the partial as source text, so that handlebars compiles it in every run.
function compiled(engine) {
  engine.registerPartial("item", item);
  return engine.compile(source, options);
}

// Compiles the templates to functions before the measurement, as a build step would.
function precompiled() {
  const engine = Handlebars.create();
  const toFunction = (text) => engine.template((0, eval)(`(${engine.precompile(text, options)})`));
  engine.registerPartial("item", toFunction(item));
  return toFunction(source);
}

const engine = Handlebars.create();
const reused = compiled(Handlebars.create());
const prebuilt = precompiled();
const tasks = {
  "compile-and-render": () => compiled(engine)(data),
  "render-compiled": () => reused(data),
  "render-precompiled": () => prebuilt(data),
};

function measure(run, milliseconds) {
  const started = process.hrtime.bigint();
  const until = started + BigInt(Math.round(milliseconds * 1e6));
  let [runs, now] = [0, started];
  while (now < until) {
    for (let i = 0; i < 10; i += 1) run();
    runs += 10;
    now = process.hrtime.bigint();
  }
  return Number(now - started) / 1e3 / runs;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [first, second] = line.split(" ");
  const response = first === "text" ? JSON.stringify(tasks[second]()) : measure(tasks[first], Number(second));
  process.stdout.write(`${response}\n`);
}
