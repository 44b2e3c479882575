-- Retention: what is no longer kept goes, by whole partitions where there are any, else by pages of a table.

-- The partitions of a table that end at or before an instant, the oldest first.
CREATE FUNCTION partitions_ended(parent text, before timestamptz,
    OUT name text, OUT begins timestamptz, OUT ends timestamptz) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.relname, bounds[1]::timestamptz, bounds[2]::timestamptz
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid),
        $re$FROM \('([^']+)'\) TO \('([^']+)'\)$re$) AS bounds
    WHERE i.inhparent = to_regclass('public.' || quote_ident(parent)) AND bounds[2]::timestamptz <= before
    ORDER BY 3
$$;

-- Drops the partitions of a table that end at or before an instant; returns those that went. Stays: a day of the raw
-- log with a batch that no stage has finished, and whatever somebody else holds longer than the lock's timeout, for
-- all who come after a lock that waits wait with it, ingest too.
CREATE FUNCTION drop_partitions(parent text, before timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    old record;
BEGIN
    IF parent NOT IN ('telemetry_raw', 'raw_batches', 'telemetry_history') THEN
        RAISE EXCEPTION 'drop_partitions: % is kept', parent;
    END IF;
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'drop_partitions: what is younger than a day is kept';
    END IF;
    FOR old IN SELECT * FROM public.partitions_ended(parent, before) LOOP
        BEGIN
            -- Locked first and judged then: nobody opens a batch in between.
            EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
            IF parent = 'telemetry_raw' THEN
                LOCK TABLE ONLY public.raw_batches IN SHARE MODE;
            END IF;
            IF parent <> 'telemetry_history' AND EXISTS (
                SELECT FROM public.raw_batches b
                WHERE b.normalized_at IS NULL AND b.received_at >= old.begins AND b.received_at < old.ends)
            THEN
                CONTINUE;
            END IF;
            -- Batches stay as long as their readings.
            IF parent = 'raw_batches' AND EXISTS (
                SELECT FROM public.partitions_ended('telemetry_raw', old.ends) p WHERE p.ends > old.begins)
            THEN
                CONTINUE;
            END IF;
            IF to_regclass('public.' || quote_ident(old.name)) IS NULL THEN
                CONTINUE;
            END IF;
            EXECUTE format('DROP TABLE public.%I', old.name);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;
        END;
        RETURN NEXT old.name;
    END LOOP;
END $$;

-- Deletes the rows received, or committed, before an instant from some pages of a table that has no partitions, of all organizations;
-- returns how many. By pages, so that neither an index nor a second look at a page is needed.
CREATE FUNCTION forget_rows(relation text, before timestamptz, first_page bigint, pages integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF relation NOT IN ('reading_keys', 'dead_letters', 'derived_commits') THEN
        RAISE EXCEPTION 'forget_rows: % is kept', relation;
    END IF;
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'forget_rows: what is younger than a day is kept';
    END IF;
    EXECUTE format('DELETE FROM public.%I WHERE ctid >= %L AND ctid < %L AND %I < %L', relation,
        format('(%s,0)', first_page), format('(%s,0)', first_page + pages),
        CASE relation WHEN 'derived_commits' THEN 'committed_at' ELSE 'received_at' END, before);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE ALL ON FUNCTION partitions_ended(text, timestamptz), drop_partitions(text, timestamptz),
    forget_rows(text, timestamptz, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partitions_ended(text, timestamptz), drop_partitions(text, timestamptz),
    forget_rows(text, timestamptz, bigint, integer) TO argus_pipeline;
