-- Who takes dirty buckets away first begins a turn; who marks one marks it for the turn that has begun, in a row of its
-- own. So marking never waits until what is being computed is committed, and no mark is lost.
CREATE SEQUENCE dirty_buckets_turn AS bigint CACHE 1;
GRANT SELECT ON SEQUENCE dirty_buckets_turn TO argus_api;
GRANT SELECT, USAGE ON SEQUENCE dirty_buckets_turn TO argus_pipeline;

ALTER TABLE dirty_buckets ADD COLUMN turn bigint NOT NULL DEFAULT 0;
ALTER TABLE dirty_buckets DROP CONSTRAINT pk_dirty_buckets;
ALTER TABLE dirty_buckets ADD CONSTRAINT pk_dirty_buckets
    PRIMARY KEY (organization_id, entity_id, what, begins, turn);
ALTER TABLE dirty_buckets ALTER COLUMN turn DROP DEFAULT;
