import { type ContractNote, ContractNoteReader } from '../core/day-roll/contract-note.ts';
import type { OrderSide } from '../core/ledger/order.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf } from './ledger-rows.ts';

/** The contract notes of an account for a trading day: those issued, in their order, and what is not in one yet. */
export function contractNotesOf(reader: LedgerReader, userId: number, tradingDay: string): Promise<ContractNote[]> {
  return reader.snapshot(async (read) => {
    const sides = new Map<number, OrderSide>();
    const fromSeq = await firstSeqOf(read, userId, tradingDay);
    const ofOrders = `SELECT DISTINCT o.order_id, o.side FROM outcry.orders o JOIN outcry.trades t ON t.order_id = o.order_id
      WHERE t.user_id = $1 AND t.seq >= $2`;
    for await (const [orderID, side] of read(ofOrders, [userId, fromSeq]))
      sides.set(orderID as number, side as OrderSide);
    const notes = new ContractNoteReader(userId, (orderID) => sides.get(orderID)!);
    const found: ContractNote[] = [];
    const events = `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events
      WHERE user_id = $1 AND seq >= $2 AND event_type IN (17, 21, 22, 31) ORDER BY seq`;
    for await (const row of read(events, [userId, fromSeq])) {
      const note = notes.take(eventOf(row));
      if (note !== null && note.tradingDay > tradingDay) return found;
      if (note?.tradingDay === tradingDay) found.push(note);
    }
    const pending = notes.pending();
    return pending?.tradingDay === tradingDay ? [...found, pending] : found;
  });
}

/** Behind the last note of a day before. */
async function firstSeqOf(
  read: Parameters<Parameters<LedgerReader['snapshot']>[0]>[0],
  userId: number,
  tradingDay: string,
): Promise<number> {
  const notes = 'SELECT seq, detail FROM outcry.ledger_events WHERE user_id = $1 AND event_type = 31 ORDER BY seq DESC';
  for await (const [seq, detail] of read(notes, [userId])) {
    if ((JSON.parse(detail as string) as { tradingDay: string }).tradingDay < tradingDay) return (seq as number) + 1;
  }
  return 1;
}
