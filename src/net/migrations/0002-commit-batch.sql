-- What the engine may do. SQLSTATEs of our own: OC001 stale owner, OC002 sequence, OC003 balance, OC004 not covered, OC005 order, OC006 session,
-- OC007 batch id.

-- A new owner: what the one before has under way is waited for, and what it sends later is refused.
CREATE FUNCTION claim_shard(p_shard smallint, OUT epoch bigint, OUT last_batch_id bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
  INSERT INTO shard_owners AS o (shard, epoch) VALUES (p_shard, 1)
  ON CONFLICT (shard) DO UPDATE SET epoch = o.epoch + 1, session = 0
  RETURNING o.epoch, o.last_batch_id;
$$;

-- A new connection of the owner, with the same effect on the one before: after it, batch_answer tells what will be true for ever.
CREATE FUNCTION open_session(p_shard smallint, p_epoch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
DECLARE
  v_session bigint;
BEGIN
  UPDATE shard_owners SET session = session + 1 WHERE shard = p_shard AND epoch = p_epoch RETURNING session INTO v_session;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'epoch % no longer owns shard %', p_epoch, p_shard USING ERRCODE = 'OC001';
  END IF;
  RETURN v_session;
END $$;

-- Of the last batch that was sent: asked before another one is.
CREATE FUNCTION batch_answer(p_shard smallint, p_batch_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
DECLARE
  v_last bigint;
BEGIN
  SELECT last_batch_id INTO v_last FROM shard_owners WHERE shard = p_shard;
  IF v_last > p_batch_id THEN
    RAISE EXCEPTION 'batch % is asked for after batch %', p_batch_id, v_last USING ERRCODE = 'OC007';
  END IF;
  RETURN coalesce(v_last = p_batch_id, false);
END $$;

-- sum(bigint) makes a numeric.
CREATE AGGREGATE sum_paise(bigint) (SFUNC = int8pl, STYPE = bigint);

-- How rows come: the whole numbers of a table's rows one after another in one array, its texts in another. An array a table is read faster than one a column
-- by some tenths of a whole batch. `i` and `j` are where a row begins in them; both count from 0, and arrays from 1.

-- 7 numbers and a text: user, sequence of the first and the last event, cash, margin used, total value, 1 if it must be covered; reason of a freeze.
CREATE FUNCTION update_accounts(a bigint[], a_text text[], a_new integer, e bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  IF a_new > 0 THEN
    INSERT INTO accounts
    SELECT a[i + 1], 0, 0, 0, 0, 0, '' FROM generate_series(0, cardinality(a) - 1, 7) AS i WHERE a[i + 2] = 1
    ON CONFLICT (user_id) DO NOTHING;
  END IF;
  UPDATE accounts AS t SET
    last_seq = m.last_seq,
    available_paise = t.available_paise + m.available,
    held_paise = t.held_paise + m.held,
    margin_paise = t.margin_paise + m.margin,
    total_value_paise = a[m.at + 5],
    frozen_reason = a_text[m.at / 7 + 1]
  FROM (
    -- What the events did to each account by their postings.
    SELECT e[i + 1]::integer AS at, min(e[i + 2]) AS first_seq, max(e[i + 2]) AS last_seq, count(*) AS events,
      coalesce(sum_paise(e[i + 6]), 0) AS available, coalesce(sum_paise(e[i + 7]), 0) AS held, coalesce(sum_paise(e[i + 8]), 0) AS margin
    FROM generate_series(0, cardinality(e) - 1, 19) AS i
    GROUP BY 1
  ) AS m
  WHERE t.user_id = a[m.at] AND m.at % 7 = 1
    AND m.first_seq = a[m.at + 1] AND m.last_seq = a[m.at + 2] AND m.events = m.last_seq - m.first_seq + 1
    AND t.last_seq = m.first_seq - 1
    AND t.available_paise + t.held_paise + t.margin_paise + m.available + m.held + m.margin = a[m.at + 3]
    AND t.held_paise + t.margin_paise + m.held + m.margin = a[m.at + 4]
    AND (t.available_paise + m.available >= 0 OR a[m.at + 6] = 0);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows * 7 <> cardinality(a) THEN
    PERFORM refuse_account(a);
  END IF;
END $$;

-- Says why an account was not as the batch has it.
CREATE FUNCTION refuse_account(a bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_at integer;
  v_account accounts;
BEGIN
  SELECT i INTO v_at FROM generate_series(1, cardinality(a), 7) AS i LEFT JOIN accounts AS t ON t.user_id = a[i]
  WHERE (t.last_seq, t.available_paise + t.held_paise + t.margin_paise, t.held_paise + t.margin_paise) IS DISTINCT FROM (a[i + 2], a[i + 3], a[i + 4])
  ORDER BY i LIMIT 1;
  IF v_at IS NULL THEN
    RAISE EXCEPTION 'an account is there twice, or without events' USING ERRCODE = 'OC003', CONSTRAINT = 'account_balance';
  END IF;
  SELECT * INTO v_account FROM accounts WHERE user_id = a[v_at];
  IF NOT FOUND OR v_account.last_seq <> a[v_at + 1] - 1 THEN
    RAISE EXCEPTION 'account % is at event %, the batch goes on from %', a[v_at], v_account.last_seq, a[v_at + 1] - 1
      USING ERRCODE = 'OC002', CONSTRAINT = 'account_sequence';
  END IF;
  IF a[v_at + 6] = 1 AND a[v_at + 3] < a[v_at + 4] THEN
    RAISE EXCEPTION 'account % would be short of % paise', a[v_at], a[v_at + 4] - a[v_at + 3]
      USING ERRCODE = 'OC004', CONSTRAINT = 'account_covered';
  END IF;
  RAISE EXCEPTION 'account %: its events % to % and their postings do not make cash % and margin used %',
    a[v_at], a[v_at + 1], a[v_at + 2], a[v_at + 3], a[v_at + 4]
    USING ERRCODE = 'OC003', CONSTRAINT = 'account_balance';
END $$;

-- Numbers: where in `a` the user stands, then as the columns are, then type and product; texts: reference, detail.
CREATE FUNCTION insert_events(e bigint[], e_text text[], a bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_events
  SELECT a[e[i + 1]], e[i + 2], e[i + 3], e[i + 4], e[i + 5], e[i + 6], e[i + 7], e[i + 8], e[i + 9], e[i + 10], e[i + 11], e[i + 12],
    e[i + 13], e[i + 14], e[i + 15], e[i + 16], e[i + 17], e[i + 18], e[i + 19], e_text[j + 1], e_text[j + 2]
  FROM generate_series(0, cardinality(e) / 19 - 1) AS r CROSS JOIN LATERAL (VALUES (r * 19, r * 2)) AS row (i, j);
END $$;

-- 22 numbers and 4 texts, as the columns are.
CREATE FUNCTION insert_orders(o bigint[], o_text text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO orders (
    order_id, user_id, instrument_id, quantity, price_paise, trigger_price_paise, cum_qty, cum_value_paise, exposure_qty, hold_price_paise,
    hold_paise, brokerage_paise, placed_micros, updated_micros, version, venue_version, refusal_code, side, product, validity, status, ord_type,
    client_order_id, venue_order_id, text, pending_changes
  )
  SELECT o[i + 1], o[i + 2], o[i + 3], o[i + 4], o[i + 5], o[i + 6], o[i + 7], o[i + 8], o[i + 9], o[i + 10], o[i + 11], o[i + 12], o[i + 13],
    o[i + 14], o[i + 15], o[i + 16], o[i + 17], o[i + 18], o[i + 19], o[i + 20], o[i + 21], o[i + 22],
    o_text[j + 1], o_text[j + 2], o_text[j + 3], o_text[j + 4]
  FROM generate_series(0, cardinality(o) / 22 - 1) AS r CROSS JOIN LATERAL (VALUES (r * 22, r * 4)) AS row (i, j);
END $$;

-- 18 numbers: order, user, status, type of order, then as they are set; texts: the venue's id, text, pending changes.
CREATE FUNCTION update_orders(c bigint[], c_text text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  UPDATE orders AS o SET
    status = c[i + 3], ord_type = c[i + 4], quantity = c[i + 5], price_paise = c[i + 6], trigger_price_paise = c[i + 7], version = c[i + 8],
    venue_version = c[i + 9], cum_qty = c[i + 10], cum_value_paise = c[i + 11], exposure_qty = c[i + 12], hold_price_paise = c[i + 13],
    hold_paise = c[i + 14], brokerage_paise = c[i + 15], refusal_code = c[i + 16], updated_micros = c[i + 17],
    venue_order_id = c_text[j + 1], text = c_text[j + 2], pending_changes = c_text[j + 3]
  FROM generate_series(0, cardinality(c) / 17 - 1) AS r CROSS JOIN LATERAL (VALUES (r * 17, r * 3)) AS row (i, j)
  -- What has ended does not begin again.
  WHERE o.order_id = c[i + 1] AND o.user_id = c[i + 2] AND (o.status < 5 OR c[i + 3] >= 5);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows * 17 <> cardinality(c) THEN
    RAISE EXCEPTION 'of % changed orders % are there, of that user and in a status to be changed', cardinality(c) / 17, v_rows
      USING ERRCODE = 'OC005';
  END IF;
END $$;

-- 12 numbers, as the columns are, and a text, the trading day.
CREATE FUNCTION put_positions(p bigint[], p_text text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO positions
  SELECT p[i + 1], p[i + 2], p[i + 3], p[i + 4], p[i + 5], p[i + 6], p[i + 7], p[i + 8], p[i + 9], p[i + 10], p[i + 11], p[i + 12], p_text[r + 1]
  FROM generate_series(0, cardinality(p_text) - 1) AS r CROSS JOIN LATERAL (VALUES (r * 12)) AS row (i)
  ON CONFLICT (user_id, instrument_id, product) DO UPDATE SET
    quantity = excluded.quantity, open_value_paise = excluded.open_value_paise, margin_paise = excluded.margin_paise,
    realised_paise = excluded.realised_paise, day_buy_qty = excluded.day_buy_qty, day_buy_value_paise = excluded.day_buy_value_paise,
    day_sell_qty = excluded.day_sell_qty, day_sell_value_paise = excluded.day_sell_value_paise, mark_paise = excluded.mark_paise,
    trading_day = excluded.trading_day;
END $$;

-- 5 numbers, as the columns are.
CREATE FUNCTION put_holdings(h bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO holdings
  SELECT h[i + 1], h[i + 2], h[i + 3], h[i + 4], h[i + 5] FROM generate_series(0, cardinality(h) - 1, 5) AS i
  ON CONFLICT (user_id, instrument_id) DO UPDATE SET
    quantity = excluded.quantity, value_paise = excluded.value_paise, mark_paise = excluded.mark_paise;
END $$;

-- 8 numbers and 4 texts, as the columns are.
CREATE FUNCTION insert_trades(t bigint[], t_text text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO trades
  SELECT t[i + 1], t[i + 2], t[i + 3], t[i + 4], t[i + 5], t[i + 6], t[i + 7], t[i + 8],
    t_text[j + 1]::date, t_text[j + 2], t_text[j + 3], t_text[j + 4]
  FROM generate_series(0, cardinality(t) / 8 - 1) AS r CROSS JOIN LATERAL (VALUES (r * 8, r * 4)) AS row (i, j);
END $$;

-- 3 numbers: epoch, last sent, last received; texts: session, state.
CREATE FUNCTION put_sessions(s bigint[], s_text text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO fix_sessions AS f
  SELECT s_text[j + 1], s[i + 1], s[i + 2], s[i + 3], s_text[j + 2]
  FROM generate_series(0, cardinality(s) / 3 - 1) AS r CROSS JOIN LATERAL (VALUES (r * 3, r * 2)) AS row (i, j)
  ON CONFLICT (session_id) DO UPDATE SET
    epoch = excluded.epoch, last_sent_seqnum = excluded.last_sent_seqnum, last_received_seqnum = excluded.last_received_seqnum,
    session_state = excluded.session_state
  WHERE (f.epoch, f.last_received_seqnum) <= (excluded.epoch, excluded.last_received_seqnum);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows * 3 <> cardinality(s) THEN
    RAISE EXCEPTION 'the numbers of a session with the venue would go back' USING ERRCODE = 'OC006';
  END IF;
END $$;

-- New orders come above those that have ended. In one batch of four it is moved on, by a bounded number of orders: each is looked at once more in its life.
CREATE FUNCTION check_open_from(p_owner shard_owners, o bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_first bigint := (SELECT min(o[i]) FROM generate_series(1, cardinality(o), 22) AS i);
  v_open_from bigint;
BEGIN
  IF v_first < p_owner.open_from THEN
    RAISE EXCEPTION 'order % comes after all before % have ended', v_first, p_owner.open_from USING ERRCODE = 'OC005';
  END IF;
  IF p_owner.last_batch_id % 4 = 0 THEN
    SELECT coalesce(min(order_id) FILTER (WHERE status < 5), max(order_id) + 1) INTO v_open_from FROM (
      SELECT order_id, status FROM orders WHERE order_id >= p_owner.open_from AND order_id < v_first ORDER BY order_id LIMIT 1000
    ) AS next;
    IF v_open_from > p_owner.open_from THEN
      UPDATE shard_owners SET open_from = v_open_from WHERE shard = p_owner.shard;
    END IF;
  END IF;
END $$;

CREATE FUNCTION commit_batch(
  p_shard smallint, p_epoch bigint, p_session bigint, p_batch_id bigint,
  e bigint[], e_text text[], a bigint[], a_text text[], a_new integer, o bigint[], o_text text[], c bigint[], c_text text[],
  p bigint[], p_text text[], h bigint[], t bigint[], t_text text[], s bigint[], s_text text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = outcry, pg_temp
-- Every join is from the rows of a batch to a table by its key, whatever the planner knows of the sizes.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_owner shard_owners;
BEGIN
  UPDATE shard_owners SET last_batch_id = p_batch_id
  WHERE shard = p_shard AND epoch = p_epoch AND session = p_session AND last_batch_id < p_batch_id
  RETURNING * INTO v_owner;
  IF NOT FOUND THEN
    SELECT * INTO v_owner FROM shard_owners WHERE shard = p_shard;
    IF v_owner.epoch = p_epoch AND v_owner.session = p_session THEN
      RAISE EXCEPTION 'batch % comes after batch %', p_batch_id, v_owner.last_batch_id USING ERRCODE = 'OC007';
    END IF;
    RAISE EXCEPTION 'epoch % session % no longer owns shard %: epoch % session % does',
      p_epoch, p_session, p_shard, v_owner.epoch, v_owner.session USING ERRCODE = 'OC001';
  END IF;

  IF cardinality(e) + cardinality(a) > 0 THEN
    PERFORM insert_events(e, e_text, a);
    PERFORM update_accounts(a, a_text, a_new, e);
  END IF;
  IF cardinality(o) > 0 THEN
    PERFORM check_open_from(v_owner, o);
    PERFORM insert_orders(o, o_text);
  END IF;
  IF cardinality(c) > 0 THEN PERFORM update_orders(c, c_text); END IF;
  IF cardinality(p) > 0 THEN PERFORM put_positions(p, p_text); END IF;
  IF cardinality(h) > 0 THEN PERFORM put_holdings(h); END IF;
  IF cardinality(t) > 0 THEN PERFORM insert_trades(t, t_text); END IF;
  IF cardinality(s) > 0 THEN PERFORM put_sessions(s, s_text); END IF;
END $$;

-- 3 numbers and a text, as the columns are.
CREATE FUNCTION save_snapshots(s bigint[], s_text text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
  INSERT INTO snapshots SELECT s[i + 1], s[i + 2], s[i + 3], s_text[i / 3 + 1] FROM generate_series(0, cardinality(s) - 1, 3) AS i
  ON CONFLICT (user_id, seq) DO NOTHING;
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA outcry FROM PUBLIC;
GRANT USAGE ON SCHEMA outcry TO outcry_engine;
GRANT SELECT ON ALL TABLES IN SCHEMA outcry TO outcry_engine;
GRANT EXECUTE ON FUNCTION claim_shard, open_session, batch_answer, commit_batch, save_snapshots TO outcry_engine;
