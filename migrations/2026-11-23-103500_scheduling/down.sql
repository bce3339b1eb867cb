-- Undoes scheduling. What only it can hold is lost: fires, and schedules by an interval or of one
-- instant.
DROP TABLE schedule_gaps;
DROP TABLE schedule_fires;
DROP INDEX schedules_trigger;
DROP INDEX schedules_watched;
DROP INDEX schedules_computed;
DROP INDEX schedules_due;
DELETE FROM schedules WHERE cron_expression LIKE '@every %' OR cron_expression LIKE '@at %';
ALTER TABLE schedules DROP COLUMN revision;
ALTER TABLE schedules DROP COLUMN tz_database;
ALTER TABLE schedules DROP COLUMN effective_from;
ALTER TABLE schedules DROP COLUMN last_fire_at;
ALTER TABLE schedules DROP COLUMN runs;
ALTER TABLE schedules DROP COLUMN off_at;
ALTER TABLE schedules DROP COLUMN off_reason;
ALTER TABLE schedules DROP COLUMN owed;
ALTER TABLE schedules DROP COLUMN due_at;
ALTER TABLE schedules DROP COLUMN next_fire_at;
ALTER TABLE schedules DROP COLUMN trigger_of;
ALTER TABLE schedules DROP COLUMN pause_after_failures;
ALTER TABLE schedules DROP COLUMN jitter_ms;
ALTER TABLE schedules DROP COLUMN overlap_ignores_paused;
ALTER TABLE schedules DROP COLUMN overlap;
ALTER TABLE schedules DROP COLUMN catch_up_ms;
ALTER TABLE schedules DROP COLUMN misfire;
ALTER TABLE schedules DROP COLUMN anchor_at;
ALTER TABLE schedules DROP COLUMN input;
