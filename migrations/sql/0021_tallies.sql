-- What the points of a descendant came to, from the beginning of a bucket up to an instant, so that a bucket that is
-- written to all the time is not read whole each time. Not logged: after a crash there is none, and points are read.
CREATE UNLOGGED TABLE rollup_tallies (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- Of the bucket, the series and what is asked of them, at one revision of what is derived.
    key uuid NOT NULL,
    -- All points within [begins, until) are in it.
    begins timestamptz NOT NULL,
    until timestamptz NOT NULL,
    points bigint NOT NULL,
    -- Of sums three doubles, which together are the exact sum; of the rest the first alone.
    value double precision NOT NULL,
    error double precision NOT NULL,
    error_left double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_rollup_tallies PRIMARY KEY (organization_id, entity_id, key),
    CONSTRAINT fk_rollup_tallies_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_rollup_tallies_span CHECK (begins < until)
) WITH (fillfactor = 70);
ALTER TABLE rollup_tallies ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON rollup_tallies TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_tallies TO argus_pipeline;
