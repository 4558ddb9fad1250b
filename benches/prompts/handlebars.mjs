// npm handlebars on the prompt of this folder, as a process that waits for orders: a line
// `<task> <milliseconds>` is answered with the microseconds of one run of that task, on average of
// as many as fit; `text <task>` is answered with what the task renders, as a JSON string.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Handlebars from "handlebars";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const [source, item, data] = [read("template.hbs"), read("item.hbs"), JSON.parse(read("data.json"))];
// Prompts are text, not HTML.
const options = { noEscape: true };

// The partial is registered as text each time, so that it is compiled each time.
function compiled(engine) {
  engine.registerPartial("item", item);
  return engine.compile(source, options);
}

// As a build step would leave them: templates are functions from the start.
function precompiled() {
  const engine = Handlebars.create();
  const made = (text) => engine.template((0, eval)(`(${engine.precompile(text, options)})`));
  engine.registerPartial("item", made(item));
  return made(source);
}

const engine = Handlebars.create();
const kept = compiled(Handlebars.create());
const built = precompiled();
const tasks = {
  "compile-and-render": () => compiled(engine)(data),
  "render-compiled": () => kept(data),
  "render-precompiled": () => built(data),
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
  const answer = first === "text" ? JSON.stringify(tasks[second]()) : measure(tasks[first], Number(second));
  process.stdout.write(`${answer}\n`);
}
