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

CREATE FUNCTION commit_batch(
  p_shard smallint, p_epoch bigint, p_session bigint, p_batch_id bigint,
  -- Events. Posting arrays and details are one text each, an event a line.
  e_user_id bigint[], e_seq bigint[], e_ts_micros bigint[], e_order_id bigint[], e_instrument_id bigint[], e_event_type smallint[],
  e_product smallint[], e_posting_accounts text, e_posting_paise text, e_reference text[], e_detail text,
  -- Accounts after the batch.
  a_user_id bigint[], a_first_seq bigint[], a_last_seq bigint[], a_cash_paise bigint[], a_margin_used_paise bigint[],
  a_total_value_paise bigint[], a_frozen_reason text[], a_must_be_covered boolean[],
  -- Orders: the first p_new_orders are new.
  p_new_orders integer,
  o_order_id bigint[], o_user_id bigint[], o_instrument_id bigint[], o_side smallint[], o_product smallint[], o_validity smallint[],
  o_status smallint[], o_ord_type smallint[], o_quantity bigint[], o_price_paise bigint[], o_trigger_price_paise bigint[],
  o_version integer[], o_venue_version integer[], o_cum_qty bigint[], o_cum_value_paise bigint[], o_exposure_qty bigint[],
  o_hold_price_paise bigint[], o_hold_paise bigint[], o_brokerage_paise bigint[], o_refusal_code integer[], o_placed_micros bigint[],
  o_updated_micros bigint[], o_client_order_id text[], o_venue_order_id text[], o_text text[], o_pending_changes text,
  -- Positions and holdings after the batch.
  p_user_id bigint[], p_instrument_id bigint[], p_product smallint[], p_quantity bigint[], p_open_value_paise bigint[],
  p_margin_paise bigint[], p_realised_paise bigint[], p_day_buy_qty bigint[], p_day_buy_value_paise bigint[], p_day_sell_qty bigint[],
  p_day_sell_value_paise bigint[], p_mark_paise bigint[], p_trading_day text[],
  h_user_id bigint[], h_instrument_id bigint[], h_quantity bigint[], h_value_paise bigint[], h_mark_paise bigint[],
  -- Trades.
  t_user_id bigint[], t_seq bigint[], t_order_id bigint[], t_instrument_id bigint[], t_venue text[], t_trading_day date[],
  t_exec_id text[], t_exec_ref_id text[], t_quantity bigint[], t_price_paise bigint[], t_charges_paise bigint[], t_ts_micros bigint[],
  -- Sessions with the venue.
  s_session_id text[], s_epoch bigint[], s_last_sent_seqnum bigint[], s_last_received_seqnum bigint[], s_session_state text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = outcry, pg_temp
-- Every join is from the rows of a batch to a table by its key, whatever the planner knows of the sizes.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_owner shard_owners;
  v_users bigint;
  v_updated bigint;
  v_refused bigint;
  v_rows bigint;
BEGIN
  UPDATE shard_owners SET last_batch_id = p_batch_id
  WHERE shard = p_shard AND epoch = p_epoch AND session = p_session AND last_batch_id < p_batch_id;
  IF NOT FOUND THEN
    SELECT * INTO v_owner FROM shard_owners WHERE shard = p_shard;
    IF v_owner.epoch = p_epoch AND v_owner.session = p_session THEN
      RAISE EXCEPTION 'batch % comes after batch %', p_batch_id, v_owner.last_batch_id USING ERRCODE = 'OC007';
    END IF;
    RAISE EXCEPTION 'epoch % session % no longer owns shard %: epoch % session % does',
      p_epoch, p_session, p_shard, v_owner.epoch, v_owner.session USING ERRCODE = 'OC001';
  END IF;

  IF cardinality(a_user_id) > 0 AND 1 = ANY (a_first_seq) THEN
    INSERT INTO accounts (user_id, last_seq, available_paise, held_paise, margin_paise, total_value_paise, frozen_reason)
    SELECT user_id, 0, 0, 0, 0, 0, ''
    FROM unnest(a_user_id, a_first_seq) AS a (user_id, first_seq) WHERE first_seq = 1
    ON CONFLICT (user_id) DO NOTHING;
  END IF;

  WITH inserted AS (
    INSERT INTO ledger_events
    SELECT user_id, seq, ts_micros, order_id, instrument_id, event_type, product, accounts::smallint[], paise::bigint[], reference, detail
    FROM unnest(
      e_user_id, e_seq, e_ts_micros, e_order_id, e_instrument_id, e_event_type, e_product,
      string_to_array(e_posting_accounts, E'\n'), string_to_array(e_posting_paise, E'\n'), e_reference, string_to_array(e_detail, E'\n')
    ) AS e (user_id, seq, ts_micros, order_id, instrument_id, event_type, product, accounts, paise, reference, detail)
    RETURNING user_id, seq, posting_accounts, posting_paise
  ), moved AS (
    -- What the events did to each account by their postings, beside what the batch says it is after them: one row a user.
    SELECT user_id, min(seq) AS first_seq, max(seq) AS last_seq, count(seq) AS events,
      sum(available)::bigint AS available, sum(held)::bigint AS held, sum(margin)::bigint AS margin,
      max(given_first_seq) AS given_first_seq, max(given_last_seq) AS given_last_seq, max(cash) AS cash, max(margin_used) AS margin_used,
      max(total_value) AS total_value, max(frozen_reason) AS frozen_reason, bool_or(must_be_covered) AS must_be_covered,
      count(given_first_seq) AS given
    FROM (
      -- The constraint postings_in_order says where an account can stand.
      SELECT user_id, seq,
        CASE WHEN posting_accounts[1] = 1 THEN posting_paise[1] ELSE 0 END AS available,
        CASE 2 WHEN posting_accounts[1] THEN posting_paise[1] WHEN posting_accounts[2] THEN posting_paise[2] ELSE 0 END AS held,
        CASE 3 WHEN posting_accounts[1] THEN posting_paise[1] WHEN posting_accounts[2] THEN posting_paise[2]
          WHEN posting_accounts[3] THEN posting_paise[3] ELSE 0 END AS margin,
        NULL::bigint AS given_first_seq, NULL::bigint AS given_last_seq, NULL::bigint AS cash, NULL::bigint AS margin_used,
        NULL::bigint AS total_value, NULL::text AS frozen_reason, NULL::boolean AS must_be_covered
      FROM inserted
      UNION ALL
      SELECT a.user_id, NULL, 0, 0, 0, a.first_seq, a.last_seq, a.cash, a.margin_used, a.total_value, a.frozen_reason, a.must_be_covered
      FROM unnest(
        a_user_id, a_first_seq, a_last_seq, a_cash_paise, a_margin_used_paise, a_total_value_paise, a_frozen_reason, a_must_be_covered
      ) AS a (user_id, first_seq, last_seq, cash, margin_used, total_value, frozen_reason, must_be_covered)
    ) AS rows
    GROUP BY user_id
  ), updated AS (
    UPDATE accounts AS a SET
      last_seq = m.last_seq,
      available_paise = a.available_paise + m.available,
      held_paise = a.held_paise + m.held,
      margin_paise = a.margin_paise + m.margin,
      total_value_paise = m.total_value,
      frozen_reason = m.frozen_reason
    FROM moved AS m
    WHERE a.user_id = m.user_id
      AND m.given = 1
      AND m.first_seq = m.given_first_seq AND m.last_seq = m.given_last_seq AND m.events = m.last_seq - m.first_seq + 1
      AND a.last_seq = m.first_seq - 1
      AND a.available_paise + a.held_paise + a.margin_paise + m.available + m.held + m.margin = m.cash
      AND a.held_paise + a.margin_paise + m.held + m.margin = m.margin_used
      AND (a.available_paise + m.available >= 0 OR NOT m.must_be_covered)
    RETURNING a.user_id
  )
  SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM updated),
    (SELECT min(user_id) FROM moved WHERE user_id NOT IN (SELECT user_id FROM updated))
  INTO v_users, v_updated, v_refused;
  IF v_users <> v_updated THEN
    PERFORM refuse_account(v_refused, a_user_id, a_first_seq, a_last_seq, a_cash_paise, a_margin_used_paise, a_must_be_covered);
  END IF;

  IF p_new_orders > 0 THEN
    INSERT INTO orders (
      order_id, user_id, instrument_id, side, product, validity, status, ord_type, quantity, price_paise, trigger_price_paise, version,
      venue_version, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code, placed_micros,
      updated_micros, client_order_id, venue_order_id, text, pending_changes
    )
    SELECT * FROM unnest(
      o_order_id, o_user_id, o_instrument_id, o_side, o_product, o_validity, o_status, o_ord_type, o_quantity, o_price_paise,
      o_trigger_price_paise, o_version, o_venue_version, o_cum_qty, o_cum_value_paise, o_exposure_qty, o_hold_price_paise, o_hold_paise,
      o_brokerage_paise, o_refusal_code, o_placed_micros, o_updated_micros, o_client_order_id, o_venue_order_id, o_text,
      string_to_array(o_pending_changes, E'\n')
    ) LIMIT p_new_orders;
  END IF;
  IF cardinality(o_order_id) > p_new_orders THEN
    UPDATE orders AS o SET
      status = c.status, ord_type = c.ord_type, quantity = c.quantity, price_paise = c.price_paise,
      trigger_price_paise = c.trigger_price_paise, version = c.version, venue_version = c.venue_version, cum_qty = c.cum_qty,
      cum_value_paise = c.cum_value_paise, exposure_qty = c.exposure_qty, hold_price_paise = c.hold_price_paise, hold_paise = c.hold_paise,
      brokerage_paise = c.brokerage_paise, refusal_code = c.refusal_code, updated_micros = c.updated_micros,
      venue_order_id = c.venue_order_id, text = c.text, pending_changes = c.pending_changes
    FROM (
      SELECT * FROM unnest(
        o_order_id, o_user_id, o_status, o_ord_type, o_quantity, o_price_paise, o_trigger_price_paise, o_version, o_venue_version,
        o_cum_qty, o_cum_value_paise, o_exposure_qty, o_hold_price_paise, o_hold_paise, o_brokerage_paise, o_refusal_code,
        o_updated_micros, o_venue_order_id, o_text, string_to_array(o_pending_changes, E'\n')
      ) AS c (
        order_id, user_id, status, ord_type, quantity, price_paise, trigger_price_paise, version, venue_version, cum_qty, cum_value_paise,
        exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code, updated_micros, venue_order_id, text, pending_changes
      ) OFFSET p_new_orders
    ) AS c
    -- What has ended does not begin again.
    WHERE o.order_id = c.order_id AND o.user_id = c.user_id AND (o.is_open OR c.status >= 5);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> cardinality(o_order_id) - p_new_orders THEN
      RAISE EXCEPTION 'of % changed orders % are there, of that user and in a status to be changed',
        cardinality(o_order_id) - p_new_orders, v_rows USING ERRCODE = 'OC005';
    END IF;
  END IF;

  IF cardinality(p_user_id) > 0 THEN
    INSERT INTO positions
    SELECT * FROM unnest(
      p_user_id, p_instrument_id, p_product, p_quantity, p_open_value_paise, p_margin_paise, p_realised_paise, p_day_buy_qty,
      p_day_buy_value_paise, p_day_sell_qty, p_day_sell_value_paise, p_mark_paise, p_trading_day
    )
    ON CONFLICT (user_id, instrument_id, product) DO UPDATE SET
      quantity = excluded.quantity, open_value_paise = excluded.open_value_paise, margin_paise = excluded.margin_paise,
      realised_paise = excluded.realised_paise, day_buy_qty = excluded.day_buy_qty, day_buy_value_paise = excluded.day_buy_value_paise,
      day_sell_qty = excluded.day_sell_qty, day_sell_value_paise = excluded.day_sell_value_paise, mark_paise = excluded.mark_paise,
      trading_day = excluded.trading_day;
  END IF;
  IF cardinality(h_user_id) > 0 THEN
    INSERT INTO holdings
    SELECT * FROM unnest(h_user_id, h_instrument_id, h_quantity, h_value_paise, h_mark_paise)
    ON CONFLICT (user_id, instrument_id) DO UPDATE SET
      quantity = excluded.quantity, value_paise = excluded.value_paise, mark_paise = excluded.mark_paise;
  END IF;
  IF cardinality(t_user_id) > 0 THEN
    INSERT INTO trades
    SELECT * FROM unnest(
      t_user_id, t_seq, t_order_id, t_instrument_id, t_venue, t_trading_day, t_exec_id, t_exec_ref_id, t_quantity, t_price_paise,
      t_charges_paise, t_ts_micros
    );
  END IF;
  IF cardinality(s_session_id) > 0 THEN
    INSERT INTO fix_sessions AS f
    SELECT * FROM unnest(s_session_id, s_epoch, s_last_sent_seqnum, s_last_received_seqnum, s_session_state)
    ON CONFLICT (session_id) DO UPDATE SET
      epoch = excluded.epoch, last_sent_seqnum = excluded.last_sent_seqnum, last_received_seqnum = excluded.last_received_seqnum,
      session_state = excluded.session_state
    WHERE (f.epoch, f.last_received_seqnum) <= (excluded.epoch, excluded.last_received_seqnum);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows <> cardinality(s_session_id) THEN
      RAISE EXCEPTION 'the numbers of a session with the venue would go back' USING ERRCODE = 'OC006';
    END IF;
  END IF;
END $$;

-- Says why an account was not as the batch has it.
CREATE FUNCTION refuse_account(
  v_user_id bigint, a_user_id bigint[], a_first_seq bigint[], a_last_seq bigint[], a_cash_paise bigint[], a_margin_used_paise bigint[],
  a_must_be_covered boolean[]
) RETURNS void
LANGUAGE plpgsql SET search_path = outcry, pg_temp AS $$
DECLARE
  v_account accounts;
  v_at integer := array_position(a_user_id, v_user_id);
BEGIN
  SELECT * INTO v_account FROM accounts WHERE user_id = v_user_id;
  IF v_at IS NULL OR NOT FOUND OR v_account.last_seq <> a_first_seq[v_at] - 1 THEN
    RAISE EXCEPTION 'account % is at event %, the batch goes on from %', v_user_id, v_account.last_seq, a_first_seq[v_at] - 1
      USING ERRCODE = 'OC002', CONSTRAINT = 'account_sequence';
  END IF;
  IF a_must_be_covered[v_at] AND a_cash_paise[v_at] < a_margin_used_paise[v_at] THEN
    RAISE EXCEPTION 'account % would be short of % paise', v_user_id, a_margin_used_paise[v_at] - a_cash_paise[v_at]
      USING ERRCODE = 'OC004', CONSTRAINT = 'account_covered';
  END IF;
  RAISE EXCEPTION 'account %: its events % to % and their postings do not make cash % and margin used %',
    v_user_id, a_first_seq[v_at], a_last_seq[v_at], a_cash_paise[v_at], a_margin_used_paise[v_at]
    USING ERRCODE = 'OC003', CONSTRAINT = 'account_balance';
END $$;

CREATE FUNCTION save_snapshots(s_user_id bigint[], s_seq bigint[], s_ts_micros bigint[], s_state text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = outcry, pg_temp AS $$
  INSERT INTO snapshots SELECT * FROM unnest(s_user_id, s_seq, s_ts_micros, string_to_array(s_state, E'\n'))
  ON CONFLICT (user_id, seq) DO NOTHING;
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA outcry FROM PUBLIC;
GRANT USAGE ON SCHEMA outcry TO outcry_engine;
GRANT SELECT ON ALL TABLES IN SCHEMA outcry TO outcry_engine;
GRANT EXECUTE ON FUNCTION claim_shard, open_session, batch_answer, commit_batch, save_snapshots TO outcry_engine;
