-- The contract notes of a user (event type 31): what was executed since the last one is read from there on.
CREATE INDEX contract_notes ON ledger_events (user_id, seq) WHERE event_type = 31;
