import type { SnapshotRead } from './ledger-load.ts';

/** What a check in SQL found: rows that should not be there, as text. */
export interface AuditFinding {
  readonly check: string;
  readonly row: string;
}

const ROWS_TOLD = 20;

/**
 * Sums over the events and tables in plain SQL, which share nothing with the code that wrote them. Each query gives the rows that are wrong: a user and
 * two figures that should be one.
 */
const CHECKS: Readonly<Record<string, string>> = {
  'events of an account follow each other from 1 to its last': `
    SELECT coalesce(e.user_id, a.user_id), e.events, e.first, e.last, a.last_seq
    FROM (SELECT user_id, count(*) AS events, min(seq) AS first, max(seq) AS last FROM outcry.ledger_events GROUP BY user_id) e
    FULL JOIN outcry.accounts a USING (user_id)
    WHERE e.first IS DISTINCT FROM 1 OR e.last IS DISTINCT FROM e.events OR e.last IS DISTINCT FROM a.last_seq`,
  'postings of an event sum to zero': `
    SELECT e.user_id, e.seq, p.sum FROM outcry.ledger_events e CROSS JOIN LATERAL (SELECT sum(paise) AS sum FROM (VALUES (available_paise),
      (held_paise), (margin_paise), (bank_paise), (exchange_paise), (brokerage_paise), (stt_paise), (exchange_fees_paise), (sebi_fees_paise),
      (stamp_duty_paise), (gst_paise), (depository_fees_paise)) AS posted (paise)) AS p
    WHERE p.sum <> 0`,
  'an account has what was posted to it': `
    SELECT a.user_id, a.available_paise, p.available, a.held_paise, p.held, a.margin_paise, p.margin
    FROM outcry.accounts a LEFT JOIN (
      SELECT user_id, sum(available_paise) AS available, sum(held_paise) AS held, sum(margin_paise) AS margin
      FROM outcry.ledger_events GROUP BY user_id
    ) p USING (user_id)
    WHERE a.available_paise <> coalesce(p.available, 0) OR a.held_paise <> coalesce(p.held, 0) OR a.margin_paise <> coalesce(p.margin, 0)`,
  'what is held is what open orders hold': `
    SELECT user_id, a.held_paise, coalesce(o.held, 0) FROM outcry.accounts a
    LEFT JOIN (SELECT user_id, sum(hold_paise) AS held FROM outcry.orders GROUP BY user_id) o USING (user_id)
    WHERE a.held_paise <> coalesce(o.held, 0)`,
  'an order that has ended holds nothing': `
    SELECT user_id, order_id, status, hold_paise FROM outcry.orders WHERE status >= 5 AND (hold_paise <> 0 OR exposure_qty <> 0)`,
  'an open order is looked for where it is': `
    SELECT user_id, order_id, status FROM outcry.orders WHERE status < 5 AND order_id < (SELECT min(open_from) FROM outcry.shard_owners)`,
  'margin is that of the positions': `
    SELECT user_id, a.margin_paise, coalesce(p.margin, 0) FROM outcry.accounts a
    LEFT JOIN (SELECT user_id, sum(margin_paise) AS margin FROM outcry.positions GROUP BY user_id) p USING (user_id)
    WHERE a.margin_paise <> coalesce(p.margin, 0)`,
  'an order was placed by one event': `
    SELECT coalesce(o.user_id, e.user_id), coalesce(o.order_id, e.order_id), e.events
    FROM outcry.orders o FULL JOIN (
      SELECT user_id, order_id, count(*) AS events FROM outcry.ledger_events WHERE event_type = 10 GROUP BY user_id, order_id
    ) e USING (user_id, order_id)
    WHERE e.events IS DISTINCT FROM 1 OR o.order_id IS NULL`,
  'what an order executed is the sum of its trades': `
    SELECT o.user_id, o.order_id, o.cum_qty, t.qty, o.cum_value_paise, t.value FROM outcry.orders o
    LEFT JOIN (
      SELECT order_id, abs(sum(quantity)) AS qty, abs(sum(quantity * price_paise)) AS value, sign(sum(quantity)) AS sign
      FROM outcry.trades GROUP BY order_id
    ) t USING (order_id)
    WHERE o.cum_qty <> coalesce(t.qty, 0) OR o.cum_value_paise <> coalesce(t.value, 0)
      OR t.sign NOT IN (0, CASE o.side WHEN 1 THEN 1 ELSE -1 END)`,
  'positions and holdings are the sum of the trades': `
    WITH traded AS (
      SELECT t.user_id, t.instrument_id, o.product, sum(t.quantity) AS quantity, sum(t.quantity * t.price_paise) AS value
      FROM outcry.trades t JOIN outcry.orders o USING (order_id) GROUP BY 1, 2, 3
    ), kept AS (
      SELECT p.user_id, p.instrument_id, p.product, p.quantity + coalesce(h.quantity, 0) AS quantity,
        p.open_value_paise + coalesce(h.value_paise, 0) - p.realised_paise AS value
      FROM outcry.positions p
      LEFT JOIN outcry.holdings h ON h.user_id = p.user_id AND h.instrument_id = p.instrument_id AND p.product = 1
    )
    SELECT user_id, instrument_id, product, t.quantity, k.quantity, t.value, k.value
    FROM traded t FULL JOIN kept k USING (user_id, instrument_id, product)
    WHERE coalesce(t.quantity, 0) <> coalesce(k.quantity, 0) OR coalesce(t.value, 0) <> coalesce(k.value, 0)`,
  'the clearing house was paid for delivery, and for what was realised on margin': `
    WITH posted AS (
      SELECT user_id, product = 1 AS delivery, sum(exchange_paise) AS paise FROM outcry.ledger_events
      WHERE exchange_paise IS NOT NULL GROUP BY 1, 2
    ), due AS (
      SELECT t.user_id, true AS delivery, sum(t.quantity * t.price_paise) AS paise
      FROM outcry.trades t JOIN outcry.orders o USING (order_id) WHERE o.product = 1 GROUP BY 1
      UNION ALL
      SELECT user_id, false, -sum(realised_paise) FROM outcry.positions WHERE product <> 1 GROUP BY 1
    )
    SELECT user_id, delivery, p.paise, d.paise FROM posted p FULL JOIN due d USING (user_id, delivery)
    WHERE coalesce(p.paise, 0) <> coalesce(d.paise, 0)`,
  'every execution of the events is a trade, and the other way round': `
    WITH executed AS (
      SELECT user_id, seq, order_id, event_type, detail::json AS d FROM outcry.ledger_events WHERE event_type IN (17, 21, 22)
    ), wanted AS (
      SELECT user_id, seq, order_id, d ->> 'execID' AS exec_id, '' AS exec_ref_id, (d ->> 'lastQty')::bigint AS quantity,
        (d ->> 'lastPxPaise')::bigint AS price
      FROM executed WHERE event_type IN (17, 22)
      UNION ALL
      SELECT user_id, seq, order_id, d ->> 'execID', d ->> 'execRefID', (d -> 'undone' ->> 'lastQty')::bigint,
        (d -> 'undone' ->> 'lastPxPaise')::bigint
      FROM executed WHERE event_type IN (21, 22)
    )
    SELECT user_id, seq, exec_id, w.quantity, t.quantity, w.price, t.price_paise
    FROM wanted w FULL JOIN outcry.trades t USING (user_id, seq, order_id, exec_id, exec_ref_id)
    WHERE w.quantity IS DISTINCT FROM abs(t.quantity) OR w.price IS DISTINCT FROM t.price_paise`,
  'trades were charged what was posted for them': `
    SELECT user_id, p.charges, t.charges FROM (
      SELECT user_id, sum(coalesce(brokerage_paise, 0) + coalesce(stt_paise, 0) + coalesce(exchange_fees_paise, 0)
        + coalesce(sebi_fees_paise, 0) + coalesce(stamp_duty_paise, 0) + coalesce(gst_paise, 0) + coalesce(depository_fees_paise, 0)) AS charges
      FROM outcry.ledger_events WHERE event_type IN (17, 21, 22) GROUP BY 1
    ) p FULL JOIN (SELECT user_id, sum(charges_paise) AS charges FROM outcry.trades GROUP BY 1) t USING (user_id)
    WHERE coalesce(p.charges, 0) <> coalesce(t.charges, 0)`,
};

/** Runs every check, in the snapshot that `read` reads. */
export async function auditLedger(read: SnapshotRead): Promise<AuditFinding[]> {
  const found: AuditFinding[] = [];
  for (const [check, sql] of Object.entries(CHECKS)) {
    for await (const row of read(`${sql} LIMIT ${ROWS_TOLD}`)) found.push({ check, row: row.join(' ') });
  }
  return found;
}
