import { OutcryError } from '../errors.ts';
import { MsgType, SecurityTradingStatus, TradSesStatus } from '../fix/generated/fix-enums.gen.ts';
import { SYMBOL_MAX_BYTES } from '../market-data/instrument-master.ts';
import { SymbolIndex } from '../market-data/symbol-index.ts';
import { BodyReader } from './body-reader.ts';
import { MarketDataBody, type MarketDataListener, type MarketDataSource } from './market-data-body.ts';
import type { MarketStatusSource } from './market-status-sessions.ts';
import { RecordingReader, type RecordingSource } from './recording.ts';
import { SnapshotEncoder } from './snapshot-encoder.ts';

export interface ReplaySettings {
  /** Times as fast as it was recorded. */
  readonly speed: number;
  /** Begin again at the end. */
  readonly loop: boolean;
}

/** Records that one `step` delivers at most, so that a late step does not hold up everything else. */
const STEP_RECORDS_MAX = 10_000;

/**
 * Publishes a recording as if it happened now. Instruments are those of the recording; a snapshot for a new subscriber is of what was replayed
 * so far. A damaged record is a RECORDING_INVALID.
 */
export class Replay implements MarketDataSource, MarketStatusSource {
  readonly capacity: number;
  /** True when the recording is over and does not loop. */
  ended = false;
  readonly #settings: ReplaySettings;
  readonly #listener: MarketDataListener;
  readonly #reader: RecordingReader;
  readonly #snapshots: SnapshotEncoder;
  readonly #bodies: BodyReader;
  readonly #body = new MarketDataBody();
  readonly #bySymbol: SymbolIndex;
  readonly #symbols: string[] = [];
  readonly #halted: Uint8Array;
  /** The moment of ours at which the recording began, once it runs. */
  #startMicros = -1;
  /** A record is read that is not due yet. */
  #waiting = false;

  /** Reads the recording up to its last opening snapshot. */
  constructor(source: RecordingSource, settings: ReplaySettings, listener: MarketDataListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#reader = new RecordingReader(source);
    const count = this.#reader.instrumentCount;
    this.capacity = count;
    this.#snapshots = new SnapshotEncoder(count);
    this.#halted = new Uint8Array(count);
    this.#bySymbol = new SymbolIndex(count);
    this.#body.buffer = this.#reader.buffer;
    this.#bodies = new BodyReader(this.#snapshots.state, (buffer, start, end) => this.#indexOf(buffer, start, end));
    for (let index = 0; index < count; index++) {
      if (!this.#reader.next() || this.#reader.msgType !== MsgType.MarketDataSnapshotFullRefresh) {
        throw new OutcryError('RECORDING_INVALID', `${count} snapshots announced, ${index} there`);
      }
      this.#takeRecord();
    }
    if (this.#symbols.length !== count) {
      throw new OutcryError('RECORDING_INVALID', `${count} instruments announced, ${this.#symbols.length} there`);
    }
  }

  indexOfSymbol(symbol: string): number {
    return this.#symbols.indexOf(symbol);
  }

  snapshot(index: number): MarketDataBody {
    return this.#snapshots.snapshot(index, this.#reader.tsMicros);
  }

  /** A recording has no list of securities. */
  get table(): null {
    return null;
  }

  get tradSesStatus(): TradSesStatus {
    return this.ended ? TradSesStatus.Closed : TradSesStatus.Open;
  }

  isHalted(index: number): boolean {
    return this.#halted[index] === 1;
  }

  haltStatus(index: number): MarketDataBody | null {
    if (this.#halted[index] === 0) return null;
    return this.#snapshots.securityStatus(index, SecurityTradingStatus.TradingHalt, this.#reader.tsMicros);
  }

  /** Publishes what is due at `nowMicros` and returns the messages. The first call is the recording's beginning. */
  step(nowMicros: number): number {
    if (this.#startMicros < 0) this.#startMicros = nowMicros;
    let published = 0;
    while (!this.ended && published < STEP_RECORDS_MAX) {
      if (!this.#waiting && !this.#advance(nowMicros)) break;
      this.#waiting = true;
      if (this.#startMicros + (this.#reader.tsMicros - this.#reader.firstMicros) / this.#settings.speed > nowMicros)
        break;
      this.#waiting = false;
      this.#takeRecord();
      this.#listener.published(this.#body);
      published++;
    }
    return published;
  }

  /** Reads the next record, from the beginning again in a loop; false when there is none. */
  #advance(nowMicros: number): boolean {
    if (this.#reader.next()) return true;
    if (!this.#settings.loop) {
      this.ended = true;
      return false;
    }
    this.#reader.rewind();
    this.#startMicros = nowMicros;
    this.#endHalts();
    return this.#reader.next();
  }

  /** The beginning knows nothing of halts of the end. */
  #endHalts(): void {
    for (let index = 0; index < this.capacity; index++) {
      if (this.#halted[index] === 0) continue;
      this.#halted[index] = 0;
      const status = SecurityTradingStatus.ReadyToTrade;
      this.#listener.published(this.#snapshots.securityStatus(index, status, this.#reader.tsMicros));
    }
  }

  #takeRecord(): void {
    const body = this.#body;
    body.msgType = this.#reader.msgType;
    body.tsMicros = this.#reader.tsMicros;
    body.start = this.#reader.start;
    body.end = this.#reader.end;
    if (!this.#bodies.take(body)) {
      throw new OutcryError(
        'RECORDING_INVALID',
        `a body at ${new Date(body.tsMicros / 1000).toISOString()} cannot be read`,
      );
    }
    if (body.msgType === MsgType.SecurityStatus) {
      this.#halted[body.segmentInstruments[0]!] =
        this.#bodies.tradingStatus === SecurityTradingStatus.TradingHalt ? 1 : 0;
    }
  }

  /** The opening snapshots name the instruments; one that comes later is unknown. */
  #indexOf(buffer: Uint8Array, start: number, end: number): number {
    const known = this.#bySymbol.find(buffer, start, end);
    const index = this.#symbols.length;
    if (known >= 0 || index === this.capacity || end - start > SYMBOL_MAX_BYTES) return known;
    let symbol = '';
    for (let at = start; at < end; at++) symbol += String.fromCharCode(buffer[at]!);
    this.#symbols.push(symbol);
    this.#bySymbol.add(symbol, index);
    this.#snapshots.setSymbol(index, symbol);
    return index;
  }
}
