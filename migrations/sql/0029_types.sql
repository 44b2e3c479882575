-- The type that the telemetry schema in force at the latest point of a series gives it, as telemetry_history.type has it.
-- NULL: none, or not looked at since there is this column; the next reading has it looked at.
ALTER TABLE series ADD COLUMN declared_type smallint;
