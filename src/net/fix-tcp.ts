import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { OutcryError } from '../core/errors.ts';
import { readBuffer } from '../core/fix/byte-scan.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import { FixSession } from '../core/fix/fix-session.ts';
import type { FixStore } from '../core/fix/fix-store.ts';
import { ReconnectBackoff } from '../core/fix/reconnect-backoff.ts';
import type {
  DisconnectReason,
  FixApplication,
  FixSessionProfile,
  FixSessionSettings,
  FixTransport,
  LogonIdentity,
} from '../core/fix/session-contract.ts';
import { FixConnection } from './fix-connection.ts';
import {
  connectTls,
  createTlsServer,
  type FixTlsClient,
  type FixTlsServer,
  tlsClientOptions,
  tlsServerOptions,
} from './fix-tls.ts';

/** The socket edge of FIX sessions: connections, reconnects, timers and write batching; all rules are the session's. */

const TIMER_MS = 250;

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
  /** The first Logon asks for both numbers to begin anew (`FixSession.beginAnew`). */
  beginsAnew?: boolean;
  /** Both numbers and what was sent, across connections and, of a file store, across processes. A memory store of its own. */
  store?: FixStore;
  /** TLS from the first byte; null or absent is plain TCP. */
  tls?: FixTlsClient | null;
  /** Delay before the second attempt; it doubles with each that fails. 5 s. */
  reconnectMinMs?: number;
  /** The longest delay. 60 s. */
  reconnectMaxMs?: number;
  /** How long a connection may take to stand, TLS's handshake included. 5 s. */
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
  /** Serves TLS alone; null or absent serves plain TCP. */
  tls?: FixTlsServer | null;
  /** Connections beyond are closed at once. 64. */
  connectionsMax?: number;
}

const OUTBOUND_BYTES_MAX = 4_194_304;

/** An initiator: one session, connected again and again until it is closed. */
export class FixInitiator implements FixTransport {
  readonly session: FixSession;
  /** Bytes of all connections so far, and the connections that stood. */
  bytesIn = 0;
  connectCount = 0;
  readonly #options: FixInitiatorOptions;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | null = null;
  #connection: FixConnection | null = null;
  readonly #tls: ConnectionOptions | null;
  readonly #backoff: ReconnectBackoff;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | null = null;
  #onClosed: () => void = () => {};

  constructor(options: FixInitiatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#tls = options.tls ? tlsClientOptions(options.tls) : null;
    const { reconnectMinMs = 5_000, reconnectMaxMs = 60_000 } = options;
    this.#backoff = new ReconnectBackoff(reconnectMinMs, Math.max(reconnectMinMs, reconnectMaxMs));
    this.session = new FixSession(options.session, this, options.application, options.store);
    if (options.beginsAnew) this.session.beginAnew();
    this.#timer = setInterval(() => this.#onTimer(), TIMER_MS);
    this.#connect();
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    this.#connection?.send(buffer, start, end);
  }

  disconnect(reason: DisconnectReason): void {
    this.#connection?.disconnect(reason);
  }

  /** `FixSession.resetSeqNums`, now. */
  resetSeqNums(): boolean {
    return this.session.resetSeqNums(this.#now());
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
    const onread = { buffer: readBuffer, callback: (byteCount: number) => this.#onRead(byteCount) };
    const target = { host, port, noDelay: true, onread };
    const socket = this.#tls === null ? connect(target) : connectTls(target, this.#tls);
    this.#socket = socket;
    const connectTimer = setTimeout(() => socket.destroy(new Error('connection timed out')), connectTimeoutMs);
    let detail = '';
    socket.on('error', (error) => {
      detail = error.message;
    });
    socket.once(this.#tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(connectTimer);
      this.connectCount++;
      this.#connection = new FixConnection(socket, outboundBytesMax, () => this.session.slowConsumer(this.#now()));
      const { durability } = this.session.store;
      if (durability !== undefined) this.#connection.waitFor(durability, () => this.session.storeFailed(this.#now()));
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
    this.session.receive(readBuffer, 0, byteCount, this.#now());
    this.#options.onReadEnd?.(this.session);
    return true;
  }

  #retry(): void {
    if (this.#closed !== null) {
      this.#finish();
      return;
    }
    // A store that failed stays so: its owner opens it anew and makes a new initiator.
    if (this.session.store.durability?.failure) return;
    const { random = Math.random } = this.#options;
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backoff.nextDelayMs(random()));
  }

  #onTimer(): void {
    if (this.session.loggedOn) this.#backoff.succeeded();
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
  readonly #connections: Map<FixSession, FixConnection> = new Map();
  readonly #timer: NodeJS.Timeout;

  constructor(options: FixAcceptorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const onSocket = (socket: Socket) => this.#onSocket(socket);
    this.#server = options.tls
      ? createTlsServer(tlsServerOptions(options.tls), onSocket)
      : createServer({ noDelay: true }, onSocket);
    this.#server.maxConnections = options.connectionsMax ?? 64;
    this.#timer = setInterval(() => this.#onTimer(), TIMER_MS);
  }

  /** Where it listens. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get connectionCount(): number {
    return this.#connections.size;
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

  /** `FixSession.resetSeqNums`, now, of every session with this counterparty: the versions that it speaks. False if one of them cannot, or none is there. */
  resetSeqNums(counterpartyCompID: string): boolean {
    const sessions = [...this.#connections.keys()].filter(
      (session) => session.loggedOn && session.counterpartyCompID === counterpartyCompID,
    );
    const begun = sessions.filter((session) => session.resetSeqNums(this.#now()));
    return begun.length > 0 && begun.length === sessions.length;
  }

  /** Logs every session out and closes; resolves when all connections are gone, which the Logout time-out bounds. */
  close(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        clearInterval(this.#timer);
        resolve();
      });
      for (const [session, connection] of this.#connections) {
        if (session.loggedOn) session.logout(text, this.#now());
        else connection.destroy();
      }
    });
  }

  /** A second logon to a live session is dropped without a word; the first goes on, and its numbers are not touched. */
  identify(session: FixSession, logon: LogonIdentity): FixSessionProfile | null {
    const { application, session: settings } = this.#options;
    const profile =
      application.identify === undefined ? { settings, store: session.store } : application.identify(session, logon);
    if (profile === null) return null;
    for (const other of this.#connections.keys()) {
      if (other !== session && other.isLive && (other.store === profile.store || isSessionOf(other, logon)))
        return null;
    }
    const { durability } = profile.store;
    if (durability?.failure) return null;
    if (durability !== undefined)
      this.#connections.get(session)?.waitFor(durability, () => session.storeFailed(this.#now()));
    return profile;
  }

  admit(session: FixSession, counterpartyCompID: string): string {
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

  onReset(session: FixSession): void {
    this.#options.application.onReset?.(session);
  }

  onLogout(session: FixSession, text: string): void {
    this.#options.application.onLogout(session, text);
  }

  #onSocket(socket: Socket): void {
    const { session: settings, outboundBytesMax = OUTBOUND_BYTES_MAX } = this.#options;
    const connection = new FixConnection(socket, outboundBytesMax, () => session.slowConsumer(this.#now()));
    const session = new FixSession(settings, connection, this);
    this.#connections.set(session, connection);
    // Accepted sockets have no `onread` in Node; what comes in on this side is little.
    socket.on('data', (bytes) => {
      session.receive(bytes, 0, bytes.length, this.#now());
      this.#options.onReadEnd?.(session);
    });
    // The 'close' that follows an error says what matters here.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#connections.delete(session);
      session.disconnected(this.#now());
    });
    session.connected(this.#now());
  }

  #onTimer(): void {
    const nowMs = this.#now();
    for (const session of this.#connections.keys()) session.onTimer(nowMs);
  }
}

function isSessionOf({ settings, counterpartyCompID }: FixSession, logon: LogonIdentity): boolean {
  return (
    counterpartyCompID === logon.senderCompID &&
    settings.senderCompID === logon.targetCompID &&
    settings.beginString === logon.beginString
  );
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
