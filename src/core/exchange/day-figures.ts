// hot: per trade.

/** What an exchange keeps of each instrument's trading day, by dense index: prices in integer paise, quantities in shares. 0 before the first trade. */
export class DayFigures {
  readonly previousClosePaise: Int32Array;
  readonly lastPaise: Int32Array;
  readonly lastQty: Int32Array;
  readonly openPaise: Int32Array;
  readonly highPaise: Int32Array;
  readonly lowPaise: Int32Array;
  readonly volume: Float64Array;
  readonly turnoverPaise: Float64Array;
  readonly tradeCount: Int32Array;
  readonly lastTradeMicros: Float64Array;

  constructor(capacity: number) {
    this.previousClosePaise = new Int32Array(capacity);
    this.lastPaise = new Int32Array(capacity);
    this.lastQty = new Int32Array(capacity);
    this.openPaise = new Int32Array(capacity);
    this.highPaise = new Int32Array(capacity);
    this.lowPaise = new Int32Array(capacity);
    this.volume = new Float64Array(capacity);
    this.turnoverPaise = new Float64Array(capacity);
    this.tradeCount = new Int32Array(capacity);
    this.lastTradeMicros = new Float64Array(capacity);
  }

  begin(index: number, previousClosePaise: number): void {
    this.previousClosePaise[index] = previousClosePaise;
    this.lastPaise[index] = 0;
    this.lastQty[index] = 0;
    this.openPaise[index] = 0;
    this.highPaise[index] = 0;
    this.lowPaise[index] = 0;
    this.volume[index] = 0;
    this.turnoverPaise[index] = 0;
    this.tradeCount[index] = 0;
    this.lastTradeMicros[index] = 0;
  }

  trade(index: number, pricePaise: number, quantity: number, tsMicros: number): void {
    this.#price(index, pricePaise, tsMicros);
    this.lastQty[index] = quantity;
    this.volume[index] = this.volume[index]! + quantity;
    this.turnoverPaise[index] = this.turnoverPaise[index]! + pricePaise * quantity;
  }

  /** A new value of an index, which has prices but no shares. */
  indexValue(index: number, valuePaise: number, tsMicros: number): void {
    this.#price(index, valuePaise, tsMicros);
  }

  /** The close that the next day starts from: the last price, or the previous close when nothing traded. */
  closePaise(index: number): number {
    const last = this.lastPaise[index]!;
    return last === 0 ? this.previousClosePaise[index]! : last;
  }

  /** Volume-weighted average price, rounded to the paisa; 0 before the first trade. */
  averagePaise(index: number): number {
    const volume = this.volume[index]!;
    return volume === 0 ? 0 : Math.round(this.turnoverPaise[index]! / volume);
  }

  #price(index: number, pricePaise: number, tsMicros: number): void {
    if (this.openPaise[index] === 0) {
      this.openPaise[index] = pricePaise;
      this.lowPaise[index] = pricePaise;
    }
    if (pricePaise > this.highPaise[index]!) this.highPaise[index] = pricePaise;
    if (pricePaise < this.lowPaise[index]!) this.lowPaise[index] = pricePaise;
    this.lastPaise[index] = pricePaise;
    this.tradeCount[index] = this.tradeCount[index]! + 1;
    this.lastTradeMicros[index] = tsMicros;
  }
}
