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

-- What was touched since a turn began, and so what no tally may stand for any more. Not logged, as tallies are not.
CREATE UNLOGGED TABLE rollup_touches (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    turn bigint NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    CONSTRAINT pk_rollup_touches PRIMARY KEY (organization_id, entity_id, turn),
    CONSTRAINT fk_rollup_touches_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
ALTER TABLE rollup_touches ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON rollup_touches TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_touches TO argus_pipeline;
