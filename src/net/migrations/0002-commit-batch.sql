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

-- How rows come: the whole numbers of a table's rows in one array of two dimensions, a row each, its texts in another. An array a table is read faster than one a
-- column by some tenths of a whole batch, and a subscript without arithmetic has nothing to be set up. The functions give the count of rows, so that they can be
-- called by an assignment: PERFORM would plan and run a query around each.

-- Numbers: the row of `a` that is its user's, then as the columns are; texts: reference, detail.
CREATE FUNCTION insert_events(e bigint[], e_text text[], a bigint[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO ledger_events
  SELECT a[e[r][1]][1], e[r][2], e[r][3], e[r][4], e[r][5], e[r][6], e[r][7], e[r][8], e[r][9], e[r][10], e[r][11], e[r][12], e[r][13], e[r][14],
    e[r][15], e[r][16], e[r][17], e[r][18], e[r][19], e_text[r][1], e_text[r][2]
  FROM generate_series(1, array_length(e, 1)) AS r;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END $$;

-- 7 numbers: user, sequence of the first and the last event, cash, margin used, total value, 1 if it must be covered; a text: reason of a freeze.
CREATE FUNCTION update_accounts(a bigint[], a_text text[], a_new integer, e bigint[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  IF a_new > 0 THEN
    INSERT INTO accounts
    SELECT a[r][1], 0, 0, 0, 0, 0, '' FROM generate_series(1, array_length(a, 1)) AS r WHERE a[r][2] = 1
    ON CONFLICT (user_id) DO NOTHING;
  END IF;
  UPDATE accounts AS t SET
    last_seq = m.last_seq,
    available_paise = t.available_paise + m.available,
    held_paise = t.held_paise + m.held,
    margin_paise = t.margin_paise + m.margin,
    total_value_paise = a[m.r][6],
    frozen_reason = a_text[m.r][1]
  FROM (
    -- What the events did to each account by their postings.
    SELECT e[i][1]::integer AS r, min(e[i][2]) AS first_seq, max(e[i][2]) AS last_seq, count(*) AS events,
      coalesce(sum_paise(e[i][6]), 0) AS available, coalesce(sum_paise(e[i][7]), 0) AS held, coalesce(sum_paise(e[i][8]), 0) AS margin
    FROM generate_series(1, array_length(e, 1)) AS i
    GROUP BY 1
  ) AS m
  WHERE t.user_id = a[m.r][1]
    AND m.first_seq = a[m.r][2] AND m.last_seq = a[m.r][3] AND m.events = m.last_seq - m.first_seq + 1
    AND t.last_seq = m.first_seq - 1
    AND t.available_paise + t.held_paise + t.margin_paise + m.available + m.held + m.margin = a[m.r][4]
    AND t.held_paise + t.margin_paise + m.held + m.margin = a[m.r][5]
    AND (t.available_paise + m.available >= 0 OR a[m.r][7] = 0);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> coalesce(array_length(a, 1), 0) THEN
    PERFORM refuse_account(a);
  END IF;
  RETURN v_rows;
END $$;

-- Says why an account was not as the batch has it.
CREATE FUNCTION refuse_account(a bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_at integer;
  v_account accounts;
BEGIN
  SELECT r INTO v_at FROM generate_series(1, array_length(a, 1)) AS r LEFT JOIN accounts AS t ON t.user_id = a[r][1]
  WHERE (t.last_seq, t.available_paise + t.held_paise + t.margin_paise, t.held_paise + t.margin_paise) IS DISTINCT FROM (a[r][3], a[r][4], a[r][5])
  ORDER BY r LIMIT 1;
  IF v_at IS NULL THEN
    RAISE EXCEPTION 'an account is there twice, or without events' USING ERRCODE = 'OC003', CONSTRAINT = 'account_balance';
  END IF;
  SELECT * INTO v_account FROM accounts WHERE user_id = a[v_at][1];
  IF NOT FOUND OR v_account.last_seq <> a[v_at][2] - 1 THEN
    RAISE EXCEPTION 'account % is at event %, the batch goes on from %', a[v_at][1], v_account.last_seq, a[v_at][2] - 1
      USING ERRCODE = 'OC002', CONSTRAINT = 'account_sequence';
  END IF;
  IF a[v_at][7] = 1 AND a[v_at][4] < a[v_at][5] THEN
    RAISE EXCEPTION 'account % would be short of % paise', a[v_at][1], a[v_at][5] - a[v_at][4]
      USING ERRCODE = 'OC004', CONSTRAINT = 'account_covered';
  END IF;
  RAISE EXCEPTION 'account %: its events % to % and their postings do not make cash % and margin used %',
    a[v_at][1], a[v_at][2], a[v_at][3], a[v_at][4], a[v_at][5]
    USING ERRCODE = 'OC003', CONSTRAINT = 'account_balance';
END $$;

-- Moves on the mark below which every order has ended, by a bounded number of orders: each is looked at once more in its life.
CREATE FUNCTION move_open_from(p_owner shard_owners) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_open_from bigint;
BEGIN
  SELECT coalesce(min(order_id) FILTER (WHERE status < 5), max(order_id) + 1) INTO v_open_from
  FROM (SELECT order_id, status FROM orders WHERE order_id >= p_owner.open_from ORDER BY order_id LIMIT 1000) AS next;
  IF v_open_from > p_owner.open_from THEN
    UPDATE shard_owners SET open_from = v_open_from WHERE shard = p_owner.shard;
    RETURN v_open_from;
  END IF;
  RETURN p_owner.open_from;
END $$;

-- 22 numbers and 4 texts, as the columns are. Those below the mark are not inserted.
CREATE FUNCTION insert_orders(o bigint[], o_text text[], p_open_from bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO orders
  SELECT o[r][1], o[r][2], o[r][3], o[r][4], o[r][5], o[r][6], o[r][7], o[r][8], o[r][9], o[r][10], o[r][11], o[r][12], o[r][13], o[r][14], o[r][15],
    o[r][16], o[r][17], o[r][18], o[r][19], o[r][20], o[r][21], o[r][22], o_text[r][1], o_text[r][2], o_text[r][3], o_text[r][4]
  FROM generate_series(1, array_length(o, 1)) AS r WHERE o[r][1] >= p_open_from;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> array_length(o, 1) THEN
    RAISE EXCEPTION 'of % new orders % come after those before % that have all ended', array_length(o, 1), v_rows, p_open_from
      USING ERRCODE = 'OC005';
  END IF;
  RETURN v_rows;
END $$;

-- 17 numbers: order, user, status, then as they are set; texts: the venue's id, text, pending changes.
CREATE FUNCTION update_orders(c bigint[], c_text text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  UPDATE orders AS o SET
    status = c[r][3], ord_type = c[r][4], quantity = c[r][5], price_paise = c[r][6], trigger_price_paise = c[r][7], version = c[r][8],
    venue_version = c[r][9], cum_qty = c[r][10], cum_value_paise = c[r][11], exposure_qty = c[r][12], hold_price_paise = c[r][13],
    hold_paise = c[r][14], brokerage_paise = c[r][15], refusal_code = c[r][16], updated_micros = c[r][17],
    venue_order_id = c_text[r][1], text = c_text[r][2], pending_changes = c_text[r][3]
  FROM generate_series(1, array_length(c, 1)) AS r
  -- What has ended does not begin again.
  WHERE o.order_id = c[r][1] AND o.user_id = c[r][2] AND (o.status < 5 OR c[r][3] >= 5);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> array_length(c, 1) THEN
    RAISE EXCEPTION 'of % changed orders % are there, of that user and in a status to be changed', array_length(c, 1), v_rows
      USING ERRCODE = 'OC005';
  END IF;
  RETURN v_rows;
END $$;

-- 12 numbers, as the columns are, and a text, the trading day.
CREATE FUNCTION put_positions(p bigint[], p_text text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO positions
  SELECT p[r][1], p[r][2], p[r][3], p[r][4], p[r][5], p[r][6], p[r][7], p[r][8], p[r][9], p[r][10], p[r][11], p[r][12], p_text[r][1]
  FROM generate_series(1, array_length(p, 1)) AS r
  ON CONFLICT (user_id, instrument_id, product) DO UPDATE SET
    quantity = excluded.quantity, open_value_paise = excluded.open_value_paise, margin_paise = excluded.margin_paise,
    realised_paise = excluded.realised_paise, day_buy_qty = excluded.day_buy_qty, day_buy_value_paise = excluded.day_buy_value_paise,
    day_sell_qty = excluded.day_sell_qty, day_sell_value_paise = excluded.day_sell_value_paise, mark_paise = excluded.mark_paise,
    trading_day = excluded.trading_day;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END $$;

-- 5 numbers, as the columns are.
CREATE FUNCTION put_holdings(h bigint[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO holdings
  SELECT h[r][1], h[r][2], h[r][3], h[r][4], h[r][5] FROM generate_series(1, array_length(h, 1)) AS r
  ON CONFLICT (user_id, instrument_id) DO UPDATE SET
    quantity = excluded.quantity, value_paise = excluded.value_paise, mark_paise = excluded.mark_paise;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END $$;

-- 8 numbers and 4 texts, as the columns are.
CREATE FUNCTION insert_trades(t bigint[], t_text text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO trades
  SELECT t[r][1], t[r][2], t[r][3], t[r][4], t[r][5], t[r][6], t[r][7], t[r][8], t_text[r][1]::date, t_text[r][2], t_text[r][3], t_text[r][4]
  FROM generate_series(1, array_length(t, 1)) AS r;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END $$;

-- 3 numbers: epoch, last sent, last received; texts: session, state.
CREATE FUNCTION put_sessions(s bigint[], s_text text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_rows bigint;
BEGIN
  INSERT INTO fix_sessions AS f
  SELECT s_text[r][1], s[r][1], s[r][2], s[r][3], s_text[r][2] FROM generate_series(1, array_length(s, 1)) AS r
  ON CONFLICT (session_id) DO UPDATE SET
    epoch = excluded.epoch, last_sent_seqnum = excluded.last_sent_seqnum, last_received_seqnum = excluded.last_received_seqnum,
    session_state = excluded.session_state
  WHERE (f.epoch, f.last_received_seqnum) <= (excluded.epoch, excluded.last_received_seqnum);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> array_length(s, 1) THEN
    RAISE EXCEPTION 'the numbers of a session with the venue would go back' USING ERRCODE = 'OC006';
  END IF;
  RETURN v_rows;
END $$;

CREATE FUNCTION commit_batch(
  p_shard smallint, p_epoch bigint, p_session bigint, p_batch_id bigint,
  e bigint[], e_text text[], a bigint[], a_text text[], a_new integer, o bigint[], o_text text[], c bigint[], c_text text[],
  p bigint[], p_text text[], h bigint[], t bigint[], t_text text[], s bigint[], s_text text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = outcry, pg_temp
-- Every join is from the rows of a batch to a table by its key, and what is looked at in an order is read in that order, whatever the planner knows of
-- the sizes: it plans once, when tables may be empty.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_owner shard_owners;
  v_rows bigint;
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
    v_rows := insert_events(e, e_text, a);
    v_rows := update_accounts(a, a_text, a_new, e);
  END IF;
  IF cardinality(o) > 0 THEN
    IF p_batch_id % 4 = 0 THEN v_owner.open_from := move_open_from(v_owner); END IF;
    v_rows := insert_orders(o, o_text, v_owner.open_from);
  END IF;
  IF cardinality(c) > 0 THEN v_rows := update_orders(c, c_text); END IF;
  IF cardinality(p) > 0 THEN v_rows := put_positions(p, p_text); END IF;
  IF cardinality(h) > 0 THEN v_rows := put_holdings(h); END IF;
  IF cardinality(t) > 0 THEN v_rows := insert_trades(t, t_text); END IF;
  IF cardinality(s) > 0 THEN v_rows := put_sessions(s, s_text); END IF;
END $$;

-- 3 numbers and a text, as the columns are.
CREATE FUNCTION save_snapshots(s bigint[], s_text text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
  INSERT INTO snapshots SELECT s[r][1], s[r][2], s[r][3], s_text[r][1] FROM generate_series(1, array_length(s, 1)) AS r
  ON CONFLICT (user_id, seq) DO NOTHING;
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA outcry FROM PUBLIC;
GRANT USAGE ON SCHEMA outcry TO outcry_engine;
GRANT SELECT ON ALL TABLES IN SCHEMA outcry TO outcry_engine;
GRANT EXECUTE ON FUNCTION claim_shard, open_session, batch_answer, commit_batch, save_snapshots TO outcry_engine;
