// hot: `heard`, per update. The rest runs on a gap, a lost connection or a timer.
import { type QuoteBoardWriter, QuoteFlag, STALE_MASK } from './quote-board.ts';

/** How many instruments there are; they are 0 to `count` - 1. */
export interface InstrumentCount {
  readonly count: number;
}

/**
 * Which quotes are to be trusted. An instrument is stale from its listing, a lost connection or a gap until its next W, and
 * from `staleAfterMs` of silence until its next message. The flags are on the board, for every reader to see.
 */
export class QuoteFreshness {
  /** Instruments with any stale flag, and those that have had their W on this connection. */
  staleCount = 0;
  snapshotCount = 0;

  readonly #board: QuoteBoardWriter;
  readonly #instruments: InstrumentCount;
  readonly #staleAfterMicros: number;
  /** As on the board, so that the common case, nothing to change, is one byte read. */
  readonly #flags: Uint8Array;
  readonly #hasSnapshot: Uint8Array;
  readonly #heardMicros: Float64Array;
  #knownCount = 0;

  constructor(board: QuoteBoardWriter, instruments: InstrumentCount, instrumentCapacity: number, staleAfterMs: number) {
    this.#board = board;
    this.#instruments = instruments;
    this.#staleAfterMicros = staleAfterMs * 1000;
    this.#flags = new Uint8Array(instrumentCapacity);
    this.#hasSnapshot = new Uint8Array(instrumentCapacity);
    this.#heardMicros = new Float64Array(instrumentCapacity);
  }

  /** The open instrument has had a W: nothing is known against it. */
  snapshotTaken(instrumentIndex: number): void {
    if (this.#hasSnapshot[instrumentIndex] === 0) {
      this.#hasSnapshot[instrumentIndex] = 1;
      this.snapshotCount++;
    }
    this.#setOpen(instrumentIndex, 0);
  }

  /** A message about the open instrument; if some of it was unreadable, the instrument needs a W. */
  heard(instrumentIndex: number, nowMicros: number, bad: boolean): void {
    this.#heardMicros[instrumentIndex] = nowMicros;
    const flags = this.#flags[instrumentIndex]!;
    const next = (flags & ~QuoteFlag.StaleAge) | (bad ? QuoteFlag.StaleGap : 0);
    if (next !== flags) this.#setOpen(instrumentIndex, next);
  }

  /** Instruments listed since the last call have no quote yet. To be called at the start and after each load of the table. */
  instrumentsLoaded(nowMicros: number): void {
    const from = this.#knownCount;
    this.#knownCount = this.#instruments.count;
    this.#markFrom(from, QuoteFlag.StaleFeedDown, nowMicros);
  }

  /** Messages were missed: which instruments they were about nobody knows. */
  gap(nowMicros: number): void {
    this.#markFrom(0, QuoteFlag.StaleGap, nowMicros);
  }

  /** The connection is gone, and with it every subscription. */
  feedDown(nowMicros: number): void {
    this.#hasSnapshot.fill(0);
    this.snapshotCount = 0;
    this.#markFrom(0, QuoteFlag.StaleFeedDown, nowMicros);
  }

  /** Marks what has been silent for too long; on a timer. Returns how many it marked. */
  sweep(nowMicros: number): number {
    const heardBefore = nowMicros - this.#staleAfterMicros;
    let marked = 0;
    for (let index = 0; index < this.#knownCount; index++) {
      if ((this.#flags[index]! & STALE_MASK) !== 0 || this.#heardMicros[index]! > heardBefore) continue;
      this.#mark(index, QuoteFlag.StaleAge, nowMicros);
      marked++;
    }
    return marked;
  }

  #markFrom(from: number, flag: number, nowMicros: number): void {
    for (let index = from; index < this.#knownCount; index++) this.#mark(index, flag, nowMicros);
  }

  #mark(index: number, flag: number, nowMicros: number): void {
    this.#board.open(index);
    this.#setOpen(index, this.#flags[index]! | flag);
    this.#board.close(nowMicros | 0);
  }

  #setOpen(index: number, flags: number): void {
    const before = this.#flags[index]!;
    this.#flags[index] = flags;
    this.#board.setFlags(flags, STALE_MASK & ~flags);
    if (before === 0 && flags !== 0) this.staleCount++;
    else if (before !== 0 && flags === 0) this.staleCount--;
  }
}
