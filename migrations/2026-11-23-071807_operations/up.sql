-- operations: what cancelling, retrying, deleting and watching an execution need to know.

-- A request that an execution end. It is asked for once and never taken back.
CREATE TABLE cancellations (
    execution_id TEXT NOT NULL PRIMARY KEY
        REFERENCES workflow_executions (id) ON DELETE CASCADE,
    actor TEXT NOT NULL,
    requested_at TEXT NOT NULL,
    reason TEXT
) STRICT, WITHOUT ROWID;

-- The attempts that failed and were followed by another one.
CREATE TABLE step_attempts (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL CHECK (visit >= 1),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    begun_at TEXT NOT NULL,
    failed_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    error TEXT NOT NULL,
    error_kind TEXT NOT NULL,
    PRIMARY KEY (execution_id, visit, attempt),
    FOREIGN KEY (execution_id, visit) REFERENCES step_visits (execution_id, visit)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The execution that made a visit which a retry has taken over; its idempotency key is still that
-- of the visit. No reference: the visit stays when the execution that made it is deleted.
ALTER TABLE step_visits ADD COLUMN reused_from TEXT
    CHECK (reused_from IS NULL OR state = 'done');

-- The attempt before, or within, which a gate stands.
ALTER TABLE gates ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1);

-- The order in which the votes on a gate were counted, from 1: two may have the same instant.
ALTER TABLE gate_votes ADD COLUMN place INTEGER NOT NULL DEFAULT 1 CHECK (place >= 1);

UPDATE gate_votes SET place = (
    SELECT count(*) FROM gate_votes AS earlier
    WHERE earlier.gate_id = gate_votes.gate_id
        AND (earlier.voted_at, earlier.actor) <= (gate_votes.voted_at, gate_votes.actor)
);

-- What is deleted first: the oldest end, and what has more newer ones than a workflow keeps.
CREATE INDEX executions_finished ON workflow_executions (completed_at, id)
    WHERE completed_at IS NOT NULL;
CREATE INDEX executions_kept ON workflow_executions (workflow_id, started_at DESC, id DESC)
    WHERE completed_at IS NOT NULL;
