-- Which calls a batch holds readings of: the trace ids of their answers, by which a reading is found in the logs of all
-- stages.
ALTER TABLE raw_batches ADD COLUMN traces text[] NOT NULL DEFAULT '{}';
