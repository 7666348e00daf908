import { type ControlMap, type ControlValue, decodeControl, encodeControl } from '../core/fan-out/control-codec.ts';
import { writeVarint } from '../core/fan-out/varint.ts';
import {
  ACK_BYTES,
  ACK_INTERVAL_MS,
  CLOSE_CLIENT_FAULT_MAX,
  CLOSE_CLIENT_FAULT_MIN,
  FrameType,
  type ModeName,
  SUBPROTOCOL_BINARY,
  WIRE_VERSION,
} from '../core/fan-out/wire.ts';
import { type ClientGuest, errorOf, OutcryClientError } from './client-guest.ts';
import { DecodeStatus, QuoteDecoder } from './quote-decoder.ts';

export interface InstrumentFacts {
  readonly symbol: string;
  /** Names the instrument in frames, on this connection only. */
  readonly instrumentIndex: number;
  readonly name: string;
  /** `equity` or `index`. */
  readonly kind: string;
  readonly tickPaise: number;
  readonly lotSize: number;
}

export interface SubscribeResult {
  readonly instruments: readonly InstrumentFacts[];
  readonly unknown: readonly string[];
}

/** `waiting`: for the next attempt to connect. `closed`: for good. */
export type ClientState = 'connecting' | 'open' | 'waiting' | 'closed';

/** What the client needs of a WebSocket: a browser's and that of the `ws` package both do. */
export interface WebSocketLike {
  binaryType: string;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: the event types of browsers and of `ws` have nothing in common
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: any) => void): void;
}

export interface OutcryClientOptions {
  /** `ws://127.0.0.1:9001/ws` */
  readonly url: string;
  readonly webSocket: new (url: string, protocols: string[]) => WebSocketLike;
  /** One of the server's filter classes, basis points; its default when left out. */
  readonly filterBps?: number;
  /** Asks for the arrival of the oldest change in each frame. */
  readonly timing?: boolean;
  /** A frame was applied. Read `decoder.changed[0 … changedCount)` and its rows during the call. */
  readonly onQuotes?: (decoder: QuoteDecoder) => void;
  readonly onState?: (state: ClientState) => void;
  /** The server refused something that nobody waits for, or closed for the client's fault. */
  readonly onError?: (code: string, message: string) => void;
}

interface Request {
  readonly map: ControlMap;
  readonly resolve: (reply: ControlMap) => void;
  readonly reject: (error: OutcryClientError) => void;
}

const RECONNECT_MIN_MS = 250;
const RECONNECT_MAX_MS = 10_000;
/** The server hears from us this often, and must be heard from before two of these are over. */
const PING_MS = 30_000;
/** The server takes 1,000 in a message; smaller ones keep its answers short. */
const SYMBOLS_PER_REQUEST = 500;
/** Requests that wait for a connection or an answer. */
const REQUESTS_MAX = 1_000;

/**
 * A connection to Outcry that stays: it connects again by itself, asks again for what was subscribed, and keeps the newest
 * quotes in `decoder`. Works in browsers, their workers, and Node.
 */
export class OutcryClient {
  readonly decoder = new QuoteDecoder();
  readonly #options: OutcryClientOptions;
  readonly #wanted = new Map<string, ModeName>();
  /** Symbols of the subscriptions that have no answer yet; an `unsubscribe` that overtakes the answer takes them out. */
  readonly #asking = new Set<Set<string>>();
  /** Sent or waiting to be; they are asked again on a new connection. */
  readonly #requests = new Map<number, Request>();
  readonly #instruments = new Map<number, InstrumentFacts>();
  /** What was subscribed before a reconnect and has still to be asked again: one at a time, so that answers don't pile up. */
  #toAskAgain: ControlMap[] = [];
  #guest: ClientGuest | undefined;
  #nextId = 1;
  #state: ClientState = 'waiting';
  #socket: WebSocketLike | undefined;
  #attempts = 0;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #ackTimer: ReturnType<typeof setInterval> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #bytesSinceAck = 0;
  #ackedTick = 0;
  #wasHeard = false;

  /** Connects at once. */
  constructor(options: OutcryClientOptions) {
    this.#options = options;
    this.#connect();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Facts of an instrument that was subscribed to, by its index on this connection. */
  instrument(instrumentIndex: number): InstrumentFacts | undefined {
    return this.#instruments.get(instrumentIndex);
  }

  /**
   * Subscribes now and after every reconnect, until `unsubscribe`. Symbols that the server does not know are not remembered;
   * nor is anything when it refuses, which rejects.
   */
  async subscribe(symbols: readonly string[], mode: ModeName = 'quote'): Promise<SubscribeResult> {
    const instruments: InstrumentFacts[] = [];
    const unknown: string[] = [];
    for (const part of parts(symbols)) {
      const asked = new Set(part);
      this.#asking.add(asked);
      try {
        const reply = await this.#request({ action: 'subscribe', symbols: part, mode });
        instruments.push(...instrumentFacts(reply));
        for (const symbol of texts(reply.unknown)) {
          unknown.push(symbol);
          asked.delete(symbol);
        }
        for (const symbol of asked) this.#wanted.set(symbol, mode);
      } finally {
        this.#asking.delete(asked);
      }
    }
    return { instruments, unknown };
  }

  async unsubscribe(symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) {
      this.#wanted.delete(symbol);
      for (const asked of this.#asking) asked.delete(symbol);
    }
    for (const part of parts(symbols)) await this.#request({ action: 'unsubscribe', symbols: [...part] });
  }

  /** Sets the differential filter of this connection; a reconnect begins with that of the options again. */
  async setFilter(filterBps: number): Promise<void> {
    await this.#request({ action: 'set', filterBps });
  }

  /** Lets another share the connection; one at most. */
  attach(guest: ClientGuest): void {
    this.#guest = guest;
    if (this.#state === 'open') guest.opened();
  }

  /** Sends a guest's request, if the connection stands. */
  send(map: ControlMap): void {
    if (this.#state === 'open') this.#sendControl(map);
  }

  /** Closes for good. Requests without an answer are rejected. */
  close(): void {
    if (this.#state === 'closed') return;
    clearTimeout(this.#reconnectTimer);
    this.#drop();
    this.#end('the client was closed');
  }

  #end(reason: string): void {
    this.#setState('closed');
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    const error = new OutcryClientError('CLOSED', reason);
    for (const request of requests) request.reject(error);
    this.#guest?.ended(error);
  }

  #connect(): void {
    this.#setState('connecting');
    const socket = new this.#options.webSocket(this.#options.url, [SUBPROTOCOL_BINARY]);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    // A socket that was dropped may still have events under way: they are nobody's.
    socket.addEventListener('message', (event: { data: unknown }) => {
      if (this.#socket === socket && event.data instanceof ArrayBuffer) this.#receive(new Uint8Array(event.data));
    });
    socket.addEventListener('close', (event: { code: number; reason: string }) => {
      if (this.#socket === socket) this.#lost(event.code, String(event.reason));
    });
    // `close` follows, and says all there is to say.
    socket.addEventListener('error', () => {});
  }

  #receive(message: Uint8Array): void {
    this.#wasHeard = true;
    switch (message[0]) {
      case FrameType.Quotes:
      case FrameType.TimedQuotes:
        this.#receiveQuotes(message);
        return;
      case FrameType.Control:
        this.#receiveControl(message);
        return;
      case FrameType.Welcome:
        if (message[1] === WIRE_VERSION) this.#opened();
        else {
          this.#drop();
          this.#options.onError?.('VERSION', `the server speaks version ${message[1]}, this client ${WIRE_VERSION}`);
          this.#end('the server speaks another version');
        }
        return;
      default:
        this.#restart();
    }
  }

  #receiveQuotes(message: Uint8Array): void {
    const decoder = this.decoder;
    if (decoder.decode(message) !== DecodeStatus.Ok) {
      this.#restart();
      return;
    }
    this.#bytesSinceAck += message.length;
    if (this.#bytesSinceAck >= ACK_BYTES) this.#acknowledge();
    this.#options.onQuotes?.(decoder);
  }

  #receiveControl(message: Uint8Array): void {
    const reply = decodeControl(message, 1);
    if (reply === undefined) {
      this.#restart();
      return;
    }
    if (this.#guest?.receive(reply)) return;
    const { id } = reply;
    const refusal = errorOf(reply);
    const request = typeof id === 'number' ? this.#requests.get(id) : undefined;
    if (typeof id === 'number') this.#requests.delete(id);
    if (request === undefined && (reply.action === 'subscribed' || refusal !== undefined)) this.#askAgain();
    if (refusal !== undefined) {
      if (request !== undefined) request.reject(refusal);
      else this.#options.onError?.(refusal.code, refusal.message);
      return;
    }
    // Taken now, not when whoever asked gets to run: the quotes may be the next message.
    if (reply.action === 'subscribed')
      for (const facts of instrumentFacts(reply)) this.#instruments.set(facts.instrumentIndex, facts);
    request?.resolve(reply);
  }

  #opened(): void {
    this.#attempts = 0;
    this.decoder.reset();
    this.#instruments.clear();
    this.#bytesSinceAck = 0;
    this.#ackedTick = 0;
    this.#ackTimer = setInterval(() => this.#acknowledge(), ACK_INTERVAL_MS);
    this.#pingTimer = setInterval(() => this.#ping(), PING_MS);
    const { filterBps, timing } = this.#options;
    if (filterBps !== undefined || timing !== undefined) {
      this.#sendControl({
        action: 'set',
        ...(filterBps === undefined ? {} : { filterBps }),
        ...(timing === undefined ? {} : { timing }),
      });
    }
    const symbolsByMode = new Map<ModeName, string[]>();
    for (const [symbol, mode] of this.#wanted) {
      const symbols = symbolsByMode.get(mode);
      if (symbols === undefined) symbolsByMode.set(mode, [symbol]);
      else symbols.push(symbol);
    }
    this.#toAskAgain = [];
    for (const [mode, symbols] of symbolsByMode) {
      for (const part of parts(symbols)) this.#toAskAgain.push({ action: 'subscribe', symbols: [...part], mode });
    }
    this.#askAgain();
    for (const request of this.#requests.values()) this.#sendControl(request.map);
    this.#setState('open');
    this.#guest?.opened();
  }

  #askAgain(): void {
    const map = this.#toAskAgain.shift();
    if (map !== undefined) this.#sendControl(map);
  }

  #lost(code: number, reason: string): void {
    this.#drop();
    if (code >= CLOSE_CLIENT_FAULT_MIN && code <= CLOSE_CLIENT_FAULT_MAX) {
      this.#options.onError?.(String(code), reason);
      this.#end(`the server closed the connection: ${code} ${reason}`);
      return;
    }
    // Doubling, and anywhere between the half and the whole of it: a server that comes back must not meet all at once.
    const delayMs = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** this.#attempts++);
    this.#reconnectTimer = setTimeout(() => this.#connect(), delayMs * (0.5 + Math.random() / 2));
    this.#setState('waiting');
  }

  /** The stream makes no sense any more: a new connection begins with keyframes. */
  #restart(): void {
    this.#lost(1000, '');
  }

  /** Lets go of the socket without waiting for its end. */
  #drop(): void {
    clearInterval(this.#ackTimer);
    clearInterval(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (this.#state === 'open') this.#guest?.lost();
    socket?.close(1000);
  }

  #acknowledge(): void {
    if (this.decoder.tick === this.#ackedTick) return;
    this.#ackedTick = this.decoder.tick;
    this.#bytesSinceAck = 0;
    const bytes = new Uint8Array(9);
    bytes[0] = FrameType.Ack;
    this.#socket?.send(bytes.subarray(0, writeVarint(bytes, 1, this.#ackedTick)));
  }

  #ping(): void {
    if (!this.#wasHeard) {
      this.#restart();
      return;
    }
    this.#wasHeard = false;
    this.#sendControl({ action: 'ping' });
  }

  #request(map: ControlMap): Promise<ControlMap> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'closed') {
        reject(new OutcryClientError('CLOSED', 'the client is closed'));
      } else if (this.#requests.size >= REQUESTS_MAX) {
        reject(new OutcryClientError('TOO_MANY_REQUESTS', `${REQUESTS_MAX} requests wait for an answer already`));
      } else {
        const id = this.#nextId++;
        const request = { map: { id, ...map }, resolve, reject };
        this.#requests.set(id, request);
        if (this.#state === 'open') this.#sendControl(request.map);
      }
    });
  }

  #sendControl(map: ControlMap): void {
    this.#socket?.send(encodeControl([FrameType.Control], map));
  }

  #setState(state: ClientState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function parts(symbols: readonly string[]): string[][] {
  const lists: string[][] = [];
  for (let i = 0; i < symbols.length; i += SYMBOLS_PER_REQUEST) lists.push(symbols.slice(i, i + SYMBOLS_PER_REQUEST));
  return lists;
}

function instrumentFacts(reply: ControlMap): InstrumentFacts[] {
  const taken: InstrumentFacts[] = [];
  for (const row of Array.isArray(reply.instruments) ? reply.instruments : []) {
    if (!Array.isArray(row)) continue;
    const [symbol, index, name, kind, tickPaise, lotSize] = row;
    taken.push({
      symbol: String(symbol),
      instrumentIndex: Number(index),
      name: String(name),
      kind: String(kind),
      tickPaise: Number(tickPaise),
      lotSize: Number(lotSize),
    });
  }
  return taken;
}

function texts(value: ControlValue | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
