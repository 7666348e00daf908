import { WebSocket } from 'ws';

const RECONNECT_MS = 100;

/** The last prices of a few symbols, by the JSON protocol, over any number of connections. */
export class QuoteTap {
  readonly #url: string;
  readonly #symbols: readonly string[];
  readonly #last = new Map<string, number>();
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(url: string, symbols: readonly string[]) {
    this.#url = url;
    this.#symbols = symbols;
    this.#connect();
  }

  /** 0 before the first. */
  lastPaise(symbol: string): number {
    return this.#last.get(symbol) ?? 0;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/ws`);
    this.#socket = socket;
    socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', symbols: this.#symbols })));
    socket.on('message', (data) => {
      const told = JSON.parse(String(data)) as Quote | Quote[];
      for (const { symbol, ltp } of Array.isArray(told) ? told : [told])
        if (ltp > 0) this.#last.set(symbol, Math.round(ltp * 100));
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }
}

interface Quote {
  readonly symbol: string;
  readonly ltp: number;
}
