import { DecodeStatus, QuoteDecoder } from '../src/client/quote-decoder.ts';
import { QUOTE_FIELD_COUNT } from '../src/core/fan-out/wire.ts';
import { LoadConnection, type LoadListener } from './load-connection.ts';
import type { LoadSettings } from './load-messages.ts';

/** As many as the server takes in one message. */
const SYMBOLS_A_MESSAGE = 1_000;

/**
 * A client that has seen nothing yet: it subscribes to every instrument and is told of each by keyframe. It decodes with the decoder that ships, not
 * with the load's own.
 */
export class FreshClient implements LoadListener {
  readonly decoder = new QuoteDecoder();
  lastFrameMs = 0;
  #subscribed = 0;
  readonly #settings: LoadSettings;
  readonly #connection: LoadConnection;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#connection = new LoadConnection(0, settings, this);
  }

  /** Whether the server has taken all subscriptions. */
  get complete(): boolean {
    return this.#subscribed === this.#settings.symbols.length;
  }

  /** An instrument's fields in the order of QuoteField: for messages about a difference. */
  describe(instrumentIndex: number): string {
    const base = instrumentIndex * QUOTE_FIELD_COUNT;
    return this.decoder.fields.subarray(base, base + QUOTE_FIELD_COUNT).join(' ');
  }

  close(): void {
    this.#connection.close();
  }

  onOpen(connection: LoadConnection): void {
    const { symbols, mode } = this.#settings;
    for (let at = 0; at < symbols.length; at += SYMBOLS_A_MESSAGE) {
      connection.subscribe(symbols.slice(at, at + SYMBOLS_A_MESSAGE), mode);
    }
  }

  onControl(_connection: LoadConnection, control: Record<string, unknown>): void {
    const instruments = control.instruments as unknown[] | undefined;
    if (instruments === undefined) throw new Error(`a fresh client was refused: ${JSON.stringify(control)}`);
    this.#subscribed += instruments.length;
    this.lastFrameMs = performance.now();
  }

  onQuotes(_connection: LoadConnection, bytes: Uint8Array, start: number, end: number): number {
    const status = this.decoder.decode(bytes.subarray(start, end));
    if (status !== DecodeStatus.Ok) throw new Error(`a fresh client cannot decode a frame: ${status}`);
    this.lastFrameMs = performance.now();
    return this.decoder.tick;
  }

  onClosed(_connection: LoadConnection, reason: string): void {
    throw new Error(`a fresh client was disconnected: ${reason}`);
  }
}
