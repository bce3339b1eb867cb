-- admission: what may not run yet is a row that waits for its turn, and no task.

-- The place of an execution in the queue of its workflow, if it waits for its turn. The queue is
-- served in the order of these instants.
ALTER TABLE workflow_executions
    ADD COLUMN queued_at TEXT CHECK (queued_at IS NULL OR status = 'running');
-- Whether it has begun; until it ends, it then counts towards the limit of its workflow.
ALTER TABLE workflow_executions
    ADD COLUMN admitted INTEGER NOT NULL DEFAULT 1 CHECK (admitted IN (0, 1));
-- How many unfinished executions may have begun at once, as the newest definition says.
ALTER TABLE workflows
    ADD COLUMN concurrency_limit INTEGER CHECK (concurrency_limit IS NULL OR concurrency_limit > 0);

UPDATE workflows SET concurrency_limit = (
    SELECT json_extract(definition, '$.concurrency.limit') FROM workflow_definitions
    WHERE hash = definition_hash
);

-- The queues: those that have not begun wait for a place in their workflow, too.
CREATE INDEX executions_queued ON workflow_executions (workflow_id, queued_at, id)
    WHERE queued_at IS NOT NULL AND admitted = 0;
CREATE INDEX executions_requeued ON workflow_executions (workflow_id, queued_at, id)
    WHERE queued_at IS NOT NULL AND admitted = 1;
-- The places that are taken; with their status, so that counting them reads no row.
CREATE INDEX executions_admitted ON workflow_executions (workflow_id, status)
    WHERE admitted = 1 AND status IN ('running', 'paused');
