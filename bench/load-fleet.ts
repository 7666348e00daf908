import { ACK_INTERVAL_MS } from '../src/core/fan-out/wire.ts';
import { latencyHistogram, recordLatency } from './histogram.ts';
import { LoadConnection, type LoadListener } from './load-connection.ts';
import type { LoadSettings } from './load-messages.ts';
import { LoadState, LoadStatus } from './load-state.ts';

/** Acknowledgements are due every second: a tenth of the connections each tenth of it, so that they come evenly. */
const ACK_SLICES = 10;
const REASONS_MAX = 5;

/** The connections of a load process, what they hold and what was measured on them. */
export class LoadFleet implements LoadListener {
  readonly state: LoadState;
  readonly connections: LoadConnection[] = [];
  readonly reasons: string[] = [];
  subscribed = 0;
  disconnects = 0;
  frames = 0;
  bytes = 0;
  quotesBefore = 0;
  lastFrameMs = performance.now();
  latency = latencyHistogram();
  exchangeLatency = latencyHistogram();
  readonly #settings: LoadSettings;
  readonly #symbolsOf: (connection: number) => readonly string[];
  #slice = 0;

  constructor(settings: LoadSettings, symbolsOf: (connection: number) => readonly string[]) {
    this.state = new LoadState(settings.connections, settings.symbolsEach, settings.mode === 'full');
    this.#settings = settings;
    this.#symbolsOf = symbolsOf;
    setInterval(() => this.#acknowledgeSlice(), ACK_INTERVAL_MS / ACK_SLICES);
  }

  open(): void {
    const { host, port } = this.#settings;
    this.connections.push(new LoadConnection(this.connections.length, host, port, this));
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.frames = 0;
    this.bytes = 0;
    this.quotesBefore = this.state.quoteCount;
    this.latency.reset();
    this.exchangeLatency.reset();
  }

  onOpen(connection: LoadConnection): void {
    const { mode, filterBps } = this.#settings;
    connection.control({ id: 0, action: 'set', timing: true, ...(filterBps === undefined ? {} : { filterBps }) });
    connection.subscribe(this.#symbolsOf(connection.index), mode);
  }

  onControl(connection: LoadConnection, control: Record<string, unknown>): void {
    if (control.action === 'set') return;
    const instruments = control.instruments as [string, number][] | undefined;
    if (control.action !== 'subscribed' || instruments === undefined)
      throw new Error(`refused: ${JSON.stringify(control)}`);
    for (const [, instrumentIndex] of instruments) this.state.add(connection.index, instrumentIndex);
    this.subscribed++;
  }

  onQuotes(connection: LoadConnection, bytes: Uint8Array, start: number, end: number): number {
    const state = this.state;
    const status = state.apply(connection.index, bytes, start, end);
    if (status !== LoadStatus.Ok) throw new Error(`connection ${connection.index} got a wrong frame: ${status}`);
    this.frames++;
    this.bytes += end - start;
    this.lastFrameMs = performance.now();
    const nowMicros = (performance.timeOrigin + this.lastFrameMs) * 1_000;
    if (state.oldestArrivalMicros > 0) recordLatency(this.latency, nowMicros - state.oldestArrivalMicros);
    if (state.newestExchangeMillis > 0) {
      recordLatency(this.exchangeLatency, nowMicros - state.newestExchangeMillis * 1_000);
    }
    return state.tick(connection.index);
  }

  onClosed(_connection: LoadConnection, reason: string): void {
    this.disconnects++;
    if (this.reasons.length < REASONS_MAX) this.reasons.push(reason);
  }

  #acknowledgeSlice(): void {
    this.#slice = (this.#slice + 1) % ACK_SLICES;
    const { connections } = this;
    for (let i = this.#slice; i < connections.length; i += ACK_SLICES) connections[i]!.acknowledge();
  }
}
