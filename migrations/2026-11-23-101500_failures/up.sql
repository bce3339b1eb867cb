-- failures: what has failed is found however much has completed since.
CREATE INDEX executions_failed ON workflow_executions (started_at, id)
    WHERE status = 'failed';
