// Renders the prompt of this folder with npm handlebars. For each line `<task> <milliseconds>` on
// standard input, it runs the task for that time and prints the average microseconds per run; for
// `text <task>` it prints the rendered text as a JSON string.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Handlebars from "handlebars";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const [source, item, data] = [read("template.hbs"), read("item.hbs"), JSON.parse(read("data.json"))];
// Prompts are text, not HTML.
const options = { noEscape: true };

// Registers the partial as text, so that each call compiles it.
function compiled(engine) {
  engine.registerPartial("item", item);
  return engine.compile(source, options);
}

// Templates that are already functions, as after a build step.
function precompiled() {
  const engine = Handlebars.create();
  const load = (text) => engine.template((0, eval)(`(${engine.precompile(text, options)})`));
  engine.registerPartial("item", load(item));
  return load(source);
}

const engine = Handlebars.create();
const compiledTemplate = compiled(Handlebars.create());
const precompiledTemplate = precompiled();
const tasks = {
  "compile-and-render": () => compiled(engine)(data),
  "render-compiled": () => compiledTemplate(data),
  "render-precompiled": () => precompiledTemplate(data),
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
  const result = first === "text" ? JSON.stringify(tasks[second]()) : measure(tasks[first], Number(second));
  process.stdout.write(`${result}\n`);
}
