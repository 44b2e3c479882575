-- Rollups: one metric of what is below an entity, made into a metric of that entity, bucket by bucket.

-- One that was deleted stays, so that what it wrote can be taken away.
CREATE TABLE rollups (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    metric text NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_rollups PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_rollups_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX uq_rollups_name ON rollups (organization_id, name) WHERE deleted_at IS NULL;

-- At which entities a rollup has points, or once had.
CREATE TABLE rollup_entities (
    organization_id integer NOT NULL,
    rollup_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    CONSTRAINT pk_rollup_entities PRIMARY KEY (organization_id, rollup_id, entity_id),
    CONSTRAINT fk_rollup_entities_rollup FOREIGN KEY (organization_id, rollup_id) REFERENCES rollups (organization_id, id)
);
CREATE INDEX ix_rollup_entities_entity ON rollup_entities (organization_id, entity_id);

-- Which buckets of what have to be computed anew. A bucket may be a long time that holds many: it is worked off in parts.
CREATE TABLE dirty_buckets (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- 'rollup:' and its id, or what other sort of thing is computed by buckets.
    what text NOT NULL,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    -- Nothing before it in the bucket has changed.
    changed_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_buckets PRIMARY KEY (organization_id, entity_id, what, begins),
    CONSTRAINT fk_dirty_buckets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_buckets_span CHECK (begins < ends)
);
CREATE INDEX ix_dirty_buckets_created_at ON dirty_buckets (organization_id, created_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rollups', 'rollup_entities', 'dirty_buckets'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
-- The pipeline has to know where work waits.
CREATE POLICY pipeline_lists ON dirty_buckets FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE ON rollups TO argus_api;
GRANT SELECT ON rollup_entities TO argus_api;
GRANT SELECT, INSERT, UPDATE ON dirty_buckets TO argus_api;
GRANT SELECT ON rollups TO argus_pipeline;
GRANT SELECT, INSERT, DELETE ON rollup_entities TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON dirty_buckets TO argus_pipeline;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',
        'membership', 'rollup', 'rule', 'timer', 'profile', 'area'));

-- As before, with what waits to be computed by buckets.
ALTER FUNCTION pipeline_state() RENAME TO windows_state;
REVOKE ALL ON FUNCTION windows_state() FROM argus_api;
CREATE FUNCTION pipeline_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.name, s.labels, s.value FROM public.windows_state() s
    UNION ALL
    SELECT m.name, jsonb_build_object('of', d.sort), m.value
    FROM (
        SELECT split_part(what, ':', 1) AS sort, count(*) AS buckets, min(created_at) AS oldest
        FROM public.dirty_buckets GROUP BY 1
    ) d
    CROSS JOIN LATERAL (VALUES ('argus_dirty_buckets', d.buckets::double precision),
        ('argus_dirty_bucket_age_seconds', greatest(extract(epoch FROM clock_timestamp() - d.oldest), 0))) AS m (name, value)
$$;
REVOKE ALL ON FUNCTION pipeline_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_state() TO argus_api;
