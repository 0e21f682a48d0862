-- The ledger: one row for each admitted request (I8), never changed once written. `id` is `gen_` and a
-- ULID, so rows arrive in the order of the key and inserting appends.
CREATE TABLE ledger (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    -- Times are microseconds since 1970-01-01T00:00:00Z; durations end in _us.
    admitted_at INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
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
    -- What it was computed with (I6).
    rates TEXT NOT NULL,
    price_version TEXT NOT NULL,
    byok INTEGER NOT NULL,
    finish_reason TEXT NOT NULL,
    failure TEXT,
    client_status INTEGER NOT NULL,
    ttft_us INTEGER,
    duration_us INTEGER NOT NULL,
    overhead_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_by_team ON ledger (team, admitted_at);

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
