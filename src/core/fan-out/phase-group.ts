// hot: per changed instrument and tick. No allocation, no closure, no exception; growing happens at subscriptions, and a
// tick's arena grows to the largest tick and stays there.
import { bitmapWords } from '../shm/dirty-bitmap.ts';
import { toDepthDifferences } from './depth-differences.ts';
import { HoldQueue, NONE_DUE } from './hold-queue.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';
import { JSON_QUOTE_MAX_BYTES, writeJsonQuote } from './json-encoder.ts';
import { type ChangeSink, type MarketView, VIEW_DEPTH_WORDS } from './market-view.ts';
import {
  changedFields,
  changedLevels,
  DEPTH_BIT,
  ENTRY_MAX_BYTES,
  EntrySource,
  writeChange,
  writeKeyframe,
} from './quote-encoder.ts';
import {
  NO_STREAM,
  SLICE_ARRIVAL,
  SLICE_AT,
  SLICE_LENGTH,
  SLICE_SHIFT,
  SLICE_STAMP,
  StreamFlag,
  StreamTable,
} from './stream-table.ts';
import type { Subscriber } from './subscriber.ts';
import { FIELDS_BY_MODE, QUOTE_FIELD_COUNT, QUOTE_MODE_COUNT, QuoteField, QuoteMode } from './wire.ts';

/** A change that the differential filter holds back goes out at the first tick after so long: with the default tick, within a second. */
export const HOLD_MAX_MS = 900;

/** Fields that tell of the last trade: what the filter may hold back. */
const TRADE_MASK =
  (1 << QuoteField.LastPaise) | (1 << QuoteField.LastQty) | (1 << QuoteField.Volume) | (1 << QuoteField.AveragePaise);

/** Fields whose change alone makes nothing go out in JSON mode: a quote with the same numbers tells nothing new. */
const JSON_PASSIVE_MASK = 1 << QuoteField.TsMillis;

/**
 * Connections that share a tick and a filter class: with them a published table, so that one encoding of a change serves
 * all of them. See `README.md` beside this file.
 */
export class PhaseGroup implements ChangeSink {
  readonly phase: number;
  readonly filterBps: number;
  readonly streams: StreamTable;
  readonly members: Subscriber[] = [];
  /** This tick's encodings; a stream's slice says where. Each begins at a multiple of four bytes, so that it is copied by words. */
  arena = new Int32Array(1 << 12);
  /** Streams encoded in the last tick. */
  encodedCount = 0;
  /** Changes held back; the reader sets it to 0. */
  filtered = 0;

  readonly #view: MarketView;
  readonly #directory: InstrumentDirectory;
  readonly #dirty: Int32Array;
  /** Arrival of the oldest change that is not yet looked at, by instrument, low 32 bits of epoch microseconds. */
  readonly #arrivals: Int32Array;
  /** Instruments that have a stream here, and a stream with depth. */
  readonly #interest: Int32Array;
  readonly #depthInterest: Int32Array;
  readonly #holds = new HoldQueue();
  readonly #source = new EntrySource();
  #arenaBytes = new Uint8Array(this.arena.buffer);
  #arenaUsed = 0;

  constructor(
    phase: number,
    filterBps: number,
    view: MarketView,
    directory: InstrumentDirectory,
    instrumentCapacity: number,
  ) {
    this.phase = phase;
    this.filterBps = filterBps;
    this.#view = view;
    this.#directory = directory;
    this.streams = new StreamTable(instrumentCapacity);
    const wordCount = bitmapWords(instrumentCapacity);
    this.#dirty = new Int32Array(wordCount);
    this.#arrivals = new Int32Array(instrumentCapacity);
    this.#interest = new Int32Array(wordCount);
    this.#depthInterest = new Int32Array(wordCount);
  }

  /** One more subscription of an instrument in a mode: its stream. A new one publishes what the view has now. */
  subscribe(instrumentIndex: number, mode: QuoteMode, nowMicros: number): number {
    const streams = this.streams;
    const held = streams.use(instrumentIndex, mode);
    if (held !== NO_STREAM) return held;
    const stream = streams.add(instrumentIndex, mode);
    this.#holds.reserve(streams.capacity);
    const bit = 1 << (instrumentIndex & 31);
    this.#interest[instrumentIndex >> 5]! |= bit;
    if (mode === QuoteMode.Full) this.#depthInterest[instrumentIndex >> 5]! |= bit;
    this.#view.use(instrumentIndex, mode === QuoteMode.Full, nowMicros);
    this.#adopt(stream);
    return stream;
  }

  /** One subscription less. */
  unsubscribe(stream: number): void {
    const streams = this.streams;
    const instrumentIndex = streams.instrumentOf[stream]!;
    const mode = streams.modeOf[stream]!;
    if (!streams.release(stream)) return;
    this.#view.release(instrumentIndex, mode === QuoteMode.Full);
    const clear = ~(1 << (instrumentIndex & 31));
    if (mode === QuoteMode.Full) this.#depthInterest[instrumentIndex >> 5]! &= clear;
    for (let other = 0; other < QUOTE_MODE_COUNT; other++) {
      if (streams.find(instrumentIndex, other) !== NO_STREAM) return;
    }
    this.#interest[instrumentIndex >> 5]! &= clear;
    this.#dirty[instrumentIndex >> 5]! &= clear;
  }

  mark(word: number, quoteBits: number, depthBits: number, arrivals: Int32Array): void {
    const bits = (quoteBits & this.#interest[word]!) | (depthBits & this.#depthInterest[word]!);
    for (let rest = bits & ~this.#dirty[word]!; rest !== 0; rest &= rest - 1) {
      const instrumentIndex = (word << 5) + (31 - Math.clz32(rest & -rest));
      this.#arrivals[instrumentIndex] = arrivals[instrumentIndex]!;
    }
    this.#dirty[word]! |= bits;
  }

  /** Encodes what changed since the last tick, once a stream, and takes it over into the published table. */
  encode(tick: number, nowMs: number, nowMicros: number): void {
    this.#arenaUsed = 0;
    this.encodedCount = 0;
    this.#releaseHeld(nowMs, nowMicros);
    const dirty = this.#dirty;
    const streams = this.streams;
    for (let word = 0; word < dirty.length; word++) {
      const bits = dirty[word]!;
      if (bits === 0) continue;
      dirty[word] = 0;
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        const instrumentIndex = (word << 5) + (31 - Math.clz32(rest & -rest));
        for (let mode = 0; mode < QUOTE_MODE_COUNT; mode++) {
          const stream = streams.find(instrumentIndex, mode);
          if (stream !== NO_STREAM) this.#publish(stream, tick, nowMs);
        }
      }
    }
  }

  /** Writes what was last published of a stream, whole; returns where it ends. Nothing for a JSON quote without a price. */
  writeKeyframe(stream: number, out: Uint8Array, at: number): number {
    const streams = this.streams;
    const mode = streams.modeOf[stream]!;
    const row = streams.rows[mode]!;
    const fieldsOfMode = FIELDS_BY_MODE[mode]!;
    const rowAt = streams.rowOf[stream]! * fieldsOfMode.length;
    if (mode === QuoteMode.Json) return this.#writeJson(streams.instrumentOf[stream]!, row, rowAt, out, at);
    const source = this.#source;
    source.instrumentIndex = streams.instrumentOf[stream]!;
    source.fieldsOfMode = fieldsOfMode;
    source.row = row;
    source.rowAt = rowAt;
    source.depthRow = streams.depthRows;
    source.depthRowAt = streams.rowOf[stream]! * VIEW_DEPTH_WORDS;
    return writeKeyframe(out, at, source, mode === QuoteMode.Full);
  }

  /** Changes whose wait is over are looked at again in this tick, as if they had just arrived: they were late on purpose. */
  #releaseHeld(nowMs: number, nowMicros: number): void {
    const streams = this.streams;
    const holds = this.#holds;
    for (let stream = holds.takeDue(nowMs); stream !== NONE_DUE; stream = holds.takeDue(nowMs)) {
      const flags = streams.flags[stream]! & ~StreamFlag.Queued;
      const isHeld = (flags & StreamFlag.Held) !== 0;
      streams.flags[stream] = isHeld ? flags | StreamFlag.Due : flags;
      if (!isHeld) continue;
      const instrumentIndex = streams.instrumentOf[stream]!;
      const bit = 1 << (instrumentIndex & 31);
      if ((this.#dirty[instrumentIndex >> 5]! & bit) === 0) this.#arrivals[instrumentIndex] = nowMicros | 0;
      this.#dirty[instrumentIndex >> 5]! |= bit;
    }
  }

  #publish(stream: number, tick: number, nowMs: number): void {
    const streams = this.streams;
    const source = this.#source;
    const instrumentIndex = streams.instrumentOf[stream]!;
    const mode = streams.modeOf[stream]!;
    const fieldsOfMode = FIELDS_BY_MODE[mode]!;
    const market = this.#view.fields;
    const marketAt = instrumentIndex * QUOTE_FIELD_COUNT;
    const row = streams.rows[mode]!;
    const rowAt = streams.rowOf[stream]! * fieldsOfMode.length;
    let mask = changedFields(fieldsOfMode, market, marketAt, row, rowAt);
    let levels = 0;
    if (mode === QuoteMode.Full) {
      this.#readDepth(instrumentIndex, marketAt);
      source.depthRow = streams.depthRows;
      source.depthRowAt = streams.rowOf[stream]! * VIEW_DEPTH_WORDS;
      levels = changedLevels(source.depthDifferences, source.depthRow, source.depthRowAt);
      if (levels !== 0) mask |= DEPTH_BIT;
    }
    const flags = streams.flags[stream]!;
    const telling = mode === QuoteMode.Json ? mask & ~JSON_PASSIVE_MASK : mask;
    if (telling === 0) {
      streams.flags[stream] = flags & StreamFlag.Queued;
      return;
    }
    if (
      mode !== QuoteMode.Full &&
      (telling & ~TRADE_MASK) === 0 &&
      (flags & StreamFlag.Due) === 0 &&
      this.#isNear(market[marketAt + QuoteField.LastPaise]!, row[rowAt]!)
    ) {
      this.filtered++;
      streams.flags[stream] = flags | StreamFlag.Held | StreamFlag.Queued;
      if ((flags & StreamFlag.Queued) === 0) this.#holds.push(stream, nowMs + HOLD_MAX_MS);
      return;
    }
    streams.flags[stream] = flags & StreamFlag.Queued;
    const at = this.#arenaUsed;
    let end: number;
    if (mode === QuoteMode.Json) {
      for (let i = 0; i < fieldsOfMode.length; i++) row[rowAt + i] = market[marketAt + fieldsOfMode[i]!]!;
      this.#reserveArena(JSON_QUOTE_MAX_BYTES + this.#directory.jsonPrefix(instrumentIndex).length);
      end = this.#writeJson(instrumentIndex, row, rowAt, this.#arenaBytes, at);
      if (end === at) return;
    } else {
      source.instrumentIndex = instrumentIndex;
      source.fieldsOfMode = fieldsOfMode;
      source.row = row;
      source.rowAt = rowAt;
      source.market = market;
      source.marketAt = marketAt;
      this.#reserveArena(ENTRY_MAX_BYTES);
      end = writeChange(this.#arenaBytes, at, source, mask, levels);
    }
    this.#arenaUsed = (end + 3) & ~3;
    this.encodedCount++;
    const slices = streams.slices;
    const slice = stream << SLICE_SHIFT;
    slices[slice + SLICE_STAMP] = tick;
    slices[slice + SLICE_AT] = at;
    slices[slice + SLICE_LENGTH] = end - at;
    slices[slice + SLICE_ARRIVAL] = this.#arrivals[instrumentIndex]!;
  }

  /** Whether the last price is so near to the published one that a change of the trade alone may wait. */
  #isNear(lastPaise: number, publishedPaise: number): boolean {
    if (this.filterBps === 0 || publishedPaise === 0) return false;
    return Math.abs(lastPaise - publishedPaise) * 10_000 < this.filterBps * Math.abs(publishedPaise);
  }

  /** The stream's row becomes what the view has. */
  #adopt(stream: number): void {
    const streams = this.streams;
    const instrumentIndex = streams.instrumentOf[stream]!;
    const mode = streams.modeOf[stream]!;
    const fieldsOfMode = FIELDS_BY_MODE[mode]!;
    const row = streams.rows[mode]!;
    const rowAt = streams.rowOf[stream]! * fieldsOfMode.length;
    const marketAt = instrumentIndex * QUOTE_FIELD_COUNT;
    for (let i = 0; i < fieldsOfMode.length; i++) row[rowAt + i] = this.#view.fields[marketAt + fieldsOfMode[i]!]!;
    if (mode !== QuoteMode.Full) return;
    this.#readDepth(instrumentIndex, marketAt);
    streams.depthRows.set(this.#source.depthDifferences, streams.rowOf[stream]! * VIEW_DEPTH_WORDS);
  }

  #readDepth(instrumentIndex: number, marketAt: number): void {
    const market = this.#view.fields;
    toDepthDifferences(
      this.#view.depth,
      instrumentIndex * VIEW_DEPTH_WORDS,
      market[marketAt + QuoteField.BidPaise]!,
      market[marketAt + QuoteField.BidQty]!,
      market[marketAt + QuoteField.AskPaise]!,
      market[marketAt + QuoteField.AskQty]!,
      this.#source.depthDifferences,
    );
  }

  #writeJson(instrumentIndex: number, row: Float64Array, rowAt: number, out: Uint8Array, at: number): number {
    const lastPaise = row[rowAt]!;
    if (lastPaise === 0) return at;
    const prefix = this.#directory.jsonPrefix(instrumentIndex);
    return writeJsonQuote(out, at, prefix, lastPaise, row[rowAt + 2]!, row[rowAt + 1]!);
  }

  #reserveArena(bytes: number): void {
    const needed = (this.#arenaUsed + bytes + 3) >> 2;
    if (needed <= this.arena.length) return;
    const arena = new Int32Array(Math.max(this.arena.length * 2, needed));
    arena.set(this.arena);
    this.arena = arena;
    this.#arenaBytes = new Uint8Array(arena.buffer);
  }
}
