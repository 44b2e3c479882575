-- What became of the readings of finished batches, by minute and by hour of their receipt: the account is summed from
-- these, and from single batches only in the minutes that a range cuts.
CREATE TABLE ingest_tallies (
    organization_id integer NOT NULL,
    -- Of the span, in seconds: 60 or 3600.
    width smallint NOT NULL,
    begins timestamptz NOT NULL,
    -- Partitions are normalized side by side, and would wait for each other for one row.
    partition smallint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    dead bigint NOT NULL,
    CONSTRAINT pk_ingest_tallies PRIMARY KEY (organization_id, width, begins, partition),
    CONSTRAINT fk_ingest_tallies_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_ingest_tallies_width CHECK (width IN (60, 3600))
) WITH (fillfactor = 50);
ALTER TABLE ingest_tallies ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON ingest_tallies TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT ON ingest_tallies TO argus_api;

-- The batches that wait, by organization: the account's pending readings.
CREATE INDEX ix_raw_batches_pending ON raw_batches (organization_id, received_at) INCLUDE (readings)
    WHERE normalized_at IS NULL;

-- The counters of batches were those of their first pass: repeats found later, and replays, had not changed them.
UPDATE raw_batches b SET stored = c.stored, duplicate = c.duplicate, dead = c.dead
FROM (
    SELECT r.organization_id, r.batch_id, r.received_at,
        count(*) FILTER (WHERE k.raw_id = r.id AND k.stored) AS stored,
        count(*) FILTER (WHERE k.raw_id = r.id AND NOT k.stored) AS dead,
        count(*) FILTER (WHERE k.raw_id IS DISTINCT FROM r.id) AS duplicate
    FROM telemetry_raw r LEFT JOIN reading_keys k
        ON k.organization_id = r.organization_id AND k.device_id = r.device_id AND k.key = r.key
    GROUP BY 1, 2, 3
) c
WHERE b.organization_id = c.organization_id AND b.id = c.batch_id AND b.received_at = c.received_at
    AND b.normalized_at IS NOT NULL AND (b.stored, b.duplicate, b.dead) <> (c.stored, c.duplicate, c.dead);

-- Whatever changes the counters of finished batches, finishes them or opens them again, changes the tallies with them.
CREATE FUNCTION tally_batches() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.ingest_tallies AS t (organization_id, width, begins, partition, stored, duplicate, dead)
    SELECT d.organization_id, w.width, date_bin(make_interval(secs => w.width), d.received_at, 'epoch'::timestamptz),
        d.partition, sum(d.stored), sum(d.duplicate), sum(d.dead)
    FROM (
        SELECT organization_id, received_at, partition, stored, duplicate, dead FROM counted_after
        WHERE normalized_at IS NOT NULL
        UNION ALL
        SELECT organization_id, received_at, partition, -stored, -duplicate, -dead FROM counted_before
        WHERE normalized_at IS NOT NULL
    ) d CROSS JOIN (VALUES (60::smallint), (3600::smallint)) w (width)
    GROUP BY 1, 2, 3, 4
    HAVING sum(d.stored) <> 0 OR sum(d.duplicate) <> 0 OR sum(d.dead) <> 0
    -- One order for all, so that none waits for another that waits for it.
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (organization_id, width, begins, partition) DO UPDATE
        SET stored = t.stored + excluded.stored, duplicate = t.duplicate + excluded.duplicate,
            dead = t.dead + excluded.dead;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION tally_batches() FROM PUBLIC;
CREATE TRIGGER tally_batches AFTER UPDATE ON raw_batches
    REFERENCING OLD TABLE AS counted_before NEW TABLE AS counted_after
    FOR EACH STATEMENT EXECUTE FUNCTION tally_batches();

INSERT INTO ingest_tallies (organization_id, width, begins, partition, stored, duplicate, dead)
SELECT b.organization_id, w.width, date_bin(make_interval(secs => w.width), b.received_at, 'epoch'::timestamptz),
    b.partition, sum(b.stored), sum(b.duplicate), sum(b.dead)
FROM raw_batches b CROSS JOIN (VALUES (60::smallint), (3600::smallint)) w (width)
WHERE b.normalized_at IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- As before; and with a day of batches goes what was counted of it.
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
            IF parent = 'telemetry_history' AND NOT public.hours_summarized(old.begins, old.ends) THEN
                CONTINUE;
            END IF;
            IF to_regclass('public.' || quote_ident(old.name)) IS NULL THEN
                CONTINUE;
            END IF;
            EXECUTE format('DROP TABLE public.%I', old.name);
            IF parent = 'telemetry_history' THEN
                UPDATE public.hours_progress SET final_until = greatest(final_until, old.ends);
            ELSIF parent = 'raw_batches' THEN
                DELETE FROM public.ingest_tallies WHERE begins >= old.begins AND begins < old.ends;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;
        END;
        RETURN NEXT old.name;
    END LOOP;
END $$;
