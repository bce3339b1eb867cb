-- alerts: what somebody has to look at, what is told of it, and who has been told.

-- `source_kind` and `kind` may grow and are checked by the program that reads them.
CREATE TABLE alerts (
    id TEXT NOT NULL PRIMARY KEY,
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    item TEXT NOT NULL,
    kind TEXT NOT NULL,
    details TEXT NOT NULL,
    first_raised_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    times_seen INTEGER NOT NULL CHECK (times_seen >= 1),
    -- When it was raised, or somebody was last reminded of it.
    told_at TEXT NOT NULL,
    acknowledged_by TEXT,
    acknowledged_at TEXT,
    cleared_at TEXT,
    cleared_reason TEXT,
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)),
    CHECK ((cleared_at IS NULL) = (cleared_reason IS NULL))
) STRICT;

-- While it is open, the same finding makes no other.
CREATE UNIQUE INDEX alerts_open ON alerts (source_kind, source, item, kind)
    WHERE cleared_at IS NULL;
-- Lists, newest first: read backwards, because what comes last is added at the end for less.
CREATE INDEX alerts_newest ON alerts (first_raised_at, id);
CREATE INDEX alerts_open_newest ON alerts (first_raised_at, id)
    WHERE cleared_at IS NULL;
CREATE INDEX alerts_unread_newest ON alerts (first_raised_at, id)
    WHERE acknowledged_at IS NULL;
-- Of what somebody is reminded next, and what may be deleted first.
CREATE INDEX alerts_to_remind ON alerts (told_at)
    WHERE cleared_at IS NULL AND acknowledged_at IS NULL;
CREATE INDEX alerts_over ON alerts (cleared_at, id)
    WHERE cleared_at IS NOT NULL AND acknowledged_at IS NOT NULL;

-- The last result of each item that is looked at.
CREATE TABLE alert_items (
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    item TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('action_needed', 'clear', 'unknown')),
    details TEXT,
    unknowns INTEGER NOT NULL CHECK (unknowns >= 0),
    execution_id TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    PRIMARY KEY (source_kind, source, item),
    CHECK ((verdict = 'clear') = (details IS NULL)),
    CHECK ((verdict = 'unknown') = (unknowns > 0))
) STRICT, WITHOUT ROWID;

-- What each execution found is recorded once. No reference: the execution may be deleted before.
CREATE TABLE alert_rounds (
    execution_id TEXT NOT NULL PRIMARY KEY,
    source_kind TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_rounds_newest ON alert_rounds (source_kind, source, recorded_at);
CREATE INDEX alert_rounds_oldest ON alert_rounds (recorded_at);

-- What is told, as the alert was then. The numbers are never used again, so that whoever reads on
-- from one misses nothing.
CREATE TABLE alert_notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    event TEXT NOT NULL CHECK (event IN ('raised', 'reminded', 'cleared')),
    at TEXT NOT NULL,
    details TEXT NOT NULL,
    times_seen INTEGER NOT NULL CHECK (times_seen >= 1),
    reason TEXT,
    CHECK ((event = 'cleared') = (reason IS NOT NULL))
) STRICT;

CREATE INDEX alert_notices_alert ON alert_notices (alert_id, number);

-- Whom notices are for. One that is not configured any more keeps what it was not told.
CREATE TABLE alert_sinks (
    name TEXT NOT NULL PRIMARY KEY,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_deliveries (
    sink TEXT NOT NULL REFERENCES alert_sinks (name) ON DELETE CASCADE,
    notice INTEGER NOT NULL REFERENCES alert_notices (number) ON DELETE CASCADE,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at TEXT,
    error TEXT,
    delivered_at TEXT,
    -- In this order, so that what a sink is to be told is not looked for among all it was told.
    PRIMARY KEY (notice, sink),
    CHECK ((next_attempt_at IS NULL) = (delivered_at IS NOT NULL)),
    CHECK (delivered_at IS NULL OR (error IS NULL AND attempts > 0))
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_deliveries_waiting ON alert_deliveries (sink, notice)
    WHERE delivered_at IS NULL;

-- Schedules that were paused before there were alerts: nobody has been told of them.
INSERT INTO alerts (
    id, source_kind, source, item, kind, details, first_raised_at, last_seen_at, times_seen, told_at
)
SELECT
    -- A UUID of version 4.
    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4'
        || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-'
        || hex(randomblob(6))),
    'schedule', id, name, 'paused',
    'its last ' || coalesce(pause_after_failures, 'few')
        || ' executions failed in a row; it does not fire until it is resumed',
    off_at, off_at, 1, off_at
FROM schedules WHERE enabled = 0 AND off_reason = 'failing' AND off_at IS NOT NULL;

INSERT INTO alert_notices (id, alert_id, event, at, details, times_seen)
SELECT
    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4'
        || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-'
        || hex(randomblob(6))),
    id, 'raised', first_raised_at, details, 1
FROM alerts;
