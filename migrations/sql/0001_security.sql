-- Row-level security, the roles' rights, and the few functions that act for them as the owner.
-- The roles exist before the first migration (see migrations/run.py).

CREATE FUNCTION current_organization() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('argus.organization_id', true), '')::integer;

-- Every table with an organization_id is walled off by it, for every role but the owner.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON organizations TO argus_api USING (id = (SELECT current_organization()));
-- The pipeline serves all organizations one at a time, and has to know which there are and where work waits.
CREATE POLICY pipeline_lists ON organizations FOR SELECT TO argus_pipeline USING (true);
CREATE POLICY pipeline_lists ON raw_batches FOR SELECT TO argus_pipeline USING (true);
-- The ingest role writes the raw log for all organizations in one group commit, and can read nothing.
CREATE POLICY ingest_appends ON telemetry_raw FOR INSERT TO argus_ingest WITH CHECK (true);
CREATE POLICY ingest_appends ON raw_batches FOR INSERT TO argus_ingest WITH CHECK (true);

-- A version is history once another change has begun: only what the clock's last instant wrote can be taken back.
-- So a row created and corrected by one change is written once.
CREATE POLICY last_change_only ON entity_edges AS RESTRICTIVE FOR DELETE TO argus_api, argus_pipeline
    USING (lower(recorded) = (
        SELECT c.last_recorded FROM graph_clocks c WHERE c.organization_id = (SELECT current_organization())));

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO argus_api, argus_ingest, argus_pipeline;

GRANT SELECT ON organizations, graph_clocks, entity_types, entities, devices, assets, spaces, persons, activities,
    relationships, entity_edges, changes, device_tokens, telemetry_schemas, telemetry_raw, raw_batches, reading_keys,
    series, telemetry_history, latest_values, device_presence, dead_letters TO argus_api;
GRANT INSERT, UPDATE ON entities, devices, assets, spaces, persons, activities TO argus_api;
GRANT INSERT, UPDATE, DELETE ON entity_types, telemetry_schemas TO argus_api;
GRANT INSERT, UPDATE ON relationships TO argus_api;
GRANT INSERT, DELETE, UPDATE (recorded) ON entity_edges TO argus_api;
GRANT INSERT ON changes TO argus_api;
GRANT INSERT, UPDATE (revoked_at) ON device_tokens TO argus_api;
GRANT UPDATE (last_recorded, revision) ON graph_clocks TO argus_api;

GRANT INSERT ON telemetry_raw, raw_batches TO argus_ingest;
GRANT USAGE ON SEQUENCE telemetry_raw_id_seq, raw_batches_id_seq TO argus_ingest;

GRANT SELECT ON organizations, graph_clocks, entity_types, entities, devices, assets, spaces, persons, activities,
    relationships, entity_edges, changes, telemetry_schemas, telemetry_raw, raw_batches, reading_keys, series,
    telemetry_history, latest_values, device_presence, dead_letters, stage_leases TO argus_pipeline;
GRANT INSERT, UPDATE, DELETE ON reading_keys, telemetry_history, latest_values TO argus_pipeline;
GRANT INSERT, UPDATE ON series, device_presence, dead_letters, stage_leases TO argus_pipeline;
GRANT UPDATE (normalized_at, feed_position, stored, duplicate, dead, points) ON raw_batches TO argus_pipeline;

-- The partition of a partitioned table that holds an instant: created where it is missing.
-- Attached, not created in place: ATTACH leaves readers and writers of the parent alone.
CREATE FUNCTION ensure_partition(parent text, instant timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    step text := CASE parent
        WHEN 'telemetry_raw' THEN 'day' WHEN 'raw_batches' THEN 'day' WHEN 'telemetry_history' THEN 'month' END;
    begins timestamptz;
    ends timestamptz;
    child text;
BEGIN
    IF step IS NULL THEN
        RAISE EXCEPTION 'ensure_partition: % has no partitions of its own making', parent;
    END IF;
    begins := date_trunc(step, instant, 'UTC');
    ends := ((begins AT TIME ZONE 'UTC') + ('1 ' || step)::interval) AT TIME ZONE 'UTC';
    child := parent || '_' || to_char(begins AT TIME ZONE 'UTC', CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END);
    IF to_regclass('public.' || quote_ident(child)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('argus.ensure_partition'), hashtext(child));
    IF to_regclass('public.' || quote_ident(child)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, begins, ends);
END $$;

-- Who a device token belongs to: asked before the organization is known.
CREATE FUNCTION device_token_owner(hash bytea, OUT organization_id integer, OUT device_id uuid, OUT token_id uuid)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.organization_id, t.device_id, t.id
    FROM public.device_tokens t
    JOIN public.entities e ON e.organization_id = t.organization_id AND e.id = t.device_id
    WHERE t.token_hash = hash AND t.revoked_at IS NULL AND e.deleted_at IS NULL
$$;

-- The organization a user's token names by its slug: asked before the organization is known.
CREATE FUNCTION organization_by_slug(wanted text, OUT id integer, OUT public_id uuid, OUT name text)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.id, o.public_id, o.name FROM public.organizations o WHERE o.slug = wanted
$$;

REVOKE ALL ON FUNCTION ensure_partition(text, timestamptz), device_token_owner(bytea), organization_by_slug(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partition(text, timestamptz) TO argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION device_token_owner(bytea), organization_by_slug(text) TO argus_api;
