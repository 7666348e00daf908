import type { Client } from 'pg';
import type { LedgerEvent } from '../src/core/ledger/ledger-event.ts';
import { EventType } from '../src/core/ledger/ledger-event.ts';
import { clientConfig, connectLedger, type LedgerConnection, type LedgerTarget } from '../src/net/ledger-target.ts';

/** What a broker does who trusts the database alone: one function call an order, each its own transaction, into the same tables. */
const FUNCTION = `
CREATE OR REPLACE FUNCTION outcry.bench_place(
  p_user_id bigint, p_ts_micros bigint, p_order_id bigint, p_instrument_id bigint, p_product smallint, p_side smallint, p_validity smallint,
  p_ord_type smallint, p_quantity bigint, p_price_paise bigint, p_hold_paise bigint, p_exposure_qty bigint, p_client_order_id text, p_detail text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_seq bigint;
BEGIN
  UPDATE outcry.accounts SET last_seq = last_seq + 1, available_paise = available_paise - p_hold_paise, held_paise = held_paise + p_hold_paise
  WHERE user_id = p_user_id AND available_paise >= p_hold_paise RETURNING last_seq INTO v_seq;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'not covered';
  END IF;
  INSERT INTO outcry.ledger_events (user_id, seq, ts_micros, order_id, instrument_id, event_type, product, available_paise, held_paise, detail)
  VALUES (p_user_id, v_seq, p_ts_micros, p_order_id, p_instrument_id, ${EventType.OrderPlaced}, p_product, -p_hold_paise, p_hold_paise, p_detail);
  INSERT INTO outcry.orders (order_id, user_id, instrument_id, side, product, validity, status, ord_type, quantity, price_paise,
    trigger_price_paise, version, venue_version, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise,
    refusal_code, placed_micros, updated_micros, client_order_id, venue_order_id, text, pending_changes)
  VALUES (p_order_id, p_user_id, p_instrument_id, p_side, p_product, p_validity, 1, p_ord_type, p_quantity, p_price_paise,
    0, 0, 0, 0, 0, p_exposure_qty, p_price_paise, p_hold_paise, 0, 0, p_ts_micros, p_ts_micros, p_client_order_id, '', '', '[]');
  RETURN v_seq;
END $$`;

const PARAMETERS = 14;
const CALL = {
  name: 'bench-place',
  text: `SELECT outcry.bench_place(${Array.from({ length: PARAMETERS }, (_, i) => `$${i + 1}`).join(', ')})`,
} as const;

/** Connections with the function prepared. */
export class OneCallAnOrder {
  readonly #connections: LedgerConnection[];

  private constructor(connections: LedgerConnection[]) {
    this.#connections = connections;
  }

  static async open(target: LedgerTarget, connections: number): Promise<OneCallAnOrder> {
    const opened = Array.from({ length: connections }, () => connectLedger(clientConfig(target, 'owner')));
    const all = await Promise.all(opened);
    await all[0]!.client.query(FUNCTION);
    return new OneCallAnOrder(all);
  }

  get clients(): readonly Client[] {
    return this.#connections.map(({ client }) => client);
  }

  async place(client: Client, event: LedgerEvent): Promise<void> {
    const { detail, userId, tsMicros, orderID, instrumentId, product } = event;
    if (detail.type !== EventType.OrderPlaced) throw new Error('a placement');
    const { side, validity, terms, holdPaise, exposureQty, clientOrderID } = detail;
    const { ordType, quantity, pricePaise } = terms;
    const order = [userId, tsMicros, orderID, instrumentId, product, side, validity, ordType, quantity, pricePaise];
    await client.query({ ...CALL, values: [...order, holdPaise, exposureQty, clientOrderID, JSON.stringify(detail)] });
  }

  close(): Promise<unknown> {
    return Promise.all(this.#connections.map(({ client }) => client.end()));
  }
}
