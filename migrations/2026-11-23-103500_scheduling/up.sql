-- scheduling: what a schedule does, where it stands, and one row for each fire time.

-- `cron_expression` also holds `@every 90s`, which is counted from `anchor_at`, and `@at` an
-- instant.
ALTER TABLE schedules ADD COLUMN input TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(input));
ALTER TABLE schedules ADD COLUMN anchor_at TEXT
    CHECK ((cron_expression LIKE '@every %') = (anchor_at IS NOT NULL));
ALTER TABLE schedules ADD COLUMN misfire TEXT NOT NULL DEFAULT 'latest'
    CHECK (misfire = 'latest' OR misfire = 'all' OR misfire = 'skip');
ALTER TABLE schedules ADD COLUMN catch_up_ms INTEGER CHECK (catch_up_ms IS NULL OR catch_up_ms >= 0);
ALTER TABLE schedules ADD COLUMN overlap TEXT NOT NULL DEFAULT 'skip'
    CHECK (
        overlap = 'skip' OR overlap = 'buffer_one' OR overlap = 'buffer_all'
        OR overlap = 'cancel_other' OR overlap = 'allow'
    );
ALTER TABLE schedules ADD COLUMN overlap_ignores_paused INTEGER NOT NULL DEFAULT 0
    CHECK (overlap_ignores_paused IN (0, 1));
ALTER TABLE schedules ADD COLUMN jitter_ms INTEGER NOT NULL DEFAULT 0 CHECK (jitter_ms >= 0);
ALTER TABLE schedules ADD COLUMN pause_after_failures INTEGER
    CHECK (pause_after_failures IS NULL OR pause_after_failures > 0);
-- The workflow whose `trigger` it follows.
ALTER TABLE schedules ADD COLUMN trigger_of TEXT REFERENCES workflows (id);
-- Where it stands. The fire time is the nominal one; it is looked at when it is due, which is later
-- by its jitter, or when its turn comes among many that are caught up.
ALTER TABLE schedules ADD COLUMN next_fire_at TEXT;
ALTER TABLE schedules ADD COLUMN due_at TEXT
    CHECK ((due_at IS NULL) = (next_fire_at IS NULL));
ALTER TABLE schedules ADD COLUMN owed INTEGER NOT NULL DEFAULT 0 CHECK (owed IN (0, 1));
ALTER TABLE schedules ADD COLUMN off_reason TEXT
    CHECK (
        off_reason IS NULL OR off_reason = 'paused' OR off_reason = 'completed'
        OR off_reason = 'failing' OR off_reason = 'detached'
    );
ALTER TABLE schedules ADD COLUMN off_at TEXT;
ALTER TABLE schedules ADD COLUMN runs INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0);
-- None at or before this instant is fired again, whatever the clock says.
ALTER TABLE schedules ADD COLUMN last_fire_at TEXT;
ALTER TABLE schedules ADD COLUMN effective_from TEXT;
-- The release of the tz database with which the next fire time was computed.
ALTER TABLE schedules ADD COLUMN tz_database TEXT NOT NULL DEFAULT '';
ALTER TABLE schedules ADD COLUMN revision INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1);

-- Nothing has fired before: whoever added a schedule resumes it.
UPDATE schedules SET enabled = 0, off_reason = 'paused', off_at = updated_at,
    effective_from = updated_at, timezone = coalesce(timezone, 'UTC');

CREATE INDEX schedules_due ON schedules (due_at, id) WHERE enabled = 1;
CREATE INDEX schedules_computed ON schedules (tz_database, id) WHERE enabled = 1;
CREATE INDEX schedules_watched ON schedules (id)
    WHERE enabled = 1 AND pause_after_failures IS NOT NULL;
CREATE UNIQUE INDEX schedules_trigger ON schedules (trigger_of) WHERE trigger_of IS NOT NULL;

CREATE TABLE schedule_fires (
    schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    fire_time TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (
        outcome = 'started' OR outcome = 'skipped_overlap' OR outcome = 'missed'
        OR outcome = 'buffered' OR outcome = 'failed_to_start'
    ),
    cause TEXT NOT NULL CHECK (cause = 'time' OR cause = 'catch_up' OR cause = 'backfill'),
    execution_id TEXT REFERENCES workflow_executions (id) ON DELETE SET NULL,
    reason TEXT,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (schedule_id, fire_time),
    CHECK (execution_id IS NULL OR outcome = 'started'),
    CHECK ((outcome IN ('skipped_overlap', 'failed_to_start')) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX fires_buffered ON schedule_fires (schedule_id, fire_time) WHERE outcome = 'buffered';
CREATE INDEX fires_execution ON schedule_fires (execution_id) WHERE execution_id IS NOT NULL;

-- Stretches of which so many fire times were missed that they have no rows of their own.
CREATE TABLE schedule_gaps (
    schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    first TEXT NOT NULL,
    before TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (schedule_id, first),
    CHECK (first < before)
) STRICT, WITHOUT ROWID;
