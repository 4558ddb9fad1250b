// Runs a request with the public API of npm llm-exe, as the original Lambda does. S3, SSM and event
// detection are omitted, which makes this handler faster than the original.
import { createChatPrompt, createLlmExecutor, createParser, useLlm } from "llm-exe";

const PARSERS = {
  string: () => createParser("string"),
  list: () => createParser("listToArray"),
  json: (schema) => createParser("json", schema && { schema }),
};

/** Runs one request: `{provider, model, message, data, output, schema}`. */
export async function handler(request) {
  // The original Lambda misspells the name of this field.
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
