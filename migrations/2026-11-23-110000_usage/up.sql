-- usage: what each answer of a model cost.

-- One row an attempt that had an answer, also one that was refused.
CREATE TABLE model_usage (
    execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
    visit INTEGER NOT NULL CHECK (visit >= 1),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    input_tokens INTEGER CHECK (input_tokens >= 0),
    output_tokens INTEGER CHECK (output_tokens >= 0),
    finish_reason TEXT,
    PRIMARY KEY (execution_id, visit, attempt),
    FOREIGN KEY (execution_id, visit) REFERENCES step_visits (execution_id, visit)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
