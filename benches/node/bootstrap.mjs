// A minimal custom runtime. It fetches events from the Lambda Runtime API over one keep-alive
// connection, as AWS's runtime client does, and posts the handler's responses.
import { Agent, request } from "node:http";
import { handler } from "./handler.mjs";

// llm-exe 3.0.4 has no working option for the OpenAI base URL, because each call reads its endpoint
// from a built-in table. Replace the URL in llm-exe's calls to fetch instead.
const OPENAI = "https://api.openai.com/v1";
const base = process.env.OPENAI_BASE_URL;
if (base) {
  const { fetch } = globalThis;
  globalThis.fetch = (url, options) => fetch(url.replace(OPENAI, base), options);
}

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const ROOT = "/2018-06-01/runtime/invocation";

function call(method, path, body) {
  const headers = body === undefined ? {} : {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, agent, method, path: ROOT + path, headers }, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("error", reject);
      reply.on("end", () => {
        resolve({ headers: reply.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function run() {
  for (;;) {
    const event = await call("GET", "/next");
    const id = event.headers["lambda-runtime-aws-request-id"];
    try {
      const response = await handler(JSON.parse(event.text));
      await call("POST", `/${id}/response`, JSON.stringify(response));
    } catch (error) {
      const failure = { errorType: error.name, errorMessage: error.message };
      await call("POST", `/${id}/error`, JSON.stringify(failure));
    }
  }
}

run().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
