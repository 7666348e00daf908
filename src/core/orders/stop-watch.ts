import type { MarketHours } from '../market/calendar.ts';
import type { MarketView } from './market-view.ts';
import type { OrderInput } from './order-input.ts';
import { marketRefusal } from './order-validation.ts';
import type { TriggerBook } from './trigger-book.ts';

/** How often stop orders are held against the last prices. */
const LOOK_MICROS = 250_000;

/**
 * Fires stop orders whose trigger was traded: at once by the trades that it is told of, and soon by the last prices. Those have what was traded while nobody here was
 * told of it: before a start, over a lost feed, more than was kept, before a change of the order was refused in the end.
 */
export class StopWatch {
  readonly #triggers: TriggerBook;
  readonly #market: MarketView;
  readonly #marketHours: MarketHours;
  readonly #offer: (input: OrderInput) => void;
  #lookMicros = Number.NEGATIVE_INFINITY;

  constructor(triggers: TriggerBook, market: MarketView, marketHours: MarketHours, offer: (input: OrderInput) => void) {
    this.#triggers = triggers;
    this.#market = market;
    this.#marketHours = marketHours;
    this.#offer = offer;
  }

  get dueMicros(): number {
    return this.#triggers.count === 0 ? Number.POSITIVE_INFINITY : this.#lookMicros;
  }

  /** Fires what this price has reached, in order. */
  trade(instrumentIndex: number, lastPaise: number, nowMicros: number): void {
    const triggers = this.#triggers;
    for (let stop = triggers.next(instrumentIndex, lastPaise); stop; stop = triggers.next(instrumentIndex, lastPaise))
      this.#offer({ type: 'trigger', orderID: stop.orderID, lastPaise, nowMicros });
  }

  onTimer(nowMicros: number): void {
    if (nowMicros < this.#lookMicros) return;
    this.#lookMicros = nowMicros + LOOK_MICROS;
    const market = this.#market;
    if (marketRefusal(nowMicros, this.#marketHours) !== null || market.isMarketHalted) return;
    for (const instrumentIndex of this.#triggers.instrumentIndexes) {
      if (market.isStale(instrumentIndex) || market.isHalted(instrumentIndex)) continue;
      const lastPaise = market.lastPaise(instrumentIndex);
      if (lastPaise > 0) this.trade(instrumentIndex, lastPaise, nowMicros);
    }
  }
}
