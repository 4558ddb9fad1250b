// A minimal custom runtime: asks the Lambda Runtime API for events over one kept-alive
// connection, as AWS's own runtime client does, and posts the handler's answers.
import { Agent, request } from "node:http";
import { handler } from "./handler.mjs";

// llm-exe 3.0.4 has no option for an OpenAI base URL: `useLlmConfiguration` takes a configuration
// with an endpoint of its own, but every call looks its configuration up by key in the built-in
// table. So its calls are pointed elsewhere here, where it hands them to fetch.
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
      const answer = await handler(JSON.parse(event.text));
      await call("POST", `/${id}/response`, JSON.stringify(answer));
    } catch (error) {
      const told = { errorType: error.name, errorMessage: error.message };
      await call("POST", `/${id}/error`, JSON.stringify(told));
    }
  }
}

run().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
