DROP TABLE gate_votes;
DROP TABLE gates;
DROP TABLE step_visits;
DROP TABLE workflow_executions;
DROP TABLE schedules;
DROP TABLE workflows;
DROP TABLE workflow_definitions;
