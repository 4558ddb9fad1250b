// A fake AWS account. moto simulates all services, but it runs Lambda functions only with Docker. A
// server in front of moto therefore handles invocations: it provides the Invoke API to callers and
// the Runtime API to the real binary. Its URL is the value for `AWS_ENDPOINT_URL`.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** The ID of the account that moto simulates. */
export const MOTO_ACCOUNT = '123456789012';
export const MOTO_REGION = 'us-east-1';

const INVOKE = /^\/2015-03-31\/functions\/[^/]+\/invocations$/;
const RUNTIME = '/2018-06-01/runtime/';
const TIMEOUT_MS = 30_000;

interface Invocation {
  id: string;
  event: Buffer;
  respond: (status: 'ok' | 'error', body: Buffer) => void;
}

/** The result of one execution of a state machine. */
export interface Execution {
  status: string;
  error: unknown;
  output: unknown;
}

export class Account {
  readonly url: string;
  readonly #server: http.Server;
  readonly #moto: ChildProcess;
  readonly #motoPort: number;
  readonly #queue: Invocation[] = [];
  readonly #running = new Map<string, Invocation>();
  readonly #waiting: http.ServerResponse[] = [];
  /** All events that the function has received so far. */
  readonly events: unknown[] = [];

  private constructor(server: http.Server, port: number, moto: ChildProcess, motoPort: number) {
    this.#server = server;
    this.#moto = moto;
    this.#motoPort = motoPort;
    this.url = `http://localhost:${port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** Starts moto (the executable `program`) and the server in front of it. */
  static async start(program: string): Promise<Account> {
    const server = http.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const motoPort = await freePort();
    const moto = spawn(program, ['-H', '127.0.0.1', '-p', String(motoPort)], {
      // moto's Step Functions interpreter sends its Lambda invocations to this port, on which our
      // server listens.
      env: { ...process.env, MOTO_PORT: String(port), AWS_ENDPOINT_URL: '' },
      stdio: ['ignore', 'ignore', process.env['MOTO_LOG'] ? 'inherit' : 'ignore'],
    });
    for (let left = 300; !(await isOpen(motoPort)); left--) {
      if (left === 0 || moto.exitCode !== null) throw new Error('moto did not start');
      await pause(100);
    }
    return new Account(server, port, moto, motoPort);
  }

  /** The value for `AWS_LAMBDA_RUNTIME_API`, which has no scheme. */
  get runtimeApi(): string {
    return this.url.replace('http://localhost', '127.0.0.1');
  }

  /** Invokes the function through the Invoke API. */
  async invoke(event: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/2015-03-31/functions/any/invocations`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    return response.json();
  }

  /** Sends a request in the AWS JSON protocol and returns the response. */
  async json(target: string, service: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        ...signed(service),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
    return text ? (JSON.parse(text) as Record<string, unknown>) : {};
  }

  /** Sends a request in the AWS query protocol and returns the XML response. */
  async query(service: string, fields: Record<string, string>): Promise<string> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { ...signed(service), 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${fields['Action']}: ${response.status} ${text}`);
    return text;
  }

  /** Sends a request to a REST service, such as S3. */
  async rest(service: string, method: string, path: string, body?: string): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: signed(service),
      ...(body !== undefined && { body }),
    });
  }

  /** Configures moto to run state machines. By default, moto only stores them. */
  async interpretStateMachines(): Promise<void> {
    const body = JSON.stringify({ stepfunctions: { execute_state_machine: true } });
    const response = await this.rest('states', 'POST', '/moto-api/config', body);
    if (!response.ok) throw new Error(await response.text());
  }

  /** Creates a state machine and returns its ARN. */
  async stateMachine(name: string, definition: string, functionArn: string): Promise<string> {
    const created = await this.json('AWSStepFunctions.CreateStateMachine', 'states', {
      name,
      definition: definition.replaceAll('${FunctionArn}', functionArn),
      roleArn: `arn:aws:iam::${MOTO_ACCOUNT}:role/any`,
    });
    return String(created['stateMachineArn']);
  }

  /** Returns the definition of a state machine. */
  async definition(stateMachineArn: string): Promise<string> {
    const body = { stateMachineArn };
    const reply = await this.json('AWSStepFunctions.DescribeStateMachine', 'states', body);
    return String(reply['definition']);
  }

  /** Runs a state machine, waits until the execution ends and returns its result. */
  async execute(stateMachineArn: string, input: unknown): Promise<Execution> {
    const body = { stateMachineArn, input: JSON.stringify(input) };
    const { executionArn } = await this.json('AWSStepFunctions.StartExecution', 'states', body);
    for (let left = 600; left > 0; left--) {
      const query = { executionArn };
      const reply = await this.json('AWSStepFunctions.DescribeExecution', 'states', query);
      if (reply['status'] !== 'RUNNING') {
        return { status: String(reply['status']), error: reply['error'], output: reply['output'] };
      }
      await pause(100);
    }
    throw new Error('the execution did not end within 60 seconds');
  }

  async stop(): Promise<void> {
    this.#moto.kill();
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#moto.exitCode === null) await once(this.#moto, 'exit');
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith(RUNTIME)) return this.#handleRuntime(path, request, response);
    if (INVOKE.test(decodeURIComponent(path))) return this.#handleInvoke(request, response);
    const proxied = http.request(
      {
        host: '127.0.0.1',
        port: this.#motoPort,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    proxied.on('error', () => response.destroy());
    request.pipe(proxied);
  }

  async #handleInvoke(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const event = await bodyOf(request);
    this.events.push(JSON.parse(event.toString()));
    const id = `00000000-0000-4000-8000-${String(this.events.length).padStart(12, '0')}`;
    this.#queue.push({
      id,
      event,
      respond: (status, body) => {
        response.writeHead(200, {
          'content-type': 'application/json',
          ...(status === 'error' && { 'x-amz-function-error': 'Unhandled' }),
        });
        response.end(body);
      },
    });
    this.#deliver();
  }

  /** Handles the Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
  async #handleRuntime(
    path: string,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const [resource = '', id = '', kind = ''] = path.slice(RUNTIME.length).split('/');
    if (resource === 'invocation' && id === 'next') {
      this.#waiting.push(response);
      this.#deliver();
      return;
    }
    const body = await bodyOf(request);
    this.#running.get(id)?.respond(kind === 'response' ? 'ok' : 'error', body);
    this.#running.delete(id);
    response.writeHead(202).end('{}');
  }

  /** Sends queued events in response to the pending `next` requests of the binary. */
  #deliver(): void {
    while (this.#queue.length > 0 && this.#waiting.length > 0) {
      const invocation = this.#queue.shift()!;
      const response = this.#waiting.shift()!;
      this.#running.set(invocation.id, invocation);
      response.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': invocation.id,
        'lambda-runtime-deadline-ms': String(Date.now() + TIMEOUT_MS),
        'lambda-runtime-invoked-function-arn': `arn:aws:lambda:${MOTO_REGION}:${MOTO_ACCOUNT}:function:llm-exe`,
        'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0',
      });
      response.end(invocation.event);
    }
  }
}

/**
 * Returns the headers of a signed request. moto reads the service from the signature's scope and
 * does not verify the signature.
 */
function signed(service: string): Record<string, string> {
  const scope = `AKIAIOSFODNN7EXAMPLE/20260101/${MOTO_REGION}/${service}/aws4_request`;
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
  };
}

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
