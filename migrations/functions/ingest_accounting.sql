-- Ingest accounting: what became of the readings of each batch.

-- Keep the sums by minute and by hour of receipt equal to the counters of finished batches, whenever batches are
-- finished, processed again or reopened.
CREATE OR REPLACE FUNCTION ingest_accounting_update() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.ingest_accounting AS t (organization_id, width, begins, partition, stored, duplicate, dead)
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
    -- One order for all, to avoid deadlocks.
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (organization_id, width, begins, partition) DO UPDATE
        SET stored = t.stored + excluded.stored, duplicate = t.duplicate + excluded.duplicate,
            dead = t.dead + excluded.dead;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER ingest_accounting_update AFTER UPDATE ON raw_batches
    REFERENCING OLD TABLE AS counted_before NEW TABLE AS counted_after
    FOR EACH STATEMENT EXECUTE FUNCTION ingest_accounting_update();

-- Have the batches of some readings processed again. The batches belong to the pipeline; whoever may retry a dead
-- letter may do this, and nothing else, to them.
CREATE OR REPLACE FUNCTION batches_reopen(organization integer, raw_ids bigint[], received timestamptz[])
    RETURNS integer LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

-- What became of some readings, in the words of the accounting, and over which transport they came. The batches and keys
-- belong to the pipeline; a confined caller sees those of its devices.
CREATE OR REPLACE FUNCTION readings_outcome(organization integer, raw_ids bigint[], received timestamptz[],
    OUT id bigint, OUT transport text, OUT outcome text)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.id, b.transport, CASE
        WHEN b.normalized_at IS NULL THEN 'pending'
        WHEN k.raw_id IS DISTINCT FROM r.id THEN 'duplicate'
        WHEN k.stored THEN 'stored' ELSE 'dead' END
    FROM unnest(raw_ids, received) AS u (i, t)
    JOIN public.telemetry_raw r ON r.organization_id = organization AND r.id = u.i AND r.received_at = u.t
    JOIN public.raw_batches b ON b.organization_id = organization AND b.id = r.batch_id AND b.received_at = u.t
    LEFT JOIN public.reading_keys k
        ON k.organization_id = organization AND k.device_id = r.device_id AND k.key = r.key
    WHERE organization = (SELECT public.current_organization())
        AND ((SELECT public.is_unscoped()) OR r.device_id IN (SELECT public.current_scope()))
$$;

REVOKE ALL ON FUNCTION ingest_accounting_update(), batches_reopen(integer, bigint[], timestamptz[]),
    readings_outcome(integer, bigint[], timestamptz[])
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline, argus_scoped;
GRANT EXECUTE ON FUNCTION batches_reopen(integer, bigint[], timestamptz[]) TO argus_api;
GRANT EXECUTE ON FUNCTION readings_outcome(integer, bigint[], timestamptz[]) TO argus_api, argus_scoped;
