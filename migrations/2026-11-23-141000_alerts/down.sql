-- Undoes alerts. What was found, told and read is lost.
DROP TABLE alert_deliveries;
DROP TABLE alert_sinks;
DROP TABLE alert_notices;
DROP TABLE alert_rounds;
DROP TABLE alert_items;
DROP TABLE alerts;
