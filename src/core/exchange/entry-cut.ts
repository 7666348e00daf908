// hot: per message and session that sees a part of it. Positions in preallocated arrays; nothing is allocated.
import { type FixEncoder, MESSAGE_BYTES_MAX } from '../fix/fix-encoder.ts';
import { readInt } from '../fix/fix-values.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import { MarketDataBody } from './market-data-body.ts';
import { type MarketDataView, sees } from './market-data-view.ts';

const SOH = 1;
const EQUALS = 61;
const ZERO = 48;
/** A range is an entry that is kept, and one that is not is between two of them: at least `269=0` and SOH each. */
const RANGES_MAX = Math.ceil(MESSAGE_BYTES_MAX / 12);

/**
 * A part of one W or X, entries of it as they were encoded. Order of use: `begin`, then `keepAll` or `keepSeen` for each segment wanted, in
 * their order, then `write`. An entry begins with MDUpdateAction(279) in an X, with MDEntryType(269) in a W.
 */
export class EntryCut {
  /** Entries kept so far. */
  entryCount = 0;
  readonly #starts = new Int32Array(RANGES_MAX);
  readonly #ends = new Int32Array(RANGES_MAX);
  #rangeCount = 0;
  #body = new MarketDataBody();
  /** Where the fields before NoMDEntries(268) end: Symbol(55) in a W, none in an X. */
  #headEnd = 0;

  begin(body: MarketDataBody): void {
    this.#body = body;
    this.#headEnd = body.start;
    this.#rangeCount = 0;
    this.entryCount = 0;
  }

  /** Keeps a whole segment of an X. */
  keepAll(segment: number): void {
    const body = this.#body;
    this.#keep(body.segmentStarts[segment]!, body.segmentEnds[segment]!, body.segmentEntryCounts[segment]!);
  }

  /** Keeps the entries of a segment that are in view. */
  keepSeen(segment: number, view: MarketDataView): void {
    const body = this.#body;
    const { buffer } = body;
    const end = body.segmentEnds[segment]!;
    const entryTag = body.msgType === MsgType.MarketDataIncrementalRefresh ? Tag.MDUpdateAction : Tag.MDEntryType;
    let entryStart = -1;
    let entryType = 0;
    let level = 0;
    for (let at = body.segmentStarts[segment]!; at < end; ) {
      const fieldStart = at;
      let tag = 0;
      while (at < end && buffer[at] !== EQUALS) tag = tag * 10 + buffer[at++]! - ZERO;
      const valueStart = ++at;
      while (at < end && buffer[at] !== SOH) at++;
      const valueEnd = at++;
      if (tag === entryTag) {
        if (entryStart >= 0 && sees(view, entryType, level)) this.#keep(entryStart, fieldStart, 1);
        entryStart = fieldStart;
        entryType = 0;
        level = 0;
      }
      if (tag === Tag.MDEntryType) entryType = buffer[valueStart]!;
      else if (tag === Tag.MDEntryPositionNo) level = readInt(buffer, valueStart, valueEnd);
      else if (tag === Tag.NoMDEntries) this.#headEnd = fieldStart;
    }
    if (entryStart >= 0 && sees(view, entryType, level)) this.#keep(entryStart, end, 1);
  }

  /** Writes the fields before the entries, their number, and what was kept. */
  write(encoder: FixEncoder): void {
    const { buffer, start } = this.#body;
    encoder.fields(buffer, start, this.#headEnd);
    encoder.int(Tag.NoMDEntries, this.entryCount);
    for (let range = 0; range < this.#rangeCount; range++)
      encoder.fields(buffer, this.#starts[range]!, this.#ends[range]!);
  }

  #keep(start: number, end: number, entryCount: number): void {
    this.entryCount += entryCount;
    const last = this.#rangeCount - 1;
    if (last >= 0 && this.#ends[last] === start) {
      this.#ends[last] = end;
      return;
    }
    this.#starts[this.#rangeCount] = start;
    this.#ends[this.#rangeCount] = end;
    this.#rangeCount++;
  }
}
