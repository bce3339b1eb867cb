-- turns: what a model answered, and what became of the tools that it called.

-- An answer that is followed by something: it called tools, or was refused. The answer that ends a
-- visit is its output.
CREATE TABLE model_turns (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL CHECK (visit >= 1),
    turn INTEGER NOT NULL CHECK (turn >= 1),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    answered_at TEXT NOT NULL,
    text TEXT NOT NULL,
    -- Why it was refused, as the model is told.
    refused TEXT,
    PRIMARY KEY (execution_id, visit, turn),
    FOREIGN KEY (execution_id, visit) REFERENCES step_visits (execution_id, visit)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The calls of an answer, in the order in which they are made.
CREATE TABLE model_calls (
    execution_id TEXT NOT NULL,
    visit INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    call INTEGER NOT NULL CHECK (call >= 1),
    -- The name that the provider has for it.
    call_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    args TEXT NOT NULL CHECK (json_valid(args)),
    state TEXT NOT NULL CHECK (
        state = 'asked' OR state = 'ready' OR state = 'begun' OR state = 'done'
    ),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    begun_at TEXT,
    completed_at TEXT,
    status TEXT CHECK (status IN ('success', 'failure')),
    output TEXT CHECK (output IS NULL OR json_valid(output)),
    error TEXT,
    error_kind TEXT,
    PRIMARY KEY (execution_id, visit, turn, call),
    FOREIGN KEY (execution_id, visit, turn) REFERENCES model_turns (execution_id, visit, turn)
        ON DELETE CASCADE,
    CHECK (state <> 'asked' OR begun_at IS NULL),
    CHECK (state NOT IN ('ready', 'begun') OR begun_at IS NOT NULL),
    CHECK ((state = 'done') = (completed_at IS NOT NULL)),
    CHECK ((state = 'done') = (status IS NOT NULL)),
    CHECK ((status IS 'success') = (output IS NOT NULL)),
    CHECK ((status IS 'failure') = (error IS NOT NULL)),
    CHECK ((error IS NULL) = (error_kind IS NULL))
) STRICT, WITHOUT ROWID;

-- Where within the turns of a visit a gate stands: behind so many, and before which call of the
-- last of them; 0 stands for before the first, and for no call.
ALTER TABLE gates ADD COLUMN turn INTEGER NOT NULL DEFAULT 0 CHECK (turn >= 0);
ALTER TABLE gates ADD COLUMN call INTEGER NOT NULL DEFAULT 0 CHECK (call >= 0);

-- One row an answer, of which an attempt may have many; and what it cost, in billionths.
CREATE TABLE model_usage_by_turn (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL CHECK (visit >= 1),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    turn INTEGER NOT NULL CHECK (turn >= 1),
    input_tokens INTEGER CHECK (input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    finish_reason TEXT,
    cost INTEGER CHECK (cost >= 0),
    PRIMARY KEY (execution_id, visit, attempt, turn),
    FOREIGN KEY (execution_id, visit) REFERENCES step_visits (execution_id, visit)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO model_usage_by_turn (
    execution_id, visit, attempt, turn, input_tokens, output_tokens, finish_reason
)
SELECT execution_id, visit, attempt, 1, input_tokens, output_tokens, finish_reason
FROM model_usage;

DROP TABLE model_usage;
ALTER TABLE model_usage_by_turn RENAME TO model_usage;
