import { connect, createServer, type Server, type Socket } from 'node:net';
import { OutcryError } from '../core/errors.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import { FixSession } from '../core/fix/fix-session.ts';
import {
  DisconnectReason,
  type FixApplication,
  type FixSessionSettings,
  type FixTransport,
} from '../core/fix/session-contract.ts';
import { GatherWriter } from './gather-writer.ts';

/** The socket edge of FIX sessions: connections, reconnects, timers and write batching; all rules are the session's. */

const TIMER_MS = 250;
const READ_BUFFER_BYTES = 65_536;
/** How long a closing connection may take to hand over its last bytes. */
const LINGER_MS = 1_000;

/** What both sides leave to their defaults. */
export interface FixEdgeOptions {
  /** Bytes that may wait for a counterparty that does not read; beyond it is disconnected as a slow consumer. 4 MiB. */
  outboundBytesMax?: number;
  /** Epoch milliseconds. */
  now?: () => number;
  /** Called after each read of the socket, when all its messages have been delivered. */
  onReadEnd?: (session: FixSession) => void;
}

export interface FixInitiatorOptions extends FixEdgeOptions {
  host: string;
  port: number;
  session: FixSessionSettings;
  application: FixApplication;
  /** Delay before the second attempt; it doubles with each that fails. 250 ms. */
  reconnectMinMs?: number;
  /** The longest delay. 5 s. */
  reconnectMaxMs?: number;
  /** How long a TCP connection may take to stand. 5 s. */
  connectTimeoutMs?: number;
  /** Spreads the attempts of many clients: 0 ≤ random() < 1. */
  random?: () => number;
  /** For logs: a connection stood, ended, or could not be made. */
  onConnection?: (event: 'connected' | 'disconnected', detail: string) => void;
}

export interface FixAcceptorOptions extends FixEdgeOptions {
  /** 127.0.0.1 unless the outside is meant. */
  host?: string;
  /** 0 for a free one. */
  port: number;
  session: FixSessionSettings;
  /** One for all sessions: each call names its session. */
  application: FixApplication;
  /** Connections beyond are closed at once. 64. */
  connectionsMax?: number;
}

const OUTBOUND_BYTES_MAX = 4_194_304;

/** One TCP connection of one session. */
class FixConnection implements FixTransport {
  bytesIn = 0;
  reason: DisconnectReason = DisconnectReason.ConnectionLost;
  readonly #socket: Socket;
  readonly #writer: GatherWriter;
  readonly #onOverflow: () => void;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, outboundBytesMax: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#writer = new GatherWriter(socket, outboundBytesMax);
    this.#onOverflow = onOverflow;
    socket.once('close', () => clearTimeout(this.#lingerTimer));
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    if (!this.#writer.append(buffer, start, end)) this.#onOverflow();
  }

  disconnect(reason: DisconnectReason): void {
    this.reason = reason;
    if (reason === DisconnectReason.SlowConsumer) {
      this.#socket.destroy();
      return;
    }
    this.#writer.flush();
    this.#socket.end();
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }
}

/** An initiator: one session, connected again and again until it is closed. */
export class FixInitiator implements FixTransport {
  readonly session: FixSession;
  /** Bytes of all connections so far, and the connections that stood. */
  bytesIn = 0;
  connectCount = 0;
  readonly #options: FixInitiatorOptions;
  readonly #now: () => number;
  readonly #readBuffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | null = null;
  #connection: FixConnection | null = null;
  #retryTimer: NodeJS.Timeout | undefined;
  #failedAttempts = 0;
  #closed: Promise<void> | null = null;
  #onClosed: () => void = () => {};

  constructor(options: FixInitiatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.session = new FixSession(options.session, this, options.application);
    this.#timer = setInterval(() => this.#onTimer(), TIMER_MS);
    this.#connect();
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    this.#connection?.send(buffer, start, end);
  }

  disconnect(reason: DisconnectReason): void {
    this.#connection?.disconnect(reason);
  }

  /** Logs out and closes; resolves when nothing of it is left. The session's Logout time-out bounds it. */
  close(text: string): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#onClosed = resolve;
      clearTimeout(this.#retryTimer);
      if (this.#socket === null) this.#finish();
      else if (this.session.loggedOn) this.session.logout(text, this.#now());
      else this.#socket.destroy();
    });
    return this.#closed;
  }

  #connect(): void {
    const { host, port, connectTimeoutMs = 5_000, outboundBytesMax = OUTBOUND_BYTES_MAX } = this.#options;
    // `onread`: every read goes into the one buffer, where `data` events would allocate one each.
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: this.#readBuffer, callback: (byteCount) => this.#onRead(byteCount) },
    });
    this.#socket = socket;
    const connectTimer = setTimeout(() => socket.destroy(new Error('connection timed out')), connectTimeoutMs);
    let detail = '';
    socket.on('error', (error) => {
      detail = error.message;
    });
    socket.once('connect', () => {
      clearTimeout(connectTimer);
      this.connectCount++;
      this.#connection = new FixConnection(socket, outboundBytesMax, () => this.session.slowConsumer(this.#now()));
      this.#options.onConnection?.('connected', `${host}:${port}`);
      this.session.connected(this.#now());
    });
    socket.once('close', () => {
      clearTimeout(connectTimer);
      const stood = this.#connection !== null;
      const reason = this.#connection?.reason ?? '';
      this.#socket = null;
      this.#connection = null;
      if (stood) this.session.disconnected(this.#now());
      this.#options.onConnection?.('disconnected', detail === '' ? reason : detail);
      this.#retry();
    });
  }

  #onRead(byteCount: number): boolean {
    this.bytesIn += byteCount;
    this.session.receive(this.#readBuffer, 0, byteCount, this.#now());
    this.#options.onReadEnd?.(this.session);
    return true;
  }

  /** Exponential backoff, each delay between half of itself and the whole, so that many clients do not come at once. */
  #retry(): void {
    if (this.#closed !== null) {
      this.#finish();
      return;
    }
    const { reconnectMinMs = 250, reconnectMaxMs = 5_000, random = Math.random } = this.#options;
    const delayMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.#failedAttempts, 20));
    this.#failedAttempts++;
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs * (0.5 + random() / 2));
  }

  #onTimer(): void {
    if (this.session.loggedOn) this.#failedAttempts = 0;
    this.session.onTimer(this.#now());
  }

  #finish(): void {
    clearInterval(this.#timer);
    this.#onClosed();
  }
}

/** An acceptor: a listener and the sessions of those who connected. */
export class FixAcceptor implements FixApplication {
  readonly #options: FixAcceptorOptions;
  readonly #now: () => number;
  readonly #server: Server;
  readonly #sessions: Map<FixSession, Socket> = new Map();
  readonly #timer: NodeJS.Timeout;

  constructor(options: FixAcceptorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#server = createServer({ noDelay: true }, (socket) => this.#onSocket(socket));
    this.#server.maxConnections = options.connectionsMax ?? 64;
    this.#timer = setInterval(() => this.#onTimer(), TIMER_MS);
  }

  /** Where it listens. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** Rejects with LISTEN_FAILED. */
  listen(): Promise<void> {
    const { host = '127.0.0.1', port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        clearInterval(this.#timer);
        reject(new OutcryError('LISTEN_FAILED', `FIX at ${host}:${port}`, error));
      });
      this.#server.listen(port, host, () => resolve());
    });
  }

  /** Logs every session out and closes; resolves when all connections are gone, which the Logout time-out bounds. */
  close(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        clearInterval(this.#timer);
        resolve();
      });
      for (const [session, socket] of this.#sessions) {
        if (session.loggedOn) session.logout(text, this.#now());
        else socket.destroy();
      }
    });
  }

  /** A second logon to a live session is refused; the first goes on. */
  admit(session: FixSession, counterpartyCompID: string): string {
    for (const other of this.#sessions.keys()) {
      if (other !== session && other.loggedOn && other.counterpartyCompID === counterpartyCompID)
        return 'logged on already';
    }
    return this.#options.application.admit?.(session, counterpartyCompID) ?? '';
  }

  onLogon(session: FixSession): void {
    this.#options.application.onLogon(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.#options.application.onMessage(session, message);
  }

  onReject(session: FixSession, message: FixMessage): void {
    this.#options.application.onReject?.(session, message);
  }

  onGap(session: FixSession, fromSeqNum: number, toSeqNum: number): void {
    this.#options.application.onGap(session, fromSeqNum, toSeqNum);
  }

  onLogout(session: FixSession, text: string): void {
    this.#options.application.onLogout(session, text);
  }

  #onSocket(socket: Socket): void {
    const { session: settings, outboundBytesMax = OUTBOUND_BYTES_MAX } = this.#options;
    const connection = new FixConnection(socket, outboundBytesMax, () => session.slowConsumer(this.#now()));
    const session = new FixSession(settings, connection, this);
    this.#sessions.set(session, socket);
    // Accepted sockets have no `onread` in Node; what comes in on this side is little.
    socket.on('data', (bytes) => {
      session.receive(bytes, 0, bytes.length, this.#now());
      this.#options.onReadEnd?.(session);
    });
    // The 'close' that follows an error says what matters here.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sessions.delete(session);
      session.disconnected(this.#now());
    });
    session.connected(this.#now());
  }

  #onTimer(): void {
    const nowMs = this.#now();
    for (const session of this.#sessions.keys()) session.onTimer(nowMs);
  }
}

/** Connects, and goes on connecting until `close`. */
export function connectFix(options: FixInitiatorOptions): FixInitiator {
  return new FixInitiator(options);
}

/** Listens; the promise is of an acceptor that is ready, or LISTEN_FAILED. */
export async function listenFix(options: FixAcceptorOptions): Promise<FixAcceptor> {
  const acceptor = new FixAcceptor(options);
  await acceptor.listen();
  return acceptor;
}
