-- The partition of a partitioned table that holds an instant: created where it is missing.
-- Attached, not created in place: ATTACH leaves readers and writers of the parent alone.
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
    child := parent || '_' || to_char(begins AT TIME ZONE 'UTC', CASE step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END);
    -- The table itself is read, by a snapshot of this statement's own. to_regclass answers from the session's catalogue
    -- cache, where a name that was missing before the wait for the lock is missing still.
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
    -- A transaction whose snapshot is as old as itself (REPEATABLE READ) sees no table that came since it began.
    WHEN duplicate_table OR duplicate_object OR unique_violation THEN RETURN;
END $$;
