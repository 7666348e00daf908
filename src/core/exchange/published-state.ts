// hot: per published update. Typed arrays by dense instrument index.
import { MDEntryType, MDUpdateAction } from '../fix/generated/fix-enums.gen.ts';
import { MARKET_DEPTH, type MarketDataWriter } from '../fix/market-data-messages.ts';

/** Price levels an instrument has here: five bids, then five offers. */
export const LEVELS_EACH = MARKET_DEPTH * 2;

/**
 * What a subscriber knows after everything published so far, by instrument. A W is written from it, so a snapshot never runs ahead of the X that
 * follow it. Prices are paise and 0 when there is none.
 */
export class PublishedState {
  readonly levelPaise: Int32Array;
  readonly levelQty: Float64Array;
  readonly levelOrders: Int32Array;
  readonly lastPaise: Int32Array;
  readonly lastQty: Int32Array;
  readonly lastMicros: Float64Array;
  readonly indexPaise: Int32Array;
  readonly openPaise: Int32Array;
  readonly highPaise: Int32Array;
  readonly lowPaise: Int32Array;
  readonly previousClosePaise: Int32Array;
  readonly averagePaise: Int32Array;
  readonly volume: Float64Array;

  constructor(capacity: number) {
    this.levelPaise = new Int32Array(capacity * LEVELS_EACH);
    this.levelQty = new Float64Array(capacity * LEVELS_EACH);
    this.levelOrders = new Int32Array(capacity * LEVELS_EACH);
    this.lastPaise = new Int32Array(capacity);
    this.lastQty = new Int32Array(capacity);
    this.lastMicros = new Float64Array(capacity);
    this.indexPaise = new Int32Array(capacity);
    this.openPaise = new Int32Array(capacity);
    this.highPaise = new Int32Array(capacity);
    this.lowPaise = new Int32Array(capacity);
    this.previousClosePaise = new Int32Array(capacity);
    this.averagePaise = new Int32Array(capacity);
    this.volume = new Float64Array(capacity);
  }

  clear(index: number): void {
    for (let row = index * LEVELS_EACH; row < (index + 1) * LEVELS_EACH; row++) this.setLevel(row, 0, 0, 0);
    this.lastPaise[index] = 0;
    this.lastQty[index] = 0;
    this.lastMicros[index] = 0;
    this.indexPaise[index] = 0;
    this.openPaise[index] = 0;
    this.highPaise[index] = 0;
    this.lowPaise[index] = 0;
    this.previousClosePaise[index] = 0;
    this.averagePaise[index] = 0;
    this.volume[index] = 0;
  }

  setLevel(row: number, pricePaise: number, quantity: number, orders: number): void {
    this.levelPaise[row] = pricePaise;
    this.levelQty[row] = quantity;
    this.levelOrders[row] = orders;
  }

  /** Takes in one entry of a W or X; `position` is MDEntryPositionNo(290), `tsMicros` the time of a trade. */
  apply(
    index: number,
    action: number,
    entryType: number,
    pricePaise: number,
    quantity: number,
    orders: number,
    position: number,
    tsMicros: number,
  ): void {
    switch (entryType) {
      case MDEntryType.Bid:
      case MDEntryType.Offer: {
        if (position < 1 || position > MARKET_DEPTH) return;
        const row = index * LEVELS_EACH + (entryType === MDEntryType.Offer ? MARKET_DEPTH : 0) + position - 1;
        if (action === MDUpdateAction.Delete) this.setLevel(row, 0, 0, 0);
        else this.setLevel(row, pricePaise, quantity, orders);
        return;
      }
      case MDEntryType.Trade:
        this.lastPaise[index] = pricePaise;
        this.lastQty[index] = quantity;
        this.lastMicros[index] = tsMicros;
        return;
      case MDEntryType.IndexValue:
        this.indexPaise[index] = pricePaise;
        return;
      case MDEntryType.OpeningPrice:
        this.openPaise[index] = pricePaise;
        return;
      case MDEntryType.ClosingPrice:
        this.previousClosePaise[index] = pricePaise;
        return;
      case MDEntryType.TradingSessionHighPrice:
        this.highPaise[index] = pricePaise;
        return;
      case MDEntryType.TradingSessionLowPrice:
        this.lowPaise[index] = pricePaise;
        return;
      case MDEntryType.TradingSessionVwapPrice:
        this.averagePaise[index] = pricePaise;
        return;
      case MDEntryType.TradeVolume:
        this.volume[index] = quantity;
        return;
      default:
        return;
    }
  }

  /** The entries of a W, everything that is known of the instrument. */
  writeEntries(writer: MarketDataWriter, index: number): void {
    const first = index * LEVELS_EACH;
    for (let row = first; row < first + LEVELS_EACH; row++) {
      const quantity = this.levelQty[row]!;
      if (quantity === 0) continue;
      const isOffer = row >= first + MARKET_DEPTH;
      const level = row - first + 1 - (isOffer ? MARKET_DEPTH : 0);
      writer.level(
        isOffer ? MDEntryType.Offer : MDEntryType.Bid,
        level,
        this.levelPaise[row]!,
        quantity,
        this.levelOrders[row]!,
      );
    }
    if (this.lastPaise[index] !== 0)
      writer.trade(this.lastPaise[index]!, this.lastQty[index]!, this.lastMicros[index]!);
    writePrice(writer, MDEntryType.IndexValue, this.indexPaise[index]!);
    writePrice(writer, MDEntryType.OpeningPrice, this.openPaise[index]!);
    writePrice(writer, MDEntryType.ClosingPrice, this.previousClosePaise[index]!);
    writePrice(writer, MDEntryType.TradingSessionHighPrice, this.highPaise[index]!);
    writePrice(writer, MDEntryType.TradingSessionLowPrice, this.lowPaise[index]!);
    writePrice(writer, MDEntryType.TradingSessionVwapPrice, this.averagePaise[index]!);
    if (this.volume[index] !== 0) writer.quantity(MDEntryType.TradeVolume, this.volume[index]!);
  }
}

function writePrice(writer: MarketDataWriter, entryType: MDEntryType, pricePaise: number): void {
  if (pricePaise !== 0) writer.price(entryType, pricePaise);
}
