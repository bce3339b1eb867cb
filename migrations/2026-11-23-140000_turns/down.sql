DROP TABLE model_calls;
DROP TABLE model_turns;
ALTER TABLE gates DROP COLUMN call;
ALTER TABLE gates DROP COLUMN turn;

CREATE TABLE model_usage_by_attempt (
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

-- What an attempt used in all; why its last answer ended.
INSERT INTO model_usage_by_attempt (
    execution_id, visit, attempt, input_tokens, output_tokens, finish_reason
)
SELECT execution_id, visit, attempt, sum(input_tokens), sum(output_tokens),
    (SELECT last.finish_reason FROM model_usage AS last
     WHERE last.execution_id = used.execution_id AND last.visit = used.visit
         AND last.attempt = used.attempt
     ORDER BY last.turn DESC LIMIT 1)
FROM model_usage AS used
GROUP BY execution_id, visit, attempt;

DROP TABLE model_usage;
ALTER TABLE model_usage_by_attempt RENAME TO model_usage;
