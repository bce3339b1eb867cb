-- heartbeats: which there are, the schedule that follows each file, and which of their executions
-- have been judged.

CREATE TABLE heartbeats (
    name TEXT PRIMARY KEY NOT NULL,
    path TEXT NOT NULL,
    unknown_after INTEGER NOT NULL CHECK (unknown_after >= 1),
    -- Its cadence is anchored at the midnight before.
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    -- Of the fires up to this time that could not be started it was told that they were not.
    told_until TEXT
) STRICT;

-- Whom a schedule follows: `trigger W`, that of a workflow, or `heartbeat H`, a heartbeat's file.
-- There is no workflow yet of a heartbeat whose file could never be read.
ALTER TABLE schedules ADD COLUMN keeper TEXT
    CHECK (keeper IS NULL OR keeper LIKE 'trigger _%' OR keeper LIKE 'heartbeat _%');
UPDATE schedules SET keeper = 'trigger ' || trigger_of WHERE trigger_of IS NOT NULL;
DROP INDEX schedules_trigger;
ALTER TABLE schedules DROP COLUMN trigger_of;
CREATE UNIQUE INDEX schedules_keeper ON schedules (keeper) WHERE keeper IS NOT NULL;

-- What could not be started, of any schedule.
CREATE INDEX fires_failed ON schedule_fires (schedule_id, fire_time)
    WHERE outcome = 'failed_to_start';

-- When the results of a heartbeat's execution were looked at; once, after its end.
ALTER TABLE workflow_executions ADD COLUMN judged_at TEXT;
-- Those that ended before were nobody's heartbeat.
UPDATE workflow_executions SET judged_at = completed_at
    WHERE triggered_by = 'heartbeat' AND completed_at IS NOT NULL;
CREATE INDEX executions_unjudged ON workflow_executions (completed_at, id)
    WHERE triggered_by = 'heartbeat' AND judged_at IS NULL AND completed_at IS NOT NULL;
