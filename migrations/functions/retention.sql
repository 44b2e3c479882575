-- Retention: drop whole partitions, delete from other tables page by page, and keep a boundary below which no point is
-- written.

-- Whether the hourly aggregates of a time are complete for every organization, so that its points may be dropped.
CREATE OR REPLACE FUNCTION hourly_aggregates_built(begins timestamptz, ends timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM organizations o LEFT JOIN hours_progress p ON p.organization_id = o.id
        WHERE p.until IS NULL OR p.until < ends
    ) AND NOT EXISTS (
        SELECT FROM dirty_hours d JOIN hours_progress p ON p.organization_id = d.organization_id
        WHERE d.hour >= greatest(begins, p.final_until) AND d.hour < ends
    )
$$;

-- The instant from which on points are retained, and a shared lock: it does not change before the transaction ends.
-- VOLATILE, so that it is read after the wait for the lock.
CREATE OR REPLACE FUNCTION history_retention_hold() RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('argus.history_retention'), 0);
    RETURN (SELECT k.retained_from FROM public.history_retention k);
END $$;

-- Move the instant from which on points are retained to the month of `before`: nothing is written to earlier months
-- from then on, and later ones are open again. A month that still has a partition stays open; drop it first. Returns
-- the instant. Waits at most 200 ms for transactions that write points just now; NULL: try again.
CREATE OR REPLACE FUNCTION history_close(before timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    month timestamptz := date_trunc('month', before, 'UTC');
BEGIN
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'history_close: what is younger than a day is retained';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('argus.history_retention'), 0);
    UPDATE public.history_retention k SET retained_from = greatest(k.dropped_until, least(month,
        (SELECT min(p.begins) FROM public.partitions_ended('telemetry_history', month) p)));
    RETURN (SELECT k.retained_from FROM public.history_retention k);
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN NULL;
END $$;

-- Drop the partitions of a table that end at or before an instant; returns their names. Kept are: a day of the raw log
-- with a batch that is not processed, the batches of readings that are kept, a month whose hourly aggregates are
-- incomplete and all after it, and whatever others lock for longer than the timeout: everybody who wants the table
-- later, ingest too, would queue behind a lock that waits.
CREATE OR REPLACE FUNCTION drop_partitions(parent text, before timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    old record;
BEGIN
    IF parent NOT IN ('telemetry_raw', 'raw_batches', 'telemetry_history') THEN
        RAISE EXCEPTION 'drop_partitions: % is kept', parent;
    END IF;
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'drop_partitions: what is younger than a day is retained';
    END IF;
    FOR old IN SELECT * FROM public.partitions_ended(parent, before) LOOP
        BEGIN
            -- Locked before it is checked, so that nobody reopens a batch or writes a point in between.
            IF parent = 'telemetry_history' THEN
                PERFORM pg_advisory_xact_lock(hashtext('argus.history_retention'), 0);
            END IF;
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
            -- Batches are kept as long as their readings.
            IF parent = 'raw_batches' AND EXISTS (
                SELECT FROM public.partitions_ended('telemetry_raw', old.ends) p WHERE p.ends > old.begins)
            THEN
                CONTINUE;
            END IF;
            -- Aggregates before the end of a dropped month are final: no earlier month may be left behind.
            IF parent = 'telemetry_history' AND NOT public.hourly_aggregates_built(old.begins, old.ends) THEN
                RETURN;
            END IF;
            IF to_regclass('public.' || quote_ident(old.name)) IS NULL THEN
                CONTINUE;
            END IF;
            EXECUTE format('DROP TABLE public.%I', old.name);
            IF parent = 'telemetry_history' THEN
                UPDATE public.hours_progress SET final_until = greatest(final_until, old.ends);
                UPDATE public.history_retention SET dropped_until = greatest(dropped_until, old.ends),
                    retained_from = greatest(retained_from, old.ends);
            ELSIF parent = 'raw_batches' THEN
                DELETE FROM public.ingest_accounting WHERE begins >= old.begins AND begins < old.ends;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;
        END;
        RETURN NEXT old.name;
    END LOOP;
END $$;

-- Delete the rows of some pages of a table, of all organizations, that are older than an instant; returns how many. By
-- pages: that needs no index and reads each page once.
CREATE OR REPLACE FUNCTION delete_expired_rows(relation text, before timestamptz, first_page bigint, pages integer)
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
    which text := CASE relation
        WHEN 'reading_keys' THEN 't.received_at < $1'
        WHEN 'dead_letters' THEN 't.received_at < $1'
        WHEN 'derived_commits' THEN 't.committed_at < $1'
        -- Not those that wait.
        WHEN 'event_changes' THEN 't.processed_at < $1'
        WHEN 'event_corrections' THEN 't.recorded_at < $1'
        WHEN 'event_updates' THEN 't.recorded_at < $1'
        -- The clearing of an event asks whether its opening was notified.
        WHEN 'notifications' THEN $sql$t.finished_at < $1 AND t.state <> 'PENDING' AND NOT EXISTS (
            SELECT FROM public.events e WHERE e.organization_id = t.organization_id AND e.id = t.event_id
                AND e.cleared_at IS NULL AND e.withdrawn_at IS NULL)$sql$
        WHEN 'activity_steps' THEN $sql$t.recorded_at < $1 AND t.step IN ('EVENT', 'SUGGESTED') AND NOT EXISTS (
            SELECT FROM public.events e WHERE e.organization_id = t.organization_id AND e.id = t.event_id
                AND e.cleared_at IS NULL AND e.withdrawn_at IS NULL)$sql$
        -- The last state of each month stays: evaluation of later readings starts from it.
        WHEN 'rule_states' THEN $sql$t.at < $1 AND EXISTS (
            SELECT FROM public.rule_states s WHERE s.organization_id = t.organization_id
                AND s.entity_id = t.entity_id AND s.rule_id = t.rule_id AND s.key = t.key AND s.at > t.at AND s.at <= $1
                AND s.at < (date_trunc('month', t.at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC')$sql$
    END;
BEGIN
    IF which IS NULL THEN
        RAISE EXCEPTION 'delete_expired_rows: % is kept', relation;
    END IF;
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'delete_expired_rows: what is younger than a day is retained';
    END IF;
    EXECUTE format('DELETE FROM public.%I t WHERE t.ctid >= %L AND t.ctid < %L AND %s', relation,
        format('(%s,0)', first_page), format('(%s,0)', first_page + pages), which) USING before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE ALL ON FUNCTION hourly_aggregates_built(timestamptz, timestamptz), history_retention_hold(),
    history_close(timestamptz), drop_partitions(text, timestamptz), delete_expired_rows(text, timestamptz, bigint,
    integer)
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION hourly_aggregates_built(timestamptz, timestamptz), history_retention_hold(),
    history_close(timestamptz), drop_partitions(text, timestamptz),
    delete_expired_rows(text, timestamptz, bigint, integer) TO argus_pipeline;
