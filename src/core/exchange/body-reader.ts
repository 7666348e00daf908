// hot: per replayed message. Integers from bytes.
import { INVALID_VALUE, readInt, readPricePaise, readUtcTimeOnlyMicros } from '../fix/fix-values.ts';
import { MDUpdateAction, MsgType } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import { BODY_SEGMENTS_MAX, type MarketDataBody } from './market-data-body.ts';
import type { PublishedState } from './published-state.ts';

const SOH = 1;
const EQUALS = 61;
const ZERO = 48;
const MICROS_A_DAY = 86_400_000_000;

/** Index of a symbol given as bytes; negative when there is none. */
export type SymbolLookup = (buffer: Uint8Array, start: number, end: number) => number;

/**
 * Reads recorded bodies back: applies each to the published state and finds its segments, the inverse of what the publisher writes. In an X each
 * entry begins with MDUpdateAction(279), in a W with MDEntryType(269).
 */
export class BodyReader {
  /** SecurityTradingStatus(326) of the f taken last. */
  tradingStatus = 0;
  readonly #state: PublishedState;
  readonly #lookup: SymbolLookup;
  #index = -1;
  #action = 0;
  #entryType = 0;
  #pricePaise = 0;
  #quantity = 0;
  #orders = 0;
  #position = 0;
  #tradeMicros = 0;

  constructor(state: PublishedState, lookup: SymbolLookup) {
    this.#state = state;
    this.#lookup = lookup;
  }

  /** Takes in `body`, whose bytes, type and time are set, and sets its segments. False when it is not one the publisher wrote. */
  take(body: MarketDataBody): boolean {
    const { buffer, end } = body;
    const incremental = body.msgType === MsgType.MarketDataIncrementalRefresh;
    const entryTag = incremental ? Tag.MDUpdateAction : Tag.MDEntryType;
    body.segmentCount = 0;
    this.#index = -1;
    let entryStart = -1;
    let segmentStart = -1;
    let segmentIndex = -1;
    let entries = 0;
    for (let at = body.start; at < end; ) {
      const fieldStart = at;
      let tag = 0;
      while (at < end && buffer[at] !== EQUALS) tag = tag * 10 + buffer[at++]! - ZERO;
      const start = ++at;
      while (at < end && buffer[at] !== SOH) at++;
      if (at >= end) return false;
      const valueEnd = at++;
      if (tag === entryTag) {
        if (entryStart >= 0 && !this.#apply(body.tsMicros)) return false;
        this.#clearEntry();
        entryStart = fieldStart;
        if (segmentStart < 0) segmentStart = fieldStart;
        entries++;
      }
      if (tag === Tag.Symbol) {
        this.#index = this.#lookup(buffer, start, valueEnd);
        if (this.#index < 0) return false;
        if (incremental && this.#index !== segmentIndex) {
          if (segmentIndex >= 0) {
            if (body.segmentCount === BODY_SEGMENTS_MAX - 1) return false;
            body.addSegment(segmentIndex, segmentStart, entryStart, entries - 1);
          }
          segmentIndex = this.#index;
          segmentStart = entryStart;
          entries = 1;
        } else if (!incremental) {
          segmentIndex = this.#index;
          if (body.msgType === MsgType.MarketDataSnapshotFullRefresh) this.#state.clear(this.#index);
        }
      }
      this.#field(tag, buffer, start, valueEnd);
    }
    if (entryStart >= 0 && !this.#apply(body.tsMicros)) return false;
    if (segmentIndex < 0) return false;
    body.addSegment(segmentIndex, incremental ? segmentStart : body.start, end, entries);
    return true;
  }

  #field(tag: number, buffer: Uint8Array, start: number, end: number): void {
    switch (tag) {
      case Tag.MDUpdateAction:
        this.#action = buffer[start]!;
        return;
      case Tag.MDEntryType:
        this.#entryType = buffer[start]!;
        return;
      case Tag.MDEntryPx:
        this.#pricePaise = readPricePaise(buffer, start, end);
        return;
      case Tag.MDEntrySize:
        this.#quantity = readInt(buffer, start, end);
        return;
      case Tag.NumberOfOrders:
        this.#orders = readInt(buffer, start, end);
        return;
      case Tag.MDEntryPositionNo:
        this.#position = readInt(buffer, start, end);
        return;
      case Tag.MDEntryTime:
        this.#tradeMicros = readUtcTimeOnlyMicros(buffer, start, end);
        return;
      case Tag.SecurityTradingStatus:
        this.tradingStatus = readInt(buffer, start, end);
        return;
      default:
        return;
    }
  }

  #clearEntry(): void {
    this.#action = MDUpdateAction.New;
    this.#pricePaise = 0;
    this.#quantity = 0;
    this.#orders = 0;
    this.#position = 0;
    this.#tradeMicros = 0;
  }

  #apply(tsMicros: number): boolean {
    const index = this.#index;
    if (index < 0 || this.#pricePaise === INVALID_VALUE || this.#quantity === INVALID_VALUE) return false;
    const midnight = Math.floor(tsMicros / MICROS_A_DAY) * MICROS_A_DAY;
    const tradeMicros = midnight + this.#tradeMicros;
    // A time of day later than the record's own is yesterday's.
    const micros = tradeMicros > tsMicros ? tradeMicros - MICROS_A_DAY : tradeMicros;
    this.#state.apply(
      index,
      this.#action,
      this.#entryType,
      this.#pricePaise,
      this.#quantity,
      this.#orders,
      this.#position,
      micros,
    );
    return true;
  }
}
