-- Undoes admission. Executions that wait for their turn and have made no visit yet are lost: the
-- schema before this one cannot hold them.
DELETE FROM workflow_executions WHERE queued_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM step_visits WHERE execution_id = workflow_executions.id
);
DROP INDEX executions_admitted;
DROP INDEX executions_requeued;
DROP INDEX executions_queued;
ALTER TABLE workflows DROP COLUMN concurrency_limit;
ALTER TABLE workflow_executions DROP COLUMN admitted;
ALTER TABLE workflow_executions DROP COLUMN queued_at;
