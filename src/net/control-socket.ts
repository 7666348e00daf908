import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import * as z from 'zod';
import { type ErrorCode, OutcryError } from '../core/errors.ts';

/** Of one deposit or withdrawal: ₹1,00,000 crore. */
export const AMOUNT_PAISE_MAX = 100_000_000_000_000;

const userId = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const amountPaise = z.int().min(1).max(AMOUNT_PAISE_MAX);
const reference = z.string().regex(/^[\x20-\x7e]{1,64}$/);

/**
 * The control socket: a Unix socket in the data directory that only its owner may open. One connection is one request: a line of JSON in, a line of
 * JSON out, `{"ok":true,"value":…}` or `{"ok":false,"code":…,"error":…}`.
 */
const controlRequestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('status') }),
  z.strictObject({ type: z.literal('reload') }),
  z.strictObject({
    type: z.literal('account'),
    command: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('open-account'), userId }),
      z.strictObject({ type: z.enum(['deposit', 'withdraw']), userId, amountPaise, reference }),
      z.strictObject({ type: z.enum(['freeze', 'unfreeze']), userId, reason: z.string().max(200) }),
    ]),
  }),
  z.strictObject({ type: z.literal('drill'), kind: z.enum(['throw', 'hang']), worker: z.string().max(64) }),
]);

/** What an operator asks of an account. */
export type AccountRequest = Extract<ControlRequest, { type: 'account' }>['command'];
export type ControlRequest = z.infer<typeof controlRequestSchema>;

export interface ControlReply {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly code?: ErrorCode;
  readonly error?: string;
}

const REQUEST_MAX_BYTES = 4_096;
const REPLY_MAX_BYTES = 1 << 20;
const CONNECTIONS_MAX = 16;
const IDLE_MS = 5_000;
const ANSWER_MS = 10_000;
/** sun_path of unix(7) less its closing zero. */
const PATH_MAX_BYTES = 107;

/** The socket's path, absolute or relative to the working directory, whichever is shorter: the system limits it. */
export function controlSocketPath(dataDir: string): string {
  const absolute = join(dataDir, 'outcry.sock');
  const fromHere = relative(process.cwd(), absolute);
  const path = Buffer.byteLength(fromHere) < Buffer.byteLength(absolute) ? fromHere : absolute;
  if (Buffer.byteLength(path) > PATH_MAX_BYTES) {
    throw new OutcryError('CONFIG_INVALID', `data_dir is too long for a socket in it: ${absolute}`);
  }
  return path;
}

export type ControlHandler = (request: ControlRequest) => Promise<unknown>;

/** Serves requests until the returned server is closed. What is left of a dead owner's socket is replaced: the data lock says that it is dead. */
export async function serveControl(dataDir: string, handler: ControlHandler): Promise<Server> {
  const path = controlSocketPath(dataDir);
  rmSync(path, { force: true });
  const server = createServer((socket) => serveRequest(socket, handler));
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new OutcryError('LISTEN_FAILED', `${path}: ${error.message}`, error)));
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

function serveRequest(socket: Socket, handler: ControlHandler): void {
  let text = '';
  let answered = false;
  const answer = (reply: ControlReply): void => {
    if (answered) return;
    answered = true;
    socket.end(`${JSON.stringify(reply)}\n`);
  };
  const refuse = (error: unknown): void => {
    const known = error instanceof OutcryError;
    answer(
      known
        ? { ok: false, code: error.code, error: error.detail }
        : { ok: false, code: 'WORKER_FAILED', error: String((error as Error)?.message ?? error) },
    );
  };
  socket.setEncoding('utf8');
  socket.setTimeout(ANSWER_MS + IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    if (answered) return;
    text += chunk;
    const end = text.indexOf('\n');
    if (end === -1) {
      if (text.length > REQUEST_MAX_BYTES) {
        refuse(new OutcryError('PROTOCOL_VIOLATION', `a request is at most ${REQUEST_MAX_BYTES} bytes`));
      }
      return;
    }
    socket.pause();
    try {
      handler(parseRequest(text.slice(0, end))).then((value) => answer({ ok: true, value }), refuse);
    } catch (error) {
      refuse(error);
    }
  });
}

function parseRequest(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new OutcryError('PROTOCOL_VIOLATION', 'the request is not JSON', error);
  }
  const result = controlRequestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new OutcryError('PROTOCOL_VIOLATION', `${issue?.path.join('.') || 'the request'}: ${issue?.message}`);
}

/** Asks the Outcry that runs on `dataDir`. Raises NOT_RUNNING, TIMED_OUT, or what the engine refused with. */
export function askControl(dataDir: string, request: ControlRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(controlSocketPath(dataDir));
    let text = '';
    const fail = (error: OutcryError): void => {
      socket.destroy();
      reject(error);
    };
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => fail(new OutcryError('TIMED_OUT', `the engine did not answer ${request.type}`)));
    socket.on('error', (error) => fail(new OutcryError('NOT_RUNNING', dataDir, error)));
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > REPLY_MAX_BYTES) fail(new OutcryError('PROTOCOL_VIOLATION', 'the answer is too long'));
    });
    socket.on('end', () => {
      socket.destroy();
      try {
        const reply = JSON.parse(text) as ControlReply;
        if (reply.ok) resolve(reply.value);
        else reject(new OutcryError(reply.code ?? 'REQUEST_REFUSED', reply.error ?? 'no reason given'));
      } catch (error) {
        reject(new OutcryError('TIMED_OUT', 'the engine ended before it answered', error));
      }
    });
  });
}
