-- What the points of a series' hours come to, so that a long range in buckets need not be read point by point, and is
-- still known when the points are no longer kept.

-- One row per hour that holds points. sum + sum_error is their exact sum. is_whole: everything that buckets ask of the
-- hour's points is here; where not (texts, sums that two doubles do not hold), the points are read as long as they are
-- kept, and the rest of the row is empty.
CREATE TABLE series_hours (
    organization_id integer NOT NULL,
    series_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    is_whole boolean NOT NULL,
    points integer,
    least_type smallint,
    greatest_type smallint,
    least double precision,
    greatest double precision,
    first double precision,
    last double precision,
    sum double precision,
    sum_error double precision,
    CONSTRAINT pk_series_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_series_hours_series FOREIGN KEY (organization_id, series_id) REFERENCES series (organization_id, id),
    CONSTRAINT ck_series_hours_whole CHECK (is_whole = (num_nulls(points, least_type, greatest_type, least, greatest,
        first, last, sum, sum_error) = 0))
);

-- Hours that something was written to after they may have been summarized: their rows do not count until they have
-- been made anew.
CREATE TABLE dirty_hours (
    organization_id integer NOT NULL,
    series_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    marked_at timestamptz NOT NULL,
    CONSTRAINT pk_dirty_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_dirty_hours_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_dirty_hours_marked_at ON dirty_hours (organization_id, marked_at);

-- How far an organization's hours have been summarized. All before `until` have. [until, next) has for the series up to
-- series_id. What lies before final_until is as it was when its points were dropped, for good.
CREATE TABLE hours_progress (
    organization_id integer NOT NULL,
    until timestamptz NOT NULL,
    next timestamptz,
    series_id bigint,
    final_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_hours_progress PRIMARY KEY (organization_id),
    CONSTRAINT fk_hours_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['series_hours', 'dirty_hours', 'hours_progress'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline
            USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
CREATE POLICY pipeline_lists ON dirty_hours FOR SELECT TO argus_pipeline USING (true);
CREATE POLICY pipeline_lists ON hours_progress FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT ON series_hours, dirty_hours, hours_progress TO argus_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON series_hours, dirty_hours TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE ON hours_progress TO argus_pipeline;

-- As before; and a month of the history goes only once every organization's hours in it have been summarized, which is
-- then what is known of it.
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
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;
        END;
        RETURN NEXT old.name;
    END LOOP;
END $$;

-- Whether every organization's hours of a time are known without their points.
CREATE FUNCTION hours_summarized(begins timestamptz, ends timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM organizations o LEFT JOIN hours_progress p ON p.organization_id = o.id
        WHERE p.until IS NULL OR p.until < ends
    ) AND NOT EXISTS (
        SELECT FROM dirty_hours d JOIN hours_progress p ON p.organization_id = d.organization_id
        WHERE d.hour >= greatest(begins, p.final_until) AND d.hour < ends
    )
$$;
REVOKE ALL ON FUNCTION hours_summarized(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hours_summarized(timestamptz, timestamptz) TO argus_pipeline;
