-- What could not be done of the items that wait in a queue, for all queues: why, how often, and until when it is left
-- alone, with whatever waits behind it. organization_id NULL: of the installation.
CREATE TABLE failed_items (
    organization_id integer,
    id uuid NOT NULL,
    queue text NOT NULL,
    item text NOT NULL,
    -- What else waits until this one is done: the same rule and target, the same entity.
    holds text NOT NULL,
    reason text NOT NULL,
    -- Since somebody last asked for a retry.
    tries integer NOT NULL,
    first_failed_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    -- When it is tried again; NULL: it is set aside, until somebody asks for a retry.
    due_at timestamptz,
    resolved_at timestamptz,
    CONSTRAINT pk_failed_items PRIMARY KEY (id),
    CONSTRAINT uq_failed_items_item UNIQUE NULLS NOT DISTINCT (organization_id, queue, item),
    CONSTRAINT fk_failed_items_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_failed_items_open ON failed_items (queue, organization_id, holds) WHERE resolved_at IS NULL;
CREATE INDEX ix_failed_items_last_failed_at ON failed_items (organization_id, last_failed_at, id);
ALTER TABLE failed_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON failed_items TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY pipeline_lists ON failed_items FOR SELECT TO argus_pipeline USING (true);
CREATE POLICY installation_items ON failed_items TO argus_pipeline
    USING (organization_id IS NULL) WITH CHECK (organization_id IS NULL);
GRANT SELECT, UPDATE (tries, due_at) ON failed_items TO argus_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON failed_items TO argus_pipeline;

-- As before, with what failed, and what else waits.
ALTER FUNCTION pipeline_state() RENAME TO buckets_state;
REVOKE ALL ON FUNCTION buckets_state() FROM argus_api;
CREATE FUNCTION pipeline_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.name, s.labels, s.value FROM public.buckets_state() s
    UNION ALL
    SELECT 'argus_failed_items', jsonb_build_object('queue', f.queue, 'state', f.state), count(*)::double precision
    FROM (
        SELECT queue, CASE WHEN due_at IS NULL THEN 'set_aside' ELSE 'retrying' END AS state
        FROM public.failed_items WHERE resolved_at IS NULL
    ) f GROUP BY f.queue, f.state
    UNION ALL
    -- What is held until a shelf or a maintenance window ends waits for nothing but that.
    SELECT m.name, '{}', m.value
    FROM (
        SELECT count(*) AS waiting, min(greatest(recorded_at, due_at)) AS oldest FROM public.event_changes
        WHERE acted_at IS NULL AND coalesce(due_at, '-infinity') <= clock_timestamp()
    ) c
    CROSS JOIN LATERAL (VALUES ('argus_event_changes_waiting', c.waiting::double precision),
        ('argus_event_change_age_seconds', greatest(extract(epoch FROM clock_timestamp() - c.oldest), 0)))
        AS m (name, value)
    WHERE c.waiting > 0
$$;
REVOKE ALL ON FUNCTION pipeline_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_state() TO argus_api;
