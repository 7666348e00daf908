// hot: read per subscription and tick. Growing and freeing happen at subscriptions only.
import { VIEW_DEPTH_WORDS } from './market-view.ts';
import { FIELDS_BY_MODE, QUOTE_MODE_COUNT, QuoteMode } from './wire.ts';

/** `find` and `acquire`: there is no such stream. */
export const NO_STREAM = -1;

/** Bits of `flags`. */
export const StreamFlag = {
  /** A change is held back by the differential filter. */
  Held: 1,
  /** The stream stands in the group's hold queue. Survives reuse of the slot, since the queue's entry does. */
  Queued: 2,
  /** The change held back has waited long enough. */
  Due: 4,
} as const;

/**
 * Where a tick's encoding of a stream lies: four words side by side, since a sweep wants all of them or the first alone. The stamp is the low 32 bits of
 * the tick that the others are of. The arrival is that of the oldest change in the encoding, low 32 bits of epoch microseconds.
 */
export const SLICE_STAMP = 0;
export const SLICE_AT = 1;
export const SLICE_LENGTH = 2;
export const SLICE_ARRIVAL = 3;
export const SLICE_SHIFT = 2;

const FIRST_CAPACITY = 64;

/**
 * The streams of one group. A stream is an (instrument, mode) that somebody in the group subscribes to: its row of the
 * *published table* (what was last sent), and where this tick's encoding of it lies. A subscription is a stream's index, so
 * that a sweep looks up one number for each.
 */
export class StreamTable {
  /** Upper bound of indices ever given. */
  capacity = FIRST_CAPACITY;
  /** Streams in use. */
  count = 0;
  instrumentOf = new Int32Array(FIRST_CAPACITY);
  modeOf = new Uint8Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  /** The stream's last encoding: words `SLICE_…` from `stream << SLICE_SHIFT` on. */
  slices = new Int32Array(FIRST_CAPACITY << SLICE_SHIFT);
  /** The stream's row in `rows[mode]`; full mode has one in `depthRows` besides. */
  rowOf = new Int32Array(FIRST_CAPACITY);
  /** Rows of as many numbers as the mode has fields. */
  readonly rows: Float64Array[] = [];
  /** Rows of VIEW_DEPTH_WORDS words, as the wire has them: differences, see `depth-differences.ts`. */
  depthRows = new Int32Array(0);

  readonly #instrumentCapacity: number;
  /** Stream index + 1 by mode and instrument. */
  readonly #streamOf: Int32Array;
  #uses = new Int32Array(FIRST_CAPACITY);
  readonly #freeStreams: number[] = [];
  #usedStreams = 0;
  readonly #freeRows: number[][] = [];
  readonly #usedRows: number[] = [];

  constructor(instrumentCapacity: number) {
    this.#instrumentCapacity = instrumentCapacity;
    this.#streamOf = new Int32Array(instrumentCapacity * QUOTE_MODE_COUNT);
    for (let mode = 0; mode < QUOTE_MODE_COUNT; mode++) {
      this.rows.push(new Float64Array(0));
      this.#freeRows.push([]);
      this.#usedRows.push(0);
    }
  }

  /** The stream of an instrument in a mode, or NO_STREAM. */
  find(instrumentIndex: number, mode: number): number {
    return this.#streamOf[mode * this.#instrumentCapacity + instrumentIndex]! - 1;
  }

  /** Counts one more use of a stream; NO_STREAM when there is none yet. */
  use(instrumentIndex: number, mode: number): number {
    const stream = this.find(instrumentIndex, mode);
    if (stream !== NO_STREAM) this.#uses[stream]!++;
    return stream;
  }

  /** A new stream with one use. Its row holds what an earlier one left: the caller publishes to it at once. */
  add(instrumentIndex: number, mode: QuoteMode): number {
    let stream = this.#freeStreams.pop();
    if (stream === undefined) {
      stream = this.#usedStreams++;
      if (stream === this.capacity) this.#growStreams();
    }
    let row = this.#freeRows[mode]!.pop();
    if (row === undefined) {
      row = this.#usedRows[mode]!++;
      this.#growRows(mode, row + 1);
    }
    this.instrumentOf[stream] = instrumentIndex;
    this.modeOf[stream] = mode;
    this.flags[stream]! &= StreamFlag.Queued;
    // No tick in years has this stamp.
    this.slices[(stream << SLICE_SHIFT) + SLICE_STAMP] = -1;
    this.rowOf[stream] = row;
    this.#uses[stream] = 1;
    this.#streamOf[mode * this.#instrumentCapacity + instrumentIndex] = stream + 1;
    this.count++;
    return stream;
  }

  /** Counts one use less; true when that was the last and the stream is gone. */
  release(stream: number): boolean {
    if (--this.#uses[stream]! > 0) return false;
    const mode = this.modeOf[stream]!;
    this.#streamOf[mode * this.#instrumentCapacity + this.instrumentOf[stream]!] = 0;
    this.#freeRows[mode]!.push(this.rowOf[stream]!);
    this.#freeStreams.push(stream);
    this.flags[stream]! &= StreamFlag.Queued;
    this.count--;
    return true;
  }

  #growStreams(): void {
    this.capacity *= 2;
    this.instrumentOf = grown(this.instrumentOf, new Int32Array(this.capacity));
    this.modeOf = grown(this.modeOf, new Uint8Array(this.capacity));
    this.flags = grown(this.flags, new Uint8Array(this.capacity));
    this.slices = grown(this.slices, new Int32Array(this.capacity << SLICE_SHIFT));
    this.rowOf = grown(this.rowOf, new Int32Array(this.capacity));
    this.#uses = grown(this.#uses, new Int32Array(this.capacity));
  }

  #growRows(mode: QuoteMode, rowCount: number): void {
    const width = FIELDS_BY_MODE[mode]!.length;
    const rows = this.rows[mode]!;
    if (rows.length >= rowCount * width) return;
    const rowCapacity = Math.max(16, rowCount * 2);
    this.rows[mode] = grown(rows, new Float64Array(rowCapacity * width));
    if (mode === QuoteMode.Full) this.depthRows = grown(this.depthRows, new Int32Array(rowCapacity * VIEW_DEPTH_WORDS));
  }
}

function grown<A extends Int32Array | Uint8Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
