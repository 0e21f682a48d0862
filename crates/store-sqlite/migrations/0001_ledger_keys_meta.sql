-- The ledger: one row for each admitted request (I8), never changed once written. Read it through the view
-- `ledger` below, which has every column.
--
-- `slot` is made of the id: the milliseconds of its time and 21 bits of a hash of the rest, or the next number
-- that is free. So rows arrive nearly in the order of the key, and an id is found without an index.
CREATE TABLE ledger_rows (
    slot INTEGER PRIMARY KEY,
    -- `gen_` and a ULID.
    id TEXT NOT NULL,
    terms INTEGER NOT NULL,
    -- Times are microseconds since 1970-01-01T00:00:00Z; durations end in _us.
    admitted_at INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
    end_user TEXT,
    -- A JSON array of strings; NULL when there are none.
    tags TEXT,
    response_id TEXT,
    -- Disjoint usage buckets (I1).
    input_uncached INTEGER NOT NULL,
    input_cache_read INTEGER NOT NULL,
    input_cache_write_5m INTEGER NOT NULL,
    input_cache_write_1h INTEGER NOT NULL,
    input_audio INTEGER NOT NULL,
    input_image INTEGER NOT NULL,
    output_text INTEGER NOT NULL,
    output_reasoning INTEGER NOT NULL,
    output_audio INTEGER NOT NULL,
    output_image INTEGER NOT NULL,
    images INTEGER NOT NULL,
    searches INTEGER NOT NULL,
    usage_anomaly INTEGER NOT NULL,
    usage_estimated INTEGER NOT NULL,
    -- Nanodollars; NULL when the price is unknown (I5).
    cost_nano INTEGER,
    market_cost_nano INTEGER,
    ttft_us INTEGER,
    duration_us INTEGER NOT NULL,
    overhead_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;

-- What many rows have in common, stored once for many rows (not necessarily only once).
CREATE TABLE ledger_terms (
    terms INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    team TEXT NOT NULL,
    project TEXT,
    "key" TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    model TEXT NOT NULL,
    planned_provider TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_model TEXT NOT NULL,
    dialect TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    -- What costs were computed with (I6).
    rates TEXT NOT NULL,
    price_version TEXT NOT NULL,
    byok INTEGER NOT NULL,
    finish_reason TEXT NOT NULL,
    failure TEXT,
    client_status INTEGER NOT NULL
) STRICT;

CREATE VIEW ledger AS
SELECT
    id, status, admitted_at, settled_at, team, project, "key", requested_model, model, planned_provider, provider,
    provider_model, dialect, streamed, end_user, tags, response_id, input_uncached, input_cache_read,
    input_cache_write_5m, input_cache_write_1h, input_audio, input_image, output_text, output_reasoning, output_audio,
    output_image, images, searches, usage_anomaly, usage_estimated, cost_nano, market_cost_nano, rates, price_version,
    byok, finish_reason, failure, client_status, ttft_us, duration_us, overhead_us, attempts, slot
FROM ledger_rows CROSS JOIN ledger_terms USING (terms);

-- Sums over the ledger, moved in the transaction that adds the rows (I11). The sum of costs can exceed
-- 64 bits, so it is decimal text.
CREATE TABLE team_totals (
    team TEXT NOT NULL PRIMARY KEY,
    cost_nano TEXT NOT NULL,
    requests INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Gateway keys: the SHA-256 of the secret, never the secret (I27).
CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    display TEXT NOT NULL,
    team TEXT NOT NULL,
    project TEXT,
    environment TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- `default_team` and `default_project`, made at the first start, and `revision`, which rises with every
-- change of what a snapshot is made of.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('revision', '1');
