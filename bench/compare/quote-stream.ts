import { Prng } from '../../src/core/exchange/prng.ts';
import { changedFields, ENTRY_MAX_BYTES, EntrySource, writeChange } from '../../src/core/fan-out/quote-encoder.ts';
import { FIELDS_BY_MODE, QUOTE_FIELD_COUNT, QuoteField, QuoteMode } from '../../src/core/fan-out/wire.ts';
import { InstrumentKind } from '../../src/core/market-data/instrument-master.ts';
import type { InstrumentTable } from '../../src/core/market-data/instrument-table.ts';

/** Every other tick changes every other instrument: who watches as many of either class gets the same count at each tick. */
export const CLASS_COUNT = 2;

/** The best level of an instrument after a change, and the change as outcry.v1 has it in mode quote. */
export interface Quote {
  /** Among the instruments of the stream, most popular first. */
  readonly position: number;
  readonly symbol: string;
  readonly bidPaise: number;
  readonly askPaise: number;
  readonly bidQty: number;
  readonly askQty: number;
  readonly entry: Uint8Array;
}

const TICK_PAISE = 5;
/** Prices stay within so many ticks above the close of the day before. */
const PRICE_STEPS = 200;
const SPREAD_STEPS = 4;
const QTY_MAX = 5_000;
const FIELDS = FIELDS_BY_MODE[QuoteMode.Quote]!;

/**
 * The quotes that every server of the comparison is fed: the same for the same seed, entry for entry. A change is of the best level alone, bid or ask
 * always among it, so that no filter holds it back.
 */
export class QuoteStream {
  readonly symbols: readonly string[];
  readonly #table: InstrumentTable;
  /** Index in the master, and so on the wire, by position. */
  readonly #indices: readonly number[];
  readonly #prng: Prng;
  readonly #fields: Float64Array;
  readonly #source = new EntrySource();
  readonly #entry = new Uint8Array(ENTRY_MAX_BYTES);
  #tick = 0;

  /** Of the shares that the table lists. */
  constructor(table: InstrumentTable, seed: number) {
    const indices = Array.from({ length: table.count }, (_, index) => index);
    this.#table = table;
    this.#indices = indices.filter((index) => table.instrument(index).kind === InstrumentKind.Equity);
    this.symbols = this.#indices.map((index) => table.symbol(index));
    this.#prng = new Prng(seed);
    this.#fields = new Float64Array(this.symbols.length * QUOTE_FIELD_COUNT);
    this.#source.fieldsOfMode = FIELDS;
    this.#source.market = this.#fields;
    this.#source.row = new Float64Array(this.symbols.length * FIELDS.length);
    for (let position = 0; position < this.symbols.length; position++) this.#change(position);
  }

  /** Each instrument as it is now: what a server knows before the first tick. */
  now(): Quote[] {
    return this.symbols.map((_, position) => this.#quote(position, new Uint8Array(0)));
  }

  /** Changes every instrument of the class whose turn it is. */
  next(): Quote[] {
    const quotes: Quote[] = [];
    const first = this.#tick++ % CLASS_COUNT;
    for (let position = first; position < this.symbols.length; position += CLASS_COUNT) {
      quotes.push(this.#quote(position, this.#change(position)));
    }
    return quotes;
  }

  #quote(position: number, entry: Uint8Array): Quote {
    const at = position * QUOTE_FIELD_COUNT;
    return {
      position,
      symbol: this.symbols[position]!,
      bidPaise: this.#fields[at + QuoteField.BidPaise]!,
      askPaise: this.#fields[at + QuoteField.AskPaise]!,
      bidQty: this.#fields[at + QuoteField.BidQty]!,
      askQty: this.#fields[at + QuoteField.AskQty]!,
      entry,
    };
  }

  #change(position: number): Uint8Array {
    const fields = this.#fields;
    const source = this.#source;
    const at = position * QUOTE_FIELD_COUNT;
    const index = this.#indices[position]!;
    const closePaise = this.#table.instrument(index).previousClosePaise;
    const bidPaise = closePaise + this.#prng.below(PRICE_STEPS) * TICK_PAISE;
    // The same price again would be no change.
    fields[at + QuoteField.BidPaise] = bidPaise === fields[at + QuoteField.BidPaise] ? bidPaise + TICK_PAISE : bidPaise;
    fields[at + QuoteField.AskPaise] =
      fields[at + QuoteField.BidPaise]! + (1 + this.#prng.below(SPREAD_STEPS)) * TICK_PAISE;
    fields[at + QuoteField.BidQty] = 1 + this.#prng.below(QTY_MAX);
    fields[at + QuoteField.AskQty] = 1 + this.#prng.below(QTY_MAX);
    source.instrumentIndex = index;
    source.marketAt = at;
    source.rowAt = position * FIELDS.length;
    const mask = changedFields(FIELDS, fields, at, source.row, source.rowAt);
    return this.#entry.slice(0, writeChange(this.#entry, 0, source, mask, 0));
  }
}
