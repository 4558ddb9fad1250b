// Writes the golden wire bodies as TypeScript constants of the providers' own types, and compiles
// them. What a provider's package does not know is an error, as is a field of the wrong type.
//
//   npm ci && node check.mjs
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const cases = join(here, "../cases/wire");

const HEAD = `
import type OpenAI from "openai";
import type Anthropic from "@anthropic-ai/sdk";
import type * as Gemini from "@google/genai";
import type * as Ollama from "ollama";
import type { ConverseCommandInput } from "@aws-sdk/client-bedrock-runtime";

type Chat = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
// The sampling options, which older models take, are no more in the types since SDK 1.0.
type Sampling = { temperature?: number; top_p?: number; top_k?: number };
type Messages = Anthropic.MessageCreateParamsNonStreaming & Sampling;
// DeepSeek's own switch; @ai-sdk/deepseek sends it so.
type DeepSeek = Chat & { thinking?: { type: "enabled" | "disabled" } };
// The REST body: what the SDK's \`config\` becomes.
type GenerateContent = {
  contents: Gemini.Content[];
  systemInstruction?: Gemini.Content;
  generationConfig?: Gemini.GenerationConfig;
  tools?: Gemini.Tool[];
  toolConfig?: Gemini.ToolConfig;
};
type OllamaChat = Ollama.ChatRequest & { stream: false };
// The model stands in the path.
type InvokeAnthropic = Omit<Messages, "model"> & { anthropic_version: "bedrock-2023-05-31" };
type Converse = Omit<ConverseCommandInput, "modelId">;
`;

// The type of each provider's bodies.
const TYPES = {
  openai: "Chat",
  xai: "Chat",
  deepseek: "DeepSeek",
  anthropic: "Messages",
  google: "GenerateContent",
  ollama: "OllamaChat",
  "amazon-anthropic": "InvokeAnthropic",
  "amazon-meta": "Converse",
  "amazon-nova": "Converse",
  amazon: "Converse",
};

// Some SDKs take what the wire carries in another form.
function written(value, type) {
  const text = JSON.stringify(value, null, 1);
  if (type === "Converse") return text.replace(/"bytes": "[^"]*"/g, '"bytes": new Uint8Array()');
  if (type !== "GenerateContent") return text;
  // Enumerations are TypeScript's own there.
  return text
    .replace(/"thinkingLevel": "(\w+)"/g, '"thinkingLevel": "$1" as Gemini.ThinkingLevel')
    .replace(/"mode": "(\w+)"/g, '"mode": "$1" as Gemini.FunctionCallingConfigMode');
}

const lines = [HEAD];
let count = 0;
function add(name, body, type) {
  count += 1;
  lines.push(`// ${name}\nexport const body${count}: ${type} = ${written(body, type)};`);
}

for (const provider of readdirSync(cases).sort()) {
  const type = TYPES[provider];
  if (!type) throw new Error(`no type for the bodies of ${provider}`);
  for (const file of readdirSync(join(cases, provider)).sort()) {
    const { wire } = JSON.parse(readFileSync(join(cases, provider, file), "utf8"));
    if (wire) add(`${provider}/${file}`, wire.body, type);
  }
}
if (count < 100) throw new Error(`only ${count} bodies were found`);

mkdirSync(join(here, "node_modules/.wire"), { recursive: true });
const out = join(here, "node_modules/.wire/bodies.ts");
writeFileSync(out, `${lines.join("\n\n")}\n`);
const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"];
options.push("--module", "nodenext", "--moduleResolution", "nodenext");
const tsc = join(here, "node_modules/typescript/bin/tsc");
const done = spawnSync(process.execPath, [tsc, ...options, out], { encoding: "utf8" });
if (done.status !== 0) {
  process.stdout.write(done.stdout.slice(0, 20000));
  process.exit(1);
}
console.log(`${count} wire bodies are of their providers' types`);
