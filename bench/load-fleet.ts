import { ACK_INTERVAL_MS } from '../src/core/fan-out/wire.ts';
import { FrameLog } from './frame-log.ts';
import { latencyHistogram, recordLatency } from './histogram.ts';
import { LoadConnection, type LoadListener } from './load-connection.ts';
import type { LoadSettings } from './load-messages.ts';
import { LoadReturning } from './load-returning.ts';
import { LoadState, LoadStatus } from './load-state.ts';

/** Acknowledgements are due every second: a tenth of the connections each tenth of it, so that they come evenly. */
const ACK_SLICES = 10;
const REASONS_MAX = 5;
/** Frames that are kept for later: over two minutes of 60,000 frames/s. Beyond it the run is void. */
const LOG_BYTES_MAX = 2 ** 31;

/** The connections of a load process, what they hold and what was measured on them. */
export class LoadFleet implements LoadListener {
  readonly state: LoadState;
  readonly connections: LoadConnection[] = [];
  readonly reasons: string[] = [];
  /** Those who lose their connections in drills. */
  readonly returns: LoadReturning;
  /** Connections that have had their first quotes: with the first frame comes everything that they subscribed to. */
  served = 0;
  disconnects = 0;
  frames = 0;
  bytes = 0;
  /** Quotes in the frames of the measured time, as far as they were looked into. */
  quotes = 0;
  lastFrameMs = performance.now();
  latency = latencyHistogram();
  exchangeLatency = latencyHistogram();
  readonly #settings: LoadSettings;
  readonly #symbolsOf: (connection: number) => readonly string[];
  readonly #log = new FrameLog(LOG_BYTES_MAX);
  isMeasuring = false;
  #slice = 0;

  constructor(settings: LoadSettings, symbolsOf: (connection: number) => readonly string[]) {
    this.state = new LoadState(settings.connections, settings.symbolsEach, settings.mode === 'full');
    this.#settings = settings;
    this.#symbolsOf = symbolsOf;
    this.returns = new LoadReturning(settings, (connection) => {
      this.connections[connection] = new LoadConnection(connection, settings, this);
    });
    setInterval(() => this.#acknowledgeSlice(), ACK_INTERVAL_MS / ACK_SLICES);
  }

  open(): void {
    this.connections.push(new LoadConnection(this.connections.length, this.#settings, this));
  }

  /** Begins to measure, and forgets what was measured so far. */
  begin(): void {
    this.isMeasuring = true;
    this.frames = 0;
    this.bytes = 0;
    this.quotes = 0;
    this.latency.reset();
    this.exchangeLatency.reset();
  }

  end(): void {
    this.isMeasuring = false;
  }

  /** Looks into the frames that were kept. */
  decode(): void {
    this.#log.replay((label, bytes, start, end) => this.#apply(label >>> 1, (label & 1) === 1, bytes, start, end));
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
  }

  onQuotes(connection: LoadConnection, bytes: Uint8Array, start: number, end: number): number {
    const state = this.state;
    this.lastFrameMs = performance.now();
    if (state.tick(connection.index) === 0) {
      this.served++;
      this.returns.served(connection.index, this.lastFrameMs);
    }
    demandOk(connection.index, state.receive(connection.index, bytes, start, end));
    const nowMicros = (performance.timeOrigin + this.lastFrameMs) * 1_000;
    if (this.isMeasuring) {
      this.frames++;
      this.bytes += end - start;
      if (state.oldestArrivalMicros > 0) recordLatency(this.latency, nowMicros - state.oldestArrivalMicros);
    }
    if (this.#settings.decode === 'later') {
      const label = connection.index * 2 + (this.isMeasuring ? 1 : 0);
      if (!this.#log.append(label, bytes, start, end)) {
        throw new Error(
          `more than ${LOG_BYTES_MAX} bytes of frames to look into later: run for fewer seconds, or --decode now`,
        );
      }
    } else {
      this.#apply(connection.index, this.isMeasuring, bytes, start, end);
      if (this.isMeasuring && state.newestExchangeMillis > 0) {
        recordLatency(this.exchangeLatency, nowMicros - state.newestExchangeMillis * 1_000);
      }
    }
    return state.tick(connection.index);
  }

  #apply(connection: number, isMeasured: boolean, bytes: Uint8Array, start: number, end: number): void {
    const { state } = this;
    const quotesBefore = state.quoteCount;
    demandOk(connection, state.apply(connection, bytes, start, end));
    if (isMeasured) this.quotes += state.quoteCount - quotesBefore;
  }

  onClosed({ index }: LoadConnection, reason: string): void {
    if (this.state.tick(index) !== 0) this.served--;
    if (this.returns.take(index, reason, performance.now())) {
      this.state.forget(index);
      return;
    }
    this.disconnects++;
    if (this.reasons.length < REASONS_MAX) this.reasons.push(reason);
  }

  #acknowledgeSlice(): void {
    this.#slice = (this.#slice + 1) % ACK_SLICES;
    const { connections } = this;
    for (let i = this.#slice; i < connections.length; i += ACK_SLICES) connections[i]!.acknowledge();
  }
}

function demandOk(connection: number, status: LoadStatus): void {
  if (status !== LoadStatus.Ok) throw new Error(`connection ${connection} got a wrong frame: ${status}`);
}
