// hot: per quote received. No allocation, no closure, no exception.
import type { QuoteDecoder } from '../src/client/quote-decoder.ts';
import { fromDepthDifferences } from '../src/core/fan-out/depth-differences.ts';
import { unzigzag, VarintReader } from '../src/core/fan-out/varint.ts';
import {
  FrameType,
  QUOTE_FIELD_COUNT,
  QuoteField,
  WIRE_DEPTH_NUMBERS,
  WIRE_LEVEL_NUMBERS,
} from '../src/core/fan-out/wire.ts';

/** Verdict on a frame of quotes. */
export const LoadStatus = {
  Ok: 0,
  /** It continues a tick that this connection has not seen. */
  Desynced: 1,
  /** It ends early or names an instrument that was not asked for. */
  Malformed: 2,
} as const;
export type LoadStatus = (typeof LoadStatus)[keyof typeof LoadStatus];

const EMPTY = -1;

/**
 * The quotes of very many connections in a few flat arrays: a decoder object with its own tables a connection, as a real client has, would make
 * the load generator the thing that is measured. Wire format: `src/net/ws-protocol.md`.
 */
export class LoadState {
  /** Quotes applied so far. */
  quoteCount = 0;
  /** What the last frame told, epoch microseconds; 0 when it told nothing. */
  oldestArrivalMicros = 0;
  /** The newest exchange time that the last frame changed, epoch milliseconds; 0 when it changed none (modes ltp and quote). */
  newestExchangeMillis = 0;
  readonly #slotsEach: number;
  readonly #hashMask: number;
  /** Per connection an open-addressing table from instrument index to slot. */
  readonly #keys: Int32Array;
  readonly #slots: Int32Array;
  readonly #slotCounts: Int32Array;
  readonly #instruments: Int32Array;
  readonly #fields: Float64Array;
  readonly #depth: Int32Array;
  readonly #ticks: Float64Array;
  /** How far back the frame is that the last head continues. */
  #back = 0;
  readonly #reader = new VarintReader();
  readonly #book = new Int32Array(WIRE_DEPTH_NUMBERS);
  readonly #f64View = new Float64Array(1);
  readonly #f64Bytes = new Uint8Array(this.#f64View.buffer);

  /** Room for `connections` of `slotsEach` instruments; depth is kept only if `withDepth`. */
  constructor(connections: number, slotsEach: number, withDepth: boolean) {
    let hashSize = 8;
    while (hashSize < slotsEach * 2) hashSize *= 2;
    this.#slotsEach = slotsEach;
    this.#hashMask = hashSize - 1;
    this.#keys = new Int32Array(connections * hashSize).fill(EMPTY);
    this.#slots = new Int32Array(connections * hashSize);
    this.#slotCounts = new Int32Array(connections);
    this.#instruments = new Int32Array(connections * slotsEach).fill(EMPTY);
    this.#fields = new Float64Array(connections * slotsEach * QUOTE_FIELD_COUNT);
    this.#depth = new Int32Array(withDepth ? connections * slotsEach * WIRE_DEPTH_NUMBERS : 0);
    this.#ticks = new Float64Array(connections);
  }

  /** Instruments that the connection holds. */
  slotCount(connection: number): number {
    return this.#slotCounts[connection]!;
  }

  /** Instrument index of a slot. */
  instrument(connection: number, slot: number): number {
    return this.#instruments[connection * this.#slotsEach + slot]!;
  }

  /** Tick of the last frame. */
  tick(connection: number): number {
    return this.#ticks[connection]!;
  }

  /** Takes the instrument in; the reply to the subscription has named it. False when there is no slot left. */
  add(connection: number, instrumentIndex: number): boolean {
    if (this.find(connection, instrumentIndex) >= 0) return true;
    const slot = this.#slotCounts[connection]!;
    if (slot === this.#slotsEach) return false;
    const base = connection * (this.#hashMask + 1);
    let probe = instrumentIndex & this.#hashMask;
    while (this.#keys[base + probe] !== EMPTY) probe = (probe + 1) & this.#hashMask;
    this.#keys[base + probe] = instrumentIndex;
    this.#slots[base + probe] = slot;
    this.#instruments[connection * this.#slotsEach + slot] = instrumentIndex;
    this.#slotCounts[connection] = slot + 1;
    return true;
  }

  /** The connection is opened anew: it holds nothing, and has seen no tick. */
  forget(connection: number): void {
    const hashSize = this.#hashMask + 1;
    this.#keys.fill(EMPTY, connection * hashSize, (connection + 1) * hashSize);
    this.#instruments.fill(EMPTY, connection * this.#slotsEach, (connection + 1) * this.#slotsEach);
    this.#slotCounts[connection] = 0;
    this.#ticks[connection] = 0;
  }

  /** The slot of an instrument, or -1. */
  find(connection: number, instrumentIndex: number): number {
    const base = connection * (this.#hashMask + 1);
    const mask = this.#hashMask;
    let probe = instrumentIndex & mask;
    for (;;) {
      const key = this.#keys[base + probe]!;
      if (key === instrumentIndex) return this.#slots[base + probe]!;
      if (key === EMPTY) return -1;
      probe = (probe + 1) & mask;
    }
  }

  /** Whether a slot holds what the engine's own client was told of the instrument. */
  equals(connection: number, slot: number, fresh: QuoteDecoder): boolean {
    const row = connection * this.#slotsEach + slot;
    const fields = this.#fields.subarray(row * QUOTE_FIELD_COUNT, (row + 1) * QUOTE_FIELD_COUNT);
    const instrumentIndex = this.instrument(connection, slot);
    for (let field = 0; field < QUOTE_FIELD_COUNT; field++) {
      if (fields[field] !== fresh.fields[instrumentIndex * QUOTE_FIELD_COUNT + field]) return false;
    }
    if (this.#depth.length === 0) return true;
    fromDepthDifferences(
      this.#depth,
      row * WIRE_DEPTH_NUMBERS,
      fields[QuoteField.BidPaise]!,
      fields[QuoteField.BidQty]!,
      fields[QuoteField.AskPaise]!,
      fields[QuoteField.AskQty]!,
      this.#book,
      0,
    );
    for (let i = 0; i < WIRE_DEPTH_NUMBERS; i++) {
      if (this.#book[i] !== fresh.depth[instrumentIndex * WIRE_DEPTH_NUMBERS + i]) return false;
    }
    return true;
  }

  /** A slot's fields in the order of QuoteField: for messages about a difference. */
  describe(connection: number, slot: number): string {
    const base = (connection * this.#slotsEach + slot) * QUOTE_FIELD_COUNT;
    return this.#fields.subarray(base, base + QUOTE_FIELD_COUNT).join(' ');
  }

  /** Takes the head of a message of type Quotes or TimedQuotes, `bytes[start .. end)`: its tick and arrival. */
  receive(connection: number, bytes: Uint8Array, start: number, end: number): LoadStatus {
    const tick = this.#head(bytes, start, end);
    if (this.#back !== 0 && this.#ticks[connection] !== tick - this.#back) return LoadStatus.Desynced;
    this.#ticks[connection] = tick;
    return this.#reader.failed ? LoadStatus.Malformed : LoadStatus.Ok;
  }

  /** Applies the entries of a message that `receive` took, now or later. */
  apply(connection: number, bytes: Uint8Array, start: number, end: number): LoadStatus {
    const reader = this.#reader;
    this.#head(bytes, start, end);
    this.newestExchangeMillis = 0;
    const slotsEach = this.#slotsEach;
    const firstRow = connection * slotsEach;
    for (let next = 0; reader.at < end && !reader.failed; next++) {
      const head = reader.unsigned();
      // Entries mostly come in the order of the subscription: a look at the next slot saves the search.
      if (next >= slotsEach || this.#instruments[firstRow + next] !== head >>> 1)
        next = this.find(connection, head >>> 1);
      if (next < 0) return LoadStatus.Malformed;
      this.#entry(firstRow + next, (head & 1) !== 0);
      this.quoteCount++;
    }
    return reader.failed ? LoadStatus.Malformed : LoadStatus.Ok;
  }

  #head(bytes: Uint8Array, start: number, end: number): number {
    const reader = this.#reader;
    reader.begin(bytes, start + 1, end);
    const tick = reader.unsigned();
    this.#back = reader.unsigned();
    this.oldestArrivalMicros = bytes[start] === FrameType.TimedQuotes ? this.#f64() : 0;
    return tick;
  }

  #entry(row: number, isKeyframe: boolean): void {
    const reader = this.#reader;
    const fields = this.#fields;
    const base = row * QUOTE_FIELD_COUNT;
    if (isKeyframe) {
      for (let field = 0; field < QUOTE_FIELD_COUNT; field++) fields[base + field] = 0;
      if (this.#depth.length > 0) this.#depth.fill(0, row * WIRE_DEPTH_NUMBERS, (row + 1) * WIRE_DEPTH_NUMBERS);
    }
    for (let mask = reader.unsigned(); mask !== 0; mask &= mask - 1) {
      const field = 31 - Math.clz32(mask & -mask);
      if (field === QuoteField.Depth) this.#levels(row * WIRE_DEPTH_NUMBERS);
      else fields[base + field]! += reader.signed();
      if (field === QuoteField.TsMillis) {
        this.newestExchangeMillis = Math.max(this.newestExchangeMillis, fields[base + field]!);
      }
    }
  }

  #levels(base: number): void {
    const reader = this.#reader;
    const depth = this.#depth;
    const isKept = depth.length > 0;
    for (let levels = reader.unsigned(); levels !== 0; levels &= levels - 1) {
      const level = base + (31 - Math.clz32(levels & -levels)) * WIRE_LEVEL_NUMBERS;
      const head = reader.unsigned();
      const flags = head % 4;
      const price = (flags & 1) !== 0 ? reader.signed() : 0;
      const orders = (flags & 2) !== 0 ? reader.signed() : 0;
      if (!isKept) continue;
      depth[level]! += price;
      depth[level + 1]! += unzigzag(Math.floor(head / 4));
      depth[level + 2]! += orders;
    }
  }

  /** Little-endian on the wire, as on every machine that Node runs on. */
  #f64(): number {
    const reader = this.#reader;
    for (let i = 0; i < 8; i++) this.#f64Bytes[i] = reader.bytes[reader.at++]!;
    return this.#f64View[0]!;
  }
}
