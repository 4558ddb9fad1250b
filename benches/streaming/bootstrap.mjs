// A minimal custom runtime with a handler that streams the text of a model with the AI SDK (npm `ai`).
// The response is the plain text, without events, which makes this handler faster than one that sends
// what `llm-exe-lambda` sends. A request without `stream` is run with generateText.
import { Agent, request } from "node:http";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const provider = createOpenAICompatible({
  name: "openai",
  baseURL: process.env.OPENAI_BASE_URL,
  apiKey: process.env.OPENAI_API_KEY,
  includeUsage: true,
});

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const ROOT = "/2018-06-01/runtime/invocation";

// Opens a request to the Runtime API. Returns the request and a promise of the response.
function open(method, path, headers) {
  const options = { hostname, port, agent, method, path: ROOT + path, headers };
  let sent;
  const response = new Promise((resolve, reject) => {
    sent = request(options, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () => {
        resolve({ headers: reply.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on("error", reject);
  });
  return { sent, response };
}

async function respond(id, { model, message, stream }) {
  const call = { model: provider(model), prompt: message, maxRetries: 0 };
  const path = `/${id}/response`;
  if (!stream) {
    const { text } = await generateText(call);
    const { sent, response } = open("POST", path, { "content-type": "application/json" });
    sent.end(JSON.stringify(text));
    return response;
  }
  const { textStream } = streamText({ ...call, onError: ({ error }) => console.error(error) });
  const { sent, response } = open("POST", path, {
    "content-type": "text/plain",
    "lambda-runtime-function-response-mode": "streaming",
    "transfer-encoding": "chunked",
  });
  for await (const text of textStream) {
    if (!sent.write(text)) {
      await new Promise((resolve) => sent.once("drain", resolve));
    }
  }
  sent.end();
  return response;
}

for (;;) {
  const { sent, response } = open("GET", "/next", {});
  sent.end();
  const { headers, text } = await response;
  await respond(headers["lambda-runtime-aws-request-id"], JSON.parse(text));
}
