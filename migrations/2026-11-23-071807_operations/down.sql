-- operations: forgets who cancelled what, the failed attempts and where visits were taken from.

DROP INDEX executions_kept;
DROP INDEX executions_finished;
ALTER TABLE gate_votes DROP COLUMN place;
ALTER TABLE gates DROP COLUMN attempt;
ALTER TABLE step_visits DROP COLUMN reused_from;
DROP TABLE step_attempts;
DROP TABLE cancellations;
