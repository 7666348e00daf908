// hot: `take` looks at every trade of the market.
import type { OrderService } from '../core/orders/order-service.ts';
import { BroadcastRingReader } from '../core/shm/broadcast-ring.ts';
import {
  TRADE_RECORD_INSTRUMENT_INDEX,
  TRADE_RECORD_PRICE_PAISE,
  TRADE_RECORD_STRIDE_WORDS,
} from '../core/shm/generated/broadcast-ring.gen.ts';
import { ORDER_STATS_TRADES_IN, ORDER_STATS_TRADES_LOST } from '../core/shm/generated/worker-stats.gen.ts';
import type { Log } from '../net/log.ts';

/** Tells the order service of the market's trades, which fire stop orders. */
export class TradeWatch {
  readonly #trades: BroadcastRingReader;
  readonly #stats: Float64Array;
  readonly #log: Log;

  constructor(ring: SharedArrayBuffer, stats: Float64Array, log: Log) {
    this.#trades = new BroadcastRingReader(ring, TRADE_RECORD_STRIDE_WORDS);
    this.#stats = stats;
    this.#log = log;
  }

  /** What has been traded since the last call. */
  take(service: OrderService, micros: number): void {
    const trades = this.#trades;
    const { record } = trades;
    const lostBefore = trades.lostCount;
    let count = 0;
    while (trades.poll()) {
      count++;
      const index = record[TRADE_RECORD_INSTRUMENT_INDEX] as number;
      service.trade(index, record[TRADE_RECORD_PRICE_PAISE] as number, micros);
    }
    // What they came to stands on the board, which stop orders are held against all the same.
    if (trades.lostCount > lostBefore)
      this.#log('warn', 'trades were lapped before stop orders saw them', { lost: trades.lostCount });
    this.#stats[ORDER_STATS_TRADES_IN >> 1]! += count;
    this.#stats[ORDER_STATS_TRADES_LOST >> 1] = trades.lostCount;
  }
}
