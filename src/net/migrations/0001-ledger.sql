-- The ledger. Money is integer paise, quantities whole shares, times epoch microseconds (UTC); the numbers of enumerations are those of
-- src/core/ledger. There are no foreign keys: commit_batch verifies a whole batch at once, and `outcry ledger verify` everything.

-- Who may write for a shard. `session` is of the owner's connection: what an earlier one of it may still have under way is refused.
CREATE TABLE shard_owners (
  shard smallint PRIMARY KEY,
  epoch bigint NOT NULL,
  session bigint NOT NULL DEFAULT 0,
  last_batch_id bigint NOT NULL DEFAULT 0,
  -- Orders with a smaller id have ended, and none is placed any more. So what is open is found without an index that every order would enter and leave.
  open_from bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- The truth, append only. Everything below is a projection of it.
CREATE TABLE ledger_events (
  user_id bigint NOT NULL,
  seq bigint NOT NULL,
  ts_micros bigint NOT NULL,
  order_id bigint NOT NULL,
  instrument_id bigint NOT NULL,
  -- Postings: what each account of the ledger got, NULL for nothing. The first three are the user's own.
  available_paise bigint,
  held_paise bigint,
  margin_paise bigint,
  bank_paise bigint,
  exchange_paise bigint,
  brokerage_paise bigint,
  stt_paise bigint,
  exchange_fees_paise bigint,
  sebi_fees_paise bigint,
  stamp_duty_paise bigint,
  gst_paise bigint,
  depository_fees_paise bigint,
  event_type smallint NOT NULL,
  product smallint NOT NULL,
  reference text COLLATE "C",
  -- JSON of what only this type of event carries.
  detail text NOT NULL,
  PRIMARY KEY (user_id, seq),
  CONSTRAINT postings_sum_to_zero CHECK (
    coalesce(available_paise, 0) + coalesce(held_paise, 0) + coalesce(margin_paise, 0) + coalesce(bank_paise, 0)
    + coalesce(exchange_paise, 0) + coalesce(brokerage_paise, 0) + coalesce(stt_paise, 0) + coalesce(exchange_fees_paise, 0)
    + coalesce(sebi_fees_paise, 0) + coalesce(stamp_duty_paise, 0) + coalesce(gst_paise, 0) + coalesce(depository_fees_paise, 0) = 0
  )
);
CREATE UNIQUE INDEX reference_once ON ledger_events (user_id, reference) INCLUDE (seq) WHERE reference IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append only: % of % is refused', lower(tg_op), tg_table_name USING ERRCODE = 'OC100';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE accounts (
  user_id bigint PRIMARY KEY CHECK (user_id > 0),
  last_seq bigint NOT NULL,
  -- What is free; negative only after what cannot be refused, as a late fill. Cash is the sum of the three.
  available_paise bigint NOT NULL,
  held_paise bigint NOT NULL CONSTRAINT held_not_negative CHECK (held_paise >= 0),
  margin_paise bigint NOT NULL CONSTRAINT margin_not_negative CHECK (margin_paise >= 0),
  total_value_paise bigint NOT NULL,
  frozen_reason text NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE orders (
  order_id bigint PRIMARY KEY,
  user_id bigint NOT NULL,
  instrument_id bigint NOT NULL,
  quantity bigint NOT NULL CHECK (quantity > 0),
  price_paise bigint NOT NULL,
  trigger_price_paise bigint NOT NULL,
  cum_qty bigint NOT NULL CHECK (cum_qty >= 0),
  cum_value_paise bigint NOT NULL,
  exposure_qty bigint NOT NULL,
  hold_price_paise bigint NOT NULL,
  hold_paise bigint NOT NULL CHECK (hold_paise >= 0),
  brokerage_paise bigint NOT NULL,
  placed_micros bigint NOT NULL,
  updated_micros bigint NOT NULL,
  version integer NOT NULL,
  venue_version integer NOT NULL,
  refusal_code integer NOT NULL,
  side smallint NOT NULL,
  product smallint NOT NULL,
  validity smallint NOT NULL,
  status smallint NOT NULL,
  ord_type smallint NOT NULL,
  client_order_id text COLLATE "C" NOT NULL,
  venue_order_id text NOT NULL,
  text text NOT NULL,
  -- JSON array.
  pending_changes text NOT NULL
-- Orders that were placed together are changed together: half a page is for their next versions, and no index is touched. No index has anything that changes.
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX client_order_once ON orders (user_id, client_order_id) WHERE client_order_id <> '';
CREATE INDEX orders_of_user ON orders (user_id, order_id);

CREATE TABLE trades (
  user_id bigint NOT NULL,
  seq bigint NOT NULL,
  order_id bigint NOT NULL,
  instrument_id bigint NOT NULL,
  -- Bought is positive.
  quantity bigint NOT NULL,
  price_paise bigint NOT NULL,
  charges_paise bigint NOT NULL,
  ts_micros bigint NOT NULL,
  trading_day date NOT NULL,
  venue text COLLATE "C" NOT NULL,
  exec_id text COLLATE "C" NOT NULL,
  -- What it takes back; '' for a trade.
  exec_ref_id text COLLATE "C" NOT NULL,
  CONSTRAINT execution_once UNIQUE (venue, trading_day, exec_id, exec_ref_id)
);
CREATE INDEX trades_of_user ON trades (user_id, seq);

CREATE TABLE positions (
  user_id bigint NOT NULL,
  instrument_id bigint NOT NULL,
  product smallint NOT NULL,
  quantity bigint NOT NULL,
  open_value_paise bigint NOT NULL,
  margin_paise bigint NOT NULL,
  realised_paise bigint NOT NULL,
  day_buy_qty bigint NOT NULL,
  day_buy_value_paise bigint NOT NULL,
  day_sell_qty bigint NOT NULL,
  day_sell_value_paise bigint NOT NULL,
  mark_paise bigint NOT NULL,
  -- '' before the first execution.
  trading_day text NOT NULL,
  PRIMARY KEY (user_id, instrument_id, product)
) WITH (fillfactor = 70);

CREATE TABLE holdings (
  user_id bigint NOT NULL,
  instrument_id bigint NOT NULL,
  quantity bigint NOT NULL,
  value_paise bigint NOT NULL,
  mark_paise bigint NOT NULL,
  PRIMARY KEY (user_id, instrument_id)
) WITH (fillfactor = 70);

-- Order sessions with the venue, as far as what their messages did is committed.
CREATE TABLE fix_sessions (
  session_id text PRIMARY KEY,
  epoch bigint NOT NULL,
  last_sent_seqnum bigint NOT NULL,
  last_received_seqnum bigint NOT NULL,
  session_state text NOT NULL
) WITH (fillfactor = 20);

-- Whole accounts at some of their events, as JSON: a past state is read from the last one before it. They can be made anew at any time.
CREATE TABLE snapshots (
  user_id bigint NOT NULL,
  seq bigint NOT NULL,
  ts_micros bigint NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (user_id, seq)
);
