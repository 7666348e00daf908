// hot: per quote received. No allocation but where the state grows, no closure, no exception.
import { fromDepthDifferences } from '../core/fan-out/depth-differences.ts';
import { VarintReader } from '../core/fan-out/varint.ts';
import {
  FrameType,
  QUOTE_FIELD_COUNT,
  QuoteField,
  WIRE_DEPTH_LEVELS,
  WIRE_DEPTH_NUMBERS,
  WIRE_LEVEL_NUMBERS,
} from '../core/fan-out/wire.ts';

export const DecodeStatus = {
  Ok: 0,
  /** The frame continues another one than the last decoded: frames were lost, and only a new connection helps. */
  Desynced: 1,
  /** Not a quotes frame as the protocol has it. Part of it may have been applied: only a new connection helps. */
  Malformed: 2,
} as const;
export type DecodeStatus = (typeof DecodeStatus)[keyof typeof DecodeStatus];

/** No server has so many instruments: an index beyond it is a malformed frame, not a reason to allocate. */
const INSTRUMENTS_MAX = 1 << 20;
const DEPTH_BIT = 1 << QuoteField.Depth;
const MASK_MAX = 2 ** QUOTE_FIELD_COUNT;
const LEVELS_MAX = 1 << (2 * WIRE_DEPTH_LEVELS);
const TOP_OF_BOOK_MASK =
  (1 << QuoteField.BidPaise) | (1 << QuoteField.BidQty) | (1 << QuoteField.AskPaise) | (1 << QuoteField.AskQty);

/** What a connection has been told: applies frames of quotes to plain arrays, one row an instrument. */
export class QuoteDecoder {
  /**
   * QUOTE_FIELD_COUNT numbers an instrument: `fields[instrumentIndex * QUOTE_FIELD_COUNT + QuoteField.LastPaise]`. The
   * place of `Depth` is unused. Another array once an instrument with a higher index appears: don't keep it.
   */
  fields: Float64Array;
  /** WIRE_DEPTH_NUMBERS an instrument: five bids, five asks, best first, each price in paise, quantity, orders. Full mode only. */
  depth: Int32Array;
  /** Instruments that the last frame told of: the first `changedCount` of these. */
  changed: Int32Array;
  changedCount = 0;
  /** Tick of the last frame; 0 before the first. */
  tick = 0;
  /** Epoch microseconds at which the oldest change in the last frame reached the server; 0 when it did not say. */
  oldestArrivalMicros = 0;

  /** Depth as the wire has it. */
  #differences: Int32Array;
  /** Which instruments have any depth: the others need no book. */
  #hasDepth: Uint8Array;
  readonly #reader = new VarintReader();

  constructor(instrumentCapacity = 256) {
    this.fields = new Float64Array(instrumentCapacity * QUOTE_FIELD_COUNT);
    this.depth = new Int32Array(instrumentCapacity * WIRE_DEPTH_NUMBERS);
    this.changed = new Int32Array(instrumentCapacity);
    this.#differences = new Int32Array(instrumentCapacity * WIRE_DEPTH_NUMBERS);
    this.#hasDepth = new Uint8Array(instrumentCapacity);
  }

  /** Forgets everything: indices of another connection mean other instruments. */
  reset(): void {
    this.fields.fill(0);
    this.depth.fill(0);
    this.#differences.fill(0);
    this.#hasDepth.fill(0);
    this.changedCount = 0;
    this.tick = 0;
    this.oldestArrivalMicros = 0;
  }

  /** Applies a frame whose first byte is `FrameType.Quotes` or `FrameType.TimedQuotes`. */
  decode(frame: Uint8Array): DecodeStatus {
    this.changedCount = 0;
    const type = frame[0];
    if (type !== FrameType.Quotes && type !== FrameType.TimedQuotes) return DecodeStatus.Malformed;
    const reader = this.#reader;
    reader.begin(frame, 1, frame.length);
    const tick = reader.unsigned();
    const back = reader.unsigned();
    if (reader.failed) return DecodeStatus.Malformed;
    if (back !== 0 && tick - back !== this.tick) return DecodeStatus.Desynced;
    this.oldestArrivalMicros = 0;
    if (type === FrameType.TimedQuotes) {
      if (reader.at + 8 > frame.length) return DecodeStatus.Malformed;
      this.oldestArrivalMicros = readF64(frame, reader.at);
      reader.at += 8;
    }
    while (reader.at < frame.length) {
      if (!this.#decodeEntry(reader)) return DecodeStatus.Malformed;
    }
    this.tick = tick;
    return DecodeStatus.Ok;
  }

  #decodeEntry(reader: VarintReader): boolean {
    const head = reader.unsigned();
    const mask = reader.unsigned();
    if (reader.failed || mask >= MASK_MAX || head >= 2 * INSTRUMENTS_MAX) return false;
    const instrumentIndex = head >>> 1;
    if (instrumentIndex >= this.#hasDepth.length || this.changedCount >= this.changed.length) {
      this.#grow(Math.max(instrumentIndex, this.changedCount) + 1);
    }
    const fields = this.fields;
    const base = instrumentIndex * QUOTE_FIELD_COUNT;
    if ((head & 1) !== 0) this.#clear(instrumentIndex);
    for (let rest = mask & (DEPTH_BIT - 1); rest !== 0; rest &= rest - 1) {
      fields[base + 31 - Math.clz32(rest & -rest)]! += reader.signed();
    }
    if ((mask & DEPTH_BIT) !== 0 && !this.#decodeLevels(reader, instrumentIndex)) return false;
    for (let rest = mask & -(DEPTH_BIT << 1); rest !== 0; rest &= rest - 1) {
      fields[base + 31 - Math.clz32(rest & -rest)]! += reader.signed();
    }
    if ((mask & (DEPTH_BIT | TOP_OF_BOOK_MASK)) !== 0 && this.#hasDepth[instrumentIndex] !== 0) {
      fromDepthDifferences(
        this.#differences,
        instrumentIndex * WIRE_DEPTH_NUMBERS,
        fields[base + QuoteField.BidPaise]!,
        fields[base + QuoteField.BidQty]!,
        fields[base + QuoteField.AskPaise]!,
        fields[base + QuoteField.AskQty]!,
        this.depth,
        instrumentIndex * WIRE_DEPTH_NUMBERS,
      );
    }
    this.changed[this.changedCount++] = instrumentIndex;
    return !reader.failed;
  }

  #decodeLevels(reader: VarintReader, instrumentIndex: number): boolean {
    const levels = reader.unsigned();
    if (levels >= LEVELS_MAX) return false;
    const differences = this.#differences;
    const base = instrumentIndex * WIRE_DEPTH_NUMBERS;
    this.#hasDepth[instrumentIndex] = 1;
    for (let rest = levels; rest !== 0; rest &= rest - 1) {
      const at = base + (31 - Math.clz32(rest & -rest)) * WIRE_LEVEL_NUMBERS;
      const qty = reader.unsigned();
      const has = qty % 4;
      const zigzag = (qty - has) / 4;
      differences[at + 1]! += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      if ((has & 1) !== 0) differences[at]! += reader.signed();
      if ((has & 2) !== 0) differences[at + 2]! += reader.signed();
    }
    return true;
  }

  #clear(instrumentIndex: number): void {
    const base = instrumentIndex * QUOTE_FIELD_COUNT;
    for (let i = 0; i < QUOTE_FIELD_COUNT; i++) this.fields[base + i] = 0;
    if (this.#hasDepth[instrumentIndex] === 0) return;
    this.#hasDepth[instrumentIndex] = 0;
    const depthBase = instrumentIndex * WIRE_DEPTH_NUMBERS;
    for (let i = 0; i < WIRE_DEPTH_NUMBERS; i++) {
      this.depth[depthBase + i] = 0;
      this.#differences[depthBase + i] = 0;
    }
  }

  #grow(count: number): void {
    const capacity = Math.max(count, this.#hasDepth.length * 2);
    this.fields = grown(this.fields, new Float64Array(capacity * QUOTE_FIELD_COUNT));
    this.depth = grown(this.depth, new Int32Array(capacity * WIRE_DEPTH_NUMBERS));
    this.changed = grown(this.changed, new Int32Array(capacity));
    this.#differences = grown(this.#differences, new Int32Array(capacity * WIRE_DEPTH_NUMBERS));
    this.#hasDepth = grown(this.#hasDepth, new Uint8Array(capacity));
  }
}

const f64Bytes = new Uint8Array(8);
const f64 = new DataView(f64Bytes.buffer);

function readF64(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) f64Bytes[i] = bytes[at + i]!;
  return f64.getFloat64(0, true);
}

function grown<A extends Int32Array | Uint8Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
