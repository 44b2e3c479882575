-- How many of an organization's changes bore on nothing that is derived: `revision - apart` stands while only such come.
ALTER TABLE graph_clocks ADD COLUMN apart bigint NOT NULL DEFAULT 0;
GRANT UPDATE (apart) ON graph_clocks TO argus_api, argus_pipeline;
