// The checks of scripts/test-browser. They call a running `llm-exe serve` from a page in headless
// Chromium and with curl. Chromium is controlled by the DevTools protocol over a pair of pipes, so
// neither a package nor a free port is needed.
//
// node browser_test.mjs --write-script <file>: writes the simulator's script for the server
// node browser_test.mjs <chromium> <address of serve> <log of serve> <new folder for a profile>
// @ts-check

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

/** Maximum time in milliseconds of a command of the DevTools protocol, of curl, and of a log line. */
const TIMEOUT = 60_000;
/** The pause between two events of the simulator in milliseconds. */
const PAUSE = 50;
/** The number of text events before a scripted stream stops. */
const EVENTS = 4;
/** The reply has more than one byte per character, so that a wrong decoder shows. */
const TEXT = 'Größe 😀: the quick brown fox jumps over the lazy dog.';
const JSON_TEXT = '{"city":"Zürich","population":443037}';
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, population: { type: 'integer' } },
  required: ['city', 'population'],
  additionalProperties: false,
};

/** The requests by the word in the prompt that selects the step of the simulator's script. */
const SCRIPT = [
  step('complete', 3, { text: TEXT }, { milliseconds: PAUSE }),
  step('object', 1, { text: JSON_TEXT }, { milliseconds: PAUSE }),
  // The reply never ends, so text that arrives has arrived before the end.
  step('unfinished', 1, { text: TEXT }, { milliseconds: PAUSE, events: EVENTS, end: 'hang' }),
  step('broken', 1, { text: TEXT }, { milliseconds: PAUSE, events: EVENTS, end: 'drop' }),
  step('rejected', 1, { status: 401 }),
];

/** The path of serve that handles requests. */
const PATH = '/invoke';
const CONTENT_TYPES = { sse: 'text/event-stream', ndjson: 'application/x-ndjson' };

/**
 * @typedef {{ event: string, data: any }} StreamEvent
 *
 * @typedef {object} Reading what a page received
 * @property {number} status
 * @property {string | null} contentType
 * @property {string[]} reads the text of each read, with its events
 * @property {string | null} failure the name of the exception that ended the reading
 */

/**
 * Returns a step of the simulator's script.
 * @param {string} prompt @param {number} times @param {object} then @param {object} [stream]
 */
function step(prompt, times, then, stream) {
  return { when: { promptContains: prompt }, times, then, stream };
}

/**
 * Returns the body of a streamed request.
 * @param {string} message @param {object} [fields]
 */
function request(message, fields) {
  const base = { provider: 'openai', model: 'gpt-4o-mini', message, stream: true };
  return JSON.stringify({ ...base, ...fields });
}

/**
 * Sends a request and reads its response piece by piece. It runs in the page, so it can use nothing
 * of this file. `abortAfter` is the number of text events after which it aborts.
 * @param {string} path @param {string} body @param {number} abortAfter
 * @returns {Promise<Reading>}
 */
async function readStream(path, body, abortAfter) {
  const controller = new AbortController();
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body, signal: controller.signal });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const contentType = response.headers.get('content-type');
  /** @type {string[]} */
  const reads = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { status: response.status, contentType, reads, failure: null };
      reads.push(decoder.decode(value, { stream: true }));
      const events = reads.join('').split('event: text').length - 1;
      if (abortAfter && events >= abortAfter) controller.abort();
    }
  } catch (error) {
    const failure = error instanceof Error ? error.name : String(error);
    return { status: response.status, contentType, reads, failure };
  }
}

/** A Chromium with one page. */
class Browser {
  #nextId = 1;
  /** @type {Map<number, (reply: any) => void>} */
  #waiting = new Map();
  #session = '';

  /** @param {string} program @param {string} profile an empty folder, which is created */
  constructor(program, profile) {
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      'about:blank',
    ];
    this.errors = '';
    this.process = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
    this.exited = once(this.process, 'exit');
    const [, , errors, commands, replies] = this.process.stdio;
    this.commands = /** @type {import('node:stream').Writable} */ (commands);
    // The exit of Chromium closes the pipe. The command that waits then times out or is rejected.
    this.commands.on('error', () => {});
    errors?.on('data', (data) => (this.errors += data));
    let rest = '';
    /** @type {import('node:stream').Readable} */ (replies)
      .setEncoding('utf8')
      .on('data', (data) => {
        const messages = (rest + data).split('\0');
        rest = messages.pop() ?? '';
        for (const message of messages.map((text) => JSON.parse(text))) {
          this.#waiting.get(message.id)?.(message);
          this.#waiting.delete(message.id);
        }
      });
  }

  /**
   * Sends a command of the DevTools protocol and returns its result.
   * @param {string} method @param {object} params
   */
  async send(method, params) {
    const id = this.#nextId++;
    const sessionId = this.#session || undefined;
    const replied = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const exited = this.exited.then(() => fail(`Chromium has ended:\n${this.errors}`));
    const reply = await withTimeout(Promise.race([replied, exited]), method);
    if (reply.error) fail(`${method}: ${reply.error.message}`);
    return reply.result;
  }

  /**
   * Opens a page and waits until it is loaded.
   * @param {string} url
   */
  async open(url) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    this.#session = attached.sessionId;
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) fail(`Chromium cannot open ${url}: ${errorText}`);
    while ((await this.evaluate('location.href + document.readyState')) !== `${url}complete`) {
      await sleep(20);
    }
  }

  /**
   * Evaluates an expression in the page and returns its value.
   * @param {string} expression
   */
  async evaluate(expression) {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', params);
    if (exceptionDetails) {
      fail(`the page threw ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }
    return result.value;
  }

  /**
   * Reads a streamed response in the page.
   * @param {string} body @param {number} [abortAfter]
   * @returns {Promise<Reading>}
   */
  readStream(body, abortAfter = 0) {
    const values = [PATH, body, abortAfter].map((value) => JSON.stringify(value));
    return this.evaluate(`(${readStream})(${values.join(', ')})`);
  }

  async stop() {
    this.process.kill('SIGKILL');
    await this.exited;
  }
}

/**
 * Parses a stream. Comments are skipped.
 * @param {string} text @param {'sse' | 'ndjson'} format
 * @returns {StreamEvent[]}
 */
function parseEvents(text, format) {
  if (format === 'ndjson') {
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
  const blocks = text.split('\n\n').filter((block) => block && !block.startsWith(':'));
  return blocks.map((block) => {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    if (!event || !data) return fail(`not an event of the stream: ${JSON.stringify(block)}`);
    return { event, data: JSON.parse(data) };
  });
}

/**
 * Checks that the text arrived in several pieces before the result, and that the result is last.
 * @param {string[]} reads @param {'sse' | 'ndjson'} format @param {string} text @param {any} result
 */
function checkPieces(reads, format, text, result) {
  const events = parseEvents(reads.join(''), format);
  const names = events.map(({ event }) => event);
  const last = events.at(-1);
  expect(names.indexOf('result'), events.length - 1, 'the position of result');
  expect(last?.data, result, 'the result');
  const deltas = events.filter(({ event }) => event === 'text').map(({ data }) => data.delta);
  expect(deltas.join(''), text, 'the text of the events');
  const end = reads.findIndex((read) => read.includes('result'));
  const early = reads.slice(0, end).filter((read) => read.includes('delta')).length;
  // A page that gets the stream in one piece has no read before the one with the result.
  if (early < 2) {
    fail(`expected text in at least 2 reads before the result, got ${early} of ${reads.length}`);
  }
  return `${deltas.length} events of text in ${early} reads before the result`;
}

/**
 * The checks by name. Each returns what it has seen.
 * @type {[string, (browser: Browser, address: string, log: string) => Promise<string>][]}
 */
const CHECKS = [
  [
    'server-sent events',
    async (browser) => {
      const reading = await browser.readStream(request('complete'));
      checkHead(reading, 200, CONTENT_TYPES.sse);
      return checkPieces(reading.reads, 'sse', TEXT, TEXT);
    },
  ],
  [
    'NDJSON',
    async (browser) => {
      const reading = await browser.readStream(request('complete', { streamFormat: 'ndjson' }));
      checkHead(reading, 200, CONTENT_TYPES.ndjson);
      return checkPieces(reading.reads, 'ndjson', TEXT, TEXT);
    },
  ],
  [
    'JSON output',
    async (browser) => {
      const reading = await browser.readStream(
        request('object', { output: 'json', schema: SCHEMA }),
      );
      checkHead(reading, 200, CONTENT_TYPES.sse);
      return checkPieces(reading.reads, 'sse', JSON_TEXT, JSON.parse(JSON_TEXT));
    },
  ],
  [
    'a stream that breaks',
    async (browser) => {
      const reading = await browser.readStream(request('broken'));
      checkHead(reading, 200, CONTENT_TYPES.sse);
      const last = parseEvents(reading.reads.join(''), 'sse').at(-1);
      expect([last?.event, last?.data.type], ['error', 'ProviderUnavailable'], 'the last event');
      return 'the last event is the error';
    },
  ],
  [
    'an error before the stream',
    async (browser) => {
      const reading = await browser.readStream(request('rejected'));
      checkHead(reading, 502, 'application/json');
      const { error } = JSON.parse(reading.reads.join(''));
      expect(error.type, 'ProviderAuthFailed', 'the type of the error');
      return `status ${reading.status}`;
    },
  ],
  [
    'an aborted request',
    async (browser, _, log) => {
      const cancelled = () => readFileSync(log, 'utf8').split('ResultUnavailable').length - 1;
      const before = cancelled();
      const reading = await browser.readStream(request('unfinished'), EVENTS - 1);
      expect(reading.failure, 'AbortError', 'the exception in the page');
      const waited = (async () => {
        while (cancelled() === before) await sleep(20);
      })();
      await withTimeout(waited, 'the log line of the cancelled run');
      expect(cancelled(), before + 1, 'the number of cancelled runs');
      return `after ${EVENTS - 1} events of an unfinished reply, and the run was cancelled`;
    },
  ],
  [
    'curl -N',
    async (_, address) => {
      const headers = ['--header', 'content-type: application/json'];
      const flags = ['-N', '--silent', '--show-error', '--fail', ...headers];
      const curl = spawn('curl', [...flags, '--data', request('complete'), address + PATH], {
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: TIMEOUT,
      });
      /** @type {string[]} */
      const reads = [];
      curl.stdout.setEncoding('utf8').on('data', (data) => reads.push(data));
      const [code] = await once(curl, 'close');
      expect(code, 0, 'the exit code of curl');
      return checkPieces(reads, 'sse', TEXT, TEXT);
    },
  ],
];

/**
 * Checks the head of a response that was read to its end.
 * @param {Reading} reading @param {number} status @param {string} contentType
 */
function checkHead(reading, status, contentType) {
  const head = [reading.status, reading.contentType, reading.failure];
  expect(head, [status, contentType, null], `the response (${reading.reads.join('')})`);
}

/**
 * Fails unless a value is as expected.
 * @param {any} value @param {any} expected @param {string} name
 */
function expect(value, expected, name) {
  if (isDeepStrictEqual(value, expected)) return;
  fail(`${name}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(value)}`);
}

/**
 * Throws an error.
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  throw new Error(message);
}

/**
 * Returns the value of a promise, or fails if it takes too long.
 * @template T
 * @param {Promise<T>} promise @param {string} name
 * @returns {Promise<T>}
 */
async function withTimeout(promise, name) {
  const controller = new AbortController();
  const late = sleep(TIMEOUT, undefined, { signal: controller.signal }).then(() =>
    fail(`${name}: timed out after ${TIMEOUT / 1000} seconds`),
  );
  // The timer rejects when it is stopped.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}

/**
 * Runs all checks, and prints a line for each. Returns whether all have passed.
 * @param {string[]} args
 */
async function run(args) {
  const [program, address, log, profile] = args;
  if (!program || !address || !log || !profile) return fail('expected four arguments');
  const browser = new Browser(program, profile);
  let passed = 0;
  try {
    // Every page of the server has its origin. The one of /health needs no request.
    await browser.open(`${address}/health`);
    for (const [name, check] of CHECKS) {
      try {
        console.log(`${name}: ${await check(browser, address, log)}`);
        passed += 1;
      } catch (error) {
        console.error(`${name}: FAILED: ${error instanceof Error ? error.message : error}`);
      }
    }
  } finally {
    await browser.stop();
  }
  if (passed < CHECKS.length) {
    console.error(`browser: ${CHECKS.length - passed} of ${CHECKS.length} checks failed`);
    return false;
  }
  console.log(`browser: ${passed} checks passed`);
  return true;
}

const args = process.argv.slice(2);
if (args[0] === '--write-script' && args[1]) {
  writeFileSync(args[1], JSON.stringify(SCRIPT));
} else {
  process.exitCode = (await run(args)) ? 0 : 1;
}
