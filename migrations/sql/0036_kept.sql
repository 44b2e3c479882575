-- From when on points are kept: one rule for whoever writes points, and hours that are right in every zone without them.

-- What the points of each quarter of an hour come to, beside the whole hour: four records, as
-- domain/telemetry/store/hourly_summary.py packs them. NULL: not known; points are read as long as they are kept.
ALTER TABLE series_hours ADD COLUMN quarters bytea;

-- One row. Nothing is written to history before kept_from. dropped_until: up to where points were dropped, for good;
-- between both there are none, and whoever lengthens what is kept may load some.
CREATE TABLE points_kept (
    is_only boolean NOT NULL DEFAULT true,
    kept_from timestamptz NOT NULL DEFAULT '-infinity',
    dropped_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_points_kept PRIMARY KEY (is_only),
    CONSTRAINT ck_points_kept_only CHECK (is_only)
);
-- No policy: only the functions below, which are the owner's, touch it.
ALTER TABLE points_kept ENABLE ROW LEVEL SECURITY;
INSERT INTO points_kept (kept_from, dropped_until)
    SELECT coalesce(max(final_until), '-infinity'), coalesce(max(final_until), '-infinity') FROM hours_progress;

-- Returns from when on points are kept, which does not change until the transaction has ended. Volatile: what is read
-- after the wait for the lock is as of then.
CREATE FUNCTION points_kept_hold() RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('argus.points_kept'), 0);
    RETURN (SELECT k.kept_from FROM public.points_kept k);
END $$;

-- Lets nothing more be written to months that ended at or before an instant, and to others again. A month that is still
-- there stays open: it has to go first. Returns from when on points are kept. Whoever writes points just now is waited
-- for, 200 ms at most; NULL: it is to be tried again.
CREATE FUNCTION points_close(before timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    month timestamptz := date_trunc('month', before, 'UTC');
BEGIN
    IF before > clock_timestamp() - interval '1 day' THEN
        RAISE EXCEPTION 'points_close: what is younger than a day is kept';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('argus.points_kept'), 0);
    UPDATE public.points_kept k SET kept_from = greatest(k.dropped_until, least(month,
        (SELECT min(p.begins) FROM public.partitions_ended('telemetry_history', month) p)));
    RETURN (SELECT k.kept_from FROM public.points_kept k);
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION points_kept_hold(), points_close(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION points_kept_hold(), points_close(timestamptz) TO argus_pipeline;

-- As before; and a month of the history goes only after all before it, and nothing is written to it from then on.
CREATE OR REPLACE FUNCTION drop_partitions(parent text, before timestamptz) RETURNS SETOF text
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
            -- Locked first and judged then: nobody opens a batch or writes a point in between.
            IF parent = 'telemetry_history' THEN
                PERFORM pg_advisory_xact_lock(hashtext('argus.points_kept'), 0);
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
            -- Batches stay as long as their readings.
            IF parent = 'raw_batches' AND EXISTS (
                SELECT FROM public.partitions_ended('telemetry_raw', old.ends) p WHERE p.ends > old.begins)
            THEN
                CONTINUE;
            END IF;
            -- What lies before the end of a month that went is final: none may be left behind.
            IF parent = 'telemetry_history' AND NOT public.hours_summarized(old.begins, old.ends) THEN
                RETURN;
            END IF;
            IF to_regclass('public.' || quote_ident(old.name)) IS NULL THEN
                CONTINUE;
            END IF;
            EXECUTE format('DROP TABLE public.%I', old.name);
            IF parent = 'telemetry_history' THEN
                UPDATE public.hours_progress SET final_until = greatest(final_until, old.ends);
                UPDATE public.points_kept SET dropped_until = greatest(dropped_until, old.ends),
                    kept_from = greatest(kept_from, old.ends);
            ELSIF parent = 'raw_batches' THEN
                DELETE FROM public.ingest_tallies WHERE begins >= old.begins AND begins < old.ends;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;
        END;
        RETURN NEXT old.name;
    END LOOP;
END $$;

-- Hours may have been made of points in a wrong order, and none has quarters yet: what there still are points for is
-- summarized anew, in its turn, and is read by its points until then. What has been dropped stays as it is.
UPDATE hours_progress p SET until = least(p.until, m.begins), next = NULL, series_id = NULL
FROM (SELECT o.id, (
        SELECT greatest(min(e.begins), h.final_until) FROM partitions_ended('telemetry_history', 'infinity') e
        WHERE e.ends > h.final_until
    ) AS begins
    FROM organizations o JOIN hours_progress h ON h.organization_id = o.id) m
WHERE p.organization_id = m.id AND m.begins IS NOT NULL;
