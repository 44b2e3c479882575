-- Partitions of the raw log (by day of receipt) and of the history (by month of event time).

-- Create the partition that holds an instant, where it is missing. It is created apart and then attached: ATTACH
-- PARTITION does not block readers and writers of the parent.
CREATE OR REPLACE FUNCTION ensure_partition(parent text, instant timestamptz) RETURNS void
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
    child := parent || '_'
        || to_char(begins AT TIME ZONE 'UTC', CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END);
    -- Read from pg_class with this statement's snapshot. to_regclass would answer from the session's catalogue cache,
    -- where a name that was missing before the wait for the lock is still missing.
    IF EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = child) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('argus.ensure_partition'), hashtext(child));
    IF EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = child) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, begins, ends);
EXCEPTION
    -- A REPEATABLE READ transaction does not see a table that was created since its snapshot.
    WHEN duplicate_table OR duplicate_object OR unique_violation THEN RETURN;
END $$;

-- The partitions of a table that end at or before an instant, the oldest first.
CREATE OR REPLACE FUNCTION partitions_ended(parent text, before timestamptz,
    OUT name text, OUT begins timestamptz, OUT ends timestamptz) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.relname, bounds[1]::timestamptz, bounds[2]::timestamptz
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid),
        $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$) AS bounds
    WHERE i.inhparent = to_regclass('public.' || quote_ident(parent)) AND bounds[2]::timestamptz <= before
    ORDER BY 3
$$;

REVOKE ALL ON FUNCTION ensure_partition(text, timestamptz),
    partitions_ended(text, timestamptz)
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION ensure_partition(text, timestamptz) TO argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION partitions_ended(text, timestamptz) TO argus_pipeline;
