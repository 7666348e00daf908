import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf } from './ledger-rows.ts';
import type { ClientLedger } from './order-acceptor.ts';

/** The ledger as the acceptor of FIX clients reads it. */
export class PostgresClientLedger implements ClientLedger {
  readonly #reader: LedgerReader;

  constructor(reader: LedgerReader) {
    this.#reader = reader;
  }

  eventsAfter(userId: number, seq: number, limit: number): Promise<readonly LedgerEvent[]> {
    return this.#reader.eventsAfter(userId, seq, limit);
  }

  async newestSeq(userId: number): Promise<number> {
    return (await this.#reader.funds(userId))?.seq ?? 0;
  }

  /** From the placing of the oldest order on that is open now, or was changed since: what was open at `seq` is one or the other. */
  eventsOfOpenOrders(userId: number, seq: number, visit: (event: LedgerEvent) => void): Promise<void> {
    return this.#reader.snapshot(async (read) => {
      const oldest = `SELECT coalesce(min(placed_micros), 0) FROM outcry.orders WHERE user_id = $1 AND (status < 5 OR updated_micros >=
        (SELECT coalesce(max(ts_micros), 0) FROM outcry.ledger_events WHERE user_id = $1 AND seq = $2))`;
      let fromMicros = 0;
      for await (const [micros] of read(oldest, [userId, seq])) fromMicros = micros as number;
      if (fromMicros === 0) return;
      const events = `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events
        WHERE user_id = $1 AND seq <= $2 AND order_id <> 0 AND ts_micros >= $3 ORDER BY seq`;
      for await (const row of read(events, [userId, seq, fromMicros])) visit(eventOf(row));
    });
  }
}
