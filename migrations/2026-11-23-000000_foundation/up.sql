-- Definitions, workflows, schedules, executions, their journal and their gates.
--
-- Instants are RFC 3339 text of fixed width in UTC, so that text order is time order. A CHECK names
-- every set of words that is closed; `triggered_by`, `failure_kind` and `error_kind` may grow and
-- are checked by the program that reads them. Where every step writes, the words are compared one
-- by one: for an IN with more than two, SQLite makes a table in memory, anew for each row.

-- What an execution runs to its end, whatever happens to the file it came from.
CREATE TABLE workflow_definitions (
    hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    source TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE workflows (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    definition_path TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    definition_hash TEXT NOT NULL REFERENCES workflow_definitions (hash)
) STRICT;

CREATE INDEX workflows_definition ON workflows (definition_hash);

CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    cron_expression TEXT NOT NULL,
    timezone TEXT,
    active_hours_start TEXT,
    active_hours_end TEXT,
    active_hours_days TEXT CHECK (
        active_hours_days IS NULL
        OR (json_valid(active_hours_days) AND json_type(active_hours_days) = 'array')
    ),
    max_runs INTEGER CHECK (max_runs IS NULL OR max_runs > 0),
    workflow_id TEXT REFERENCES workflows (id),
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    last_run_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CHECK ((active_hours_start IS NULL) = (active_hours_end IS NULL))
) STRICT;

CREATE INDEX schedules_workflow ON schedules (workflow_id) WHERE workflow_id IS NOT NULL;

-- `current_step_id` and `step_results` tell the truth whenever an execution is at rest; while it
-- runs, the journal does.
CREATE TABLE workflow_executions (
    id TEXT NOT NULL PRIMARY KEY,
    workflow_id TEXT NOT NULL REFERENCES workflows (id),
    status TEXT NOT NULL CHECK (
        status = 'running' OR status = 'paused' OR status = 'completed' OR status = 'failed'
    ),
    current_step_id TEXT,
    step_results TEXT CHECK (
        step_results IS NULL OR (json_valid(step_results) AND json_type(step_results) = 'object')
    ),
    triggered_by TEXT NOT NULL,
    started_at TEXT NOT NULL,
    paused_at TEXT,
    completed_at TEXT,
    error TEXT,
    definition_hash TEXT NOT NULL REFERENCES workflow_definitions (hash),
    input TEXT NOT NULL CHECK (json_valid(input)),
    failure_kind TEXT,
    schedule_id TEXT REFERENCES schedules (id) ON DELETE SET NULL,
    scheduled_for TEXT,
    origin_id TEXT REFERENCES workflow_executions (id) ON DELETE SET NULL,
    idempotency_key TEXT,
    owner TEXT,
    lease_until TEXT,
    epoch INTEGER NOT NULL DEFAULT 1 CHECK (epoch >= 1),
    CHECK ((status = 'paused') = (paused_at IS NOT NULL)),
    CHECK ((status IN ('completed', 'failed')) = (completed_at IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((status = 'failed') = (failure_kind IS NOT NULL)),
    CHECK (status <> 'paused' OR current_step_id IS NOT NULL),
    CHECK (status <> 'completed' OR current_step_id IS NULL),
    CHECK (status = 'running' OR step_results IS NOT NULL)
) STRICT;

-- Looked up at start-up.
CREATE INDEX executions_running ON workflow_executions (started_at, id) WHERE status = 'running';
CREATE INDEX executions_paused ON workflow_executions (started_at, id) WHERE status = 'paused';
-- Lists, newest first: read backwards, because what comes last is added at the end for less.
CREATE INDEX executions_newest ON workflow_executions (started_at, id);
CREATE INDEX executions_by_workflow ON workflow_executions (workflow_id, started_at, id);
CREATE UNIQUE INDEX executions_key
    ON workflow_executions (workflow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- Without these, deleting what they refer to would scan the table.
CREATE INDEX executions_origin ON workflow_executions (origin_id) WHERE origin_id IS NOT NULL;
-- Also: what is in the way of the next fire of a schedule, and how the last ones ended.
CREATE INDEX executions_schedule
    ON workflow_executions (schedule_id, completed_at, id) WHERE schedule_id IS NOT NULL;
CREATE INDEX executions_definition ON workflow_executions (definition_hash);

-- The journal: one row per arrival at a step.
CREATE TABLE step_visits (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL CHECK (visit >= 1),
    step_id TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    state TEXT NOT NULL CHECK (
        state = 'ready' OR state = 'waiting' OR state = 'begun' OR state = 'backing_off'
        OR state = 'done'
    ),
    request TEXT CHECK (request IS NULL OR json_valid(request)),
    status TEXT CHECK (status IN ('success', 'failure')),
    output TEXT CHECK (output IS NULL OR json_valid(output)),
    error TEXT,
    error_kind TEXT,
    idempotency_key TEXT NOT NULL,
    due_at TEXT,
    begun_at TEXT NOT NULL,
    completed_at TEXT,
    PRIMARY KEY (execution_id, visit),
    CHECK ((state = 'done') = (status IS NOT NULL)),
    CHECK ((state = 'done') = (completed_at IS NOT NULL)),
    CHECK ((state = 'backing_off') = (due_at IS NOT NULL)),
    CHECK ((status IS 'success') = (output IS NOT NULL)),
    CHECK ((state = 'backing_off' OR status IS 'failure') = (error IS NOT NULL)),
    CHECK ((error IS NULL) = (error_kind IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX visits_due ON step_visits (due_at) WHERE state = 'backing_off';

CREATE TABLE gates (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('approval', 'interrupted')),
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL,
    step_id TEXT NOT NULL,
    message TEXT,
    request TEXT NOT NULL CHECK (json_valid(request)),
    requested_at TEXT NOT NULL,
    expires_at TEXT,
    on_expiry TEXT CHECK (on_expiry = 'deny' OR on_expiry = 'approve' OR on_expiry = 'fail'),
    approvers TEXT NOT NULL CHECK (json_valid(approvers) AND json_type(approvers) = 'array'),
    required_count INTEGER NOT NULL CHECK (required_count >= 1),
    state TEXT NOT NULL CHECK (
        state = 'waiting' OR state = 'decided' OR state = 'resolved' OR state = 'expired'
        OR state = 'withdrawn'
    ),
    decision TEXT CHECK (decision IN ('approve', 'deny')),
    resolution TEXT CHECK (resolution = 'rerun' OR resolution = 'done' OR resolution = 'fail'),
    resolution_output TEXT CHECK (resolution_output IS NULL OR json_valid(resolution_output)),
    decided_by TEXT,
    decided_at TEXT,
    reason TEXT,
    FOREIGN KEY (execution_id, visit) REFERENCES step_visits (execution_id, visit)
        ON DELETE CASCADE,
    CHECK ((expires_at IS NULL) = (on_expiry IS NULL)),
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((state = 'decided') = (decision IS NOT NULL)),
    CHECK ((state = 'resolved') = (resolution IS NOT NULL)),
    CHECK ((state IN ('decided', 'resolved')) = (decided_by IS NOT NULL)),
    CHECK ((resolution IS 'done') = (resolution_output IS NOT NULL)),
    CHECK (state <> 'decided' OR kind = 'approval'),
    CHECK (state <> 'resolved' OR kind = 'interrupted')
) STRICT;

CREATE UNIQUE INDEX gates_one_waiting ON gates (execution_id) WHERE state = 'waiting';
CREATE INDEX gates_waiting ON gates (requested_at, id) WHERE state = 'waiting';
CREATE INDEX gates_due ON gates (expires_at) WHERE state = 'waiting' AND expires_at IS NOT NULL;
CREATE INDEX gates_visit ON gates (execution_id, visit);

CREATE TABLE gate_votes (
    gate_id TEXT NOT NULL REFERENCES gates (id) ON DELETE CASCADE,
    actor TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve', 'deny')),
    voted_at TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (gate_id, actor)
) STRICT, WITHOUT ROWID;
