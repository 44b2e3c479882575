-- What was closed since an instant: a snapshot in memory asks for it at every change.
CREATE INDEX ix_entity_edges_closed ON entity_edges (organization_id, upper(recorded))
    WHERE upper(recorded) IS NOT NULL;

-- Where an organization's things are: its own alone, for many may share a town.
DROP INDEX ix_entities_bounds;
CREATE INDEX ix_entities_bounds ON entities USING gist (organization_id, bounds)
    WHERE bounds IS NOT NULL;

-- Parts of names, in upper or lower case.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE INDEX ix_entities_name_parts ON entities USING gin (organization_id, name gin_trgm_ops, external_id gin_trgm_ops)
    WHERE deleted_at IS NULL;

-- Functions that look into these indexes as the owner. Under row-level security PostgreSQL uses an index only by
-- operators it knows to leak nothing, and those of boxes, ranges and trigrams are not among them. Each looks at one
-- organization, and finds nothing where that is not the transaction's own; what they find is read under row-level security.

CREATE FUNCTION entities_in_boxes(organization integer, first box, second box, OUT id uuid, OUT kind text, OUT geometry bytea)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.id, e.kind, e.geometry FROM public.entities e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization()) AND e.deleted_at IS NULL
        AND e.bounds IS NOT NULL AND (e.bounds && first OR e.bounds && second)
$$;

CREATE FUNCTION entities_named_like(organization integer, pattern text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.id FROM public.entities e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization()) AND e.deleted_at IS NULL
        AND (e.name ILIKE pattern OR e.external_id ILIKE pattern)
$$;

CREATE FUNCTION edges_recorded_since(organization integer, since timestamptz, most integer,
    OUT id uuid, OUT source_id uuid, OUT believed boolean)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT e.id, e.source_id, true FROM public.entity_edges e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization()) AND lower(e.recorded) > since
        AND upper_inf(e.recorded) LIMIT most)
    UNION ALL
    (SELECT e.id, e.source_id, false FROM public.entity_edges e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization()) AND upper(e.recorded) > since LIMIT most)
$$;

REVOKE ALL ON FUNCTION entities_in_boxes(integer, box, box), entities_named_like(integer, text),
    edges_recorded_since(integer, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entities_in_boxes(integer, box, box), entities_named_like(integer, text),
    edges_recorded_since(integer, timestamptz, integer) TO argus_api, argus_pipeline;

-- What was given up by somebody, and what can be tried again.
ALTER TABLE dead_letters ADD COLUMN discarded_at timestamptz, ADD COLUMN discarded_by text;
GRANT UPDATE (discarded_at, discarded_by) ON dead_letters TO argus_api;

-- Batches are the pipeline's; who may retry a dead letter may have its batch processed again, and no more.
CREATE FUNCTION batches_reopen(organization integer, raw_ids bigint[], received timestamptz[]) RETURNS integer
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH reopened AS (
        UPDATE public.raw_batches b SET normalized_at = NULL
        WHERE b.organization_id = organization AND organization = (SELECT public.current_organization())
            AND b.normalized_at IS NOT NULL
            AND (b.id, b.received_at) IN (
                SELECT r.batch_id, r.received_at FROM unnest(raw_ids, received) AS u (i, t)
                JOIN public.telemetry_raw r
                    ON r.organization_id = organization AND r.id = u.i AND r.received_at = u.t)
        RETURNING 1
    )
    SELECT count(*)::integer FROM reopened
$$;
REVOKE ALL ON FUNCTION batches_reopen(integer, bigint[], timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION batches_reopen(integer, bigint[], timestamptz[]) TO argus_api;
