DROP INDEX executions_failed;
