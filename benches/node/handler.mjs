// What the original Lambda does with a request, on npm llm-exe's public API: model, prompt,
// parser, executor. Reading from S3, keys from SSM and event detection are left out, which
// favours this side.
import { createChatPrompt, createLlmExecutor, createParser, useLlm } from "llm-exe";

const PARSERS = {
  string: () => createParser("string"),
  list: () => createParser("listToArray"),
  json: (schema) => createParser("json", schema && { schema }),
};

/** Answers one request: `{provider, model, message, data, output, schema}`. */
export async function handler(request) {
  // The misspelling is the original's own name for it.
  const provider = request.provider ?? request.providor;
  const { model, message, data = {}, output = "string", schema } = request;
  const executor = createLlmExecutor({
    llm: useLlm(`${provider}.chat.v1`, { model }),
    prompt: prompt(message),
    parser: PARSERS[output](schema),
  });
  return executor.execute(data);
}

function prompt(message) {
  const prompt = createChatPrompt();
  for (const part of Array.isArray(message) ? message : [message]) {
    if (typeof part === "string") {
      prompt.addUserMessage(part);
    } else {
      prompt.addToPrompt(part.content, part.role);
    }
  }
  return prompt;
}
