-- How the pipeline stands, over all organizations and without a word of any: for whoever watches the installation.
CREATE FUNCTION pipeline_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH waiting AS MATERIALIZED (
        SELECT partition::text AS partition, count(*) AS batches, sum(readings) AS readings,
            min(received_at) AS oldest
        FROM public.raw_batches WHERE normalized_at IS NULL GROUP BY 1
    ), recent AS MATERIALIZED (
        SELECT transport, sum(readings) AS readings, sum(points) AS points
        FROM public.raw_batches WHERE received_at > clock_timestamp() - interval '1 minute' GROUP BY 1
    )
    SELECT 'argus_pipeline_unfinished_batches', jsonb_build_object('partition', partition), batches FROM waiting
    UNION ALL
    SELECT 'argus_pipeline_unfinished_readings', jsonb_build_object('partition', partition), readings FROM waiting
    UNION ALL
    SELECT 'argus_pipeline_lag_seconds', jsonb_build_object('partition', partition),
        greatest(extract(epoch FROM clock_timestamp() - oldest), 0) FROM waiting
    UNION ALL
    SELECT 'argus_stage_commits_total', jsonb_build_object('stage', stage, 'partition', partition::text), position
    FROM public.stage_leases
    UNION ALL
    SELECT 'argus_stage_lease_held', jsonb_build_object('stage', stage, 'partition', partition::text),
        (expires_at > clock_timestamp())::integer
    FROM public.stage_leases
    UNION ALL
    SELECT 'argus_dead_letters_open', jsonb_build_object('stage', stage, 'code', code), count(*)
    FROM public.dead_letters WHERE resolved_at IS NULL AND discarded_at IS NULL GROUP BY stage, code
    UNION ALL
    SELECT 'argus_readings_received_last_minute', jsonb_build_object('transport', transport), readings FROM recent
    UNION ALL
    SELECT 'argus_points_stored_last_minute', jsonb_build_object('transport', transport), points FROM recent
$$;
REVOKE ALL ON FUNCTION pipeline_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_state() TO argus_api;
