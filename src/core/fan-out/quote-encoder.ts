// hot: per changed instrument, mode and tick. No allocation, no closure, no exception.
import { VARINT_MAX_BYTES, writeVarint, zigzag } from './varint.ts';
import { QUOTE_FIELD_COUNT, QuoteField, WIRE_DEPTH_LEVELS, WIRE_DEPTH_NUMBERS, WIRE_LEVEL_NUMBERS } from './wire.ts';

/** Entries of `outcry.v1`: see `src/net/ws-protocol.md`, whose order this follows. */
export const DEPTH_BIT = 1 << QuoteField.Depth;

/** Bytes of the largest entry: index, mask, every field, and a depth section where everything changed. */
export const ENTRY_MAX_BYTES =
  5 + 3 + QUOTE_FIELD_COUNT * VARINT_MAX_BYTES + 2 + 2 * WIRE_DEPTH_LEVELS * WIRE_LEVEL_NUMBERS * 5;

/** Bits of the fields in which a row of the published table differs from the market's. */
export function changedFields(
  fieldsOfMode: readonly number[],
  market: Float64Array,
  marketAt: number,
  row: Float64Array,
  rowAt: number,
): number {
  let mask = 0;
  for (let i = 0; i < fieldsOfMode.length; i++) {
    const field = fieldsOfMode[i]!;
    if (market[marketAt + field] !== row[rowAt + i]) mask |= 1 << field;
  }
  return mask;
}

/** Bits of the levels that differ: 0 to 4 bids, 5 to 9 asks. */
export function changedLevels(now: Int32Array, row: Int32Array, rowAt: number): number {
  let levels = 0;
  for (let level = 0; level < 2 * WIRE_DEPTH_LEVELS; level++) {
    const i = level * WIRE_LEVEL_NUMBERS;
    if (now[i] !== row[rowAt + i] || now[i + 1] !== row[rowAt + i + 1] || now[i + 2] !== row[rowAt + i + 2]) {
      levels |= 1 << level;
    }
  }
  return levels;
}

/** What an entry is written from. One object a group, filled again for every entry. */
export class EntrySource {
  instrumentIndex = 0;
  fieldsOfMode: readonly number[] = [];
  /** Row of the published table. */
  row: Float64Array = new Float64Array(0);
  rowAt = 0;
  /** Its depth, full mode only. */
  depthRow: Int32Array = new Int32Array(0);
  depthRowAt = 0;
  /** For a change: where the market's fields are, and its depth as differences. */
  market: Float64Array = new Float64Array(0);
  marketAt = 0;
  readonly depthDifferences = new Int32Array(WIRE_DEPTH_NUMBERS);
}

/**
 * Writes a change and takes it over into the published row. `mask` and `levels` are what `changedFields` and
 * `changedLevels` said; returns where the entry ends. `out` has ENTRY_MAX_BYTES of room.
 */
export function writeChange(out: Uint8Array, at: number, source: EntrySource, mask: number, levels: number): number {
  const fieldsOfMode = source.fieldsOfMode;
  const { row, rowAt, market, marketAt } = source;
  let end = writeVarint(out, at, source.instrumentIndex * 2);
  end = writeVarint(out, end, mask);
  let isDepthDue = (mask & DEPTH_BIT) !== 0;
  for (let i = 0; i < fieldsOfMode.length; i++) {
    const field = fieldsOfMode[i]!;
    if (isDepthDue && field > QuoteField.Depth) {
      end = writeLevels(out, end, source, levels);
      isDepthDue = false;
    }
    if ((mask & (1 << field)) === 0) continue;
    const value = market[marketAt + field]!;
    end = writeVarint(out, end, zigzag(value - row[rowAt + i]!));
    row[rowAt + i] = value;
  }
  return end;
}

/** Writes a keyframe from the published row: every field that is not 0, and in full mode the depth section, be it empty. */
export function writeKeyframe(out: Uint8Array, at: number, source: EntrySource, withDepth: boolean): number {
  const fieldsOfMode = source.fieldsOfMode;
  const { row, rowAt } = source;
  let mask = 0;
  for (let i = 0; i < fieldsOfMode.length; i++) if (row[rowAt + i] !== 0) mask |= 1 << fieldsOfMode[i]!;
  let levels = 0;
  if (withDepth) {
    levels = changedLevels(NO_DEPTH, source.depthRow, source.depthRowAt);
    mask |= DEPTH_BIT;
  }
  let end = writeVarint(out, at, source.instrumentIndex * 2 + 1);
  end = writeVarint(out, end, mask);
  let isDepthDue = withDepth;
  for (let i = 0; i < fieldsOfMode.length; i++) {
    const field = fieldsOfMode[i]!;
    if (isDepthDue && field > QuoteField.Depth) {
      end = writeKeyLevels(out, end, source, levels);
      isDepthDue = false;
    }
    if ((mask & (1 << field)) !== 0) end = writeVarint(out, end, zigzag(row[rowAt + i]!));
  }
  return end;
}

const NO_DEPTH = new Int32Array(WIRE_DEPTH_NUMBERS);

function writeLevels(out: Uint8Array, at: number, source: EntrySource, levels: number): number {
  const { depthRow, depthRowAt, depthDifferences } = source;
  let end = writeVarint(out, at, levels);
  for (let rest = levels; rest !== 0; rest &= rest - 1) {
    const i = (31 - Math.clz32(rest & -rest)) * WIRE_LEVEL_NUMBERS;
    const price = depthDifferences[i]!;
    const qty = depthDifferences[i + 1]!;
    const orders = depthDifferences[i + 2]!;
    // Numbers, not words: a change of a word may need 33 bits, and the receiver's sum wraps like the word did.
    end = writeLevel(
      out,
      end,
      price - depthRow[depthRowAt + i]!,
      qty - depthRow[depthRowAt + i + 1]!,
      orders - depthRow[depthRowAt + i + 2]!,
    );
    depthRow[depthRowAt + i] = price;
    depthRow[depthRowAt + i + 1] = qty;
    depthRow[depthRowAt + i + 2] = orders;
  }
  return end;
}

function writeKeyLevels(out: Uint8Array, at: number, source: EntrySource, levels: number): number {
  const { depthRow, depthRowAt } = source;
  let end = writeVarint(out, at, levels);
  for (let rest = levels; rest !== 0; rest &= rest - 1) {
    const i = depthRowAt + (31 - Math.clz32(rest & -rest)) * WIRE_LEVEL_NUMBERS;
    end = writeLevel(out, end, depthRow[i]!, depthRow[i + 1]!, depthRow[i + 2]!);
  }
  return end;
}

function writeLevel(out: Uint8Array, at: number, price: number, qty: number, orders: number): number {
  let end = writeVarint(out, at, zigzag(qty) * 4 + (orders !== 0 ? 2 : 0) + (price !== 0 ? 1 : 0));
  if (price !== 0) end = writeVarint(out, end, zigzag(price));
  if (orders !== 0) end = writeVarint(out, end, zigzag(orders));
  return end;
}
