-- Metrics of the installation, over all organizations and without a name of any, as rows of name, labels and value.

-- The pipeline: batches, stages, dead letters, dirty windows and buckets, failed items, changes of events that wait.
CREATE OR REPLACE FUNCTION pipeline_state(OUT name text, OUT labels jsonb, OUT value double precision)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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
    UNION ALL
    SELECT m.name, jsonb_build_object('stage', l.stage, 'partition', l.partition::text), m.value
    FROM public.stage_leases l
    CROSS JOIN LATERAL (VALUES ('argus_stage_items_total', l.items), ('argus_stage_errors_total', l.errors),
        ('argus_stage_busy_seconds_total', l.busy_s), ('argus_stage_delay_seconds_total', l.delay_s),
        ('argus_stage_delays_total', l.delays)) AS m (name, value)
    UNION ALL
    SELECT 'argus_dirty_windows', jsonb_build_object('reason', reason), count(*)
    FROM public.dirty_windows GROUP BY reason
    UNION ALL
    SELECT 'argus_dirty_window_age_seconds', jsonb_build_object('reason', reason),
        greatest(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
    FROM public.dirty_windows GROUP BY reason
    UNION ALL
    SELECT m.name, jsonb_build_object('of', d.computation), m.value
    FROM (
        SELECT lower(split_part(computation, '_', 1)) AS computation, count(*) AS buckets, min(created_at) AS oldest
        FROM public.dirty_buckets GROUP BY 1
    ) d
    CROSS JOIN LATERAL (VALUES ('argus_dirty_buckets', d.buckets::double precision),
        ('argus_dirty_bucket_age_seconds', greatest(extract(epoch FROM clock_timestamp() - d.oldest), 0)))
        AS m (name, value)
    UNION ALL
    SELECT 'argus_failed_items', jsonb_build_object('queue', f.queue, 'state', f.state), count(*)::double precision
    FROM (
        SELECT queue, CASE WHEN due_at IS NULL THEN 'set_aside' ELSE 'retrying' END AS state
        FROM public.failed_items WHERE resolved_at IS NULL
    ) f GROUP BY f.queue, f.state
    UNION ALL
    -- Without those deferred until a shelf or a maintenance window ends.
    SELECT m.name, '{}', m.value
    FROM (
        SELECT count(*) AS waiting, min(greatest(recorded_at, due_at)) AS oldest FROM public.event_changes
        WHERE processed_at IS NULL AND coalesce(due_at, '-infinity') <= clock_timestamp()
    ) c
    CROSS JOIN LATERAL (VALUES ('argus_event_changes_waiting', c.waiting::double precision),
        ('argus_event_change_age_seconds', greatest(extract(epoch FROM clock_timestamp() - c.oldest), 0)))
        AS m (name, value)
    WHERE c.waiting > 0
$$;

-- The self-check: comparisons, and differences by what was compared.
CREATE OR REPLACE FUNCTION convergence_state(OUT name text, OUT labels jsonb, OUT value double precision)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.name, jsonb_build_object('of', k.of), m.value
    FROM unnest(ARRAY['derived', 'events', 'states', 'rollups', 'health']) AS k (of)
    LEFT JOIN (
        SELECT c.of, sum(c.checks) AS checks, sum(c.skipped) AS skipped, sum(c.differences) AS differences
        FROM public.convergence_checks c GROUP BY c.of
    ) c ON c.of = k.of
    LEFT JOIN (
        SELECT d.of, count(*) AS open FROM public.convergence_differences d
        WHERE d.repaired_at IS NULL GROUP BY d.of
    ) d ON d.of = k.of
    CROSS JOIN LATERAL (VALUES
        ('argus_convergence_checks_total', coalesce(c.checks, 0)::double precision),
        ('argus_convergence_skipped_total', coalesce(c.skipped, 0)::double precision),
        ('argus_convergence_differences_total', coalesce(c.differences, 0)::double precision),
        ('argus_convergence_differences_open', coalesce(d.open, 0)::double precision)
    ) AS m (name, value)
$$;

-- Notifications that wait, calls of webhooks, jobs that expired.
CREATE OR REPLACE FUNCTION deliveries_state(OUT name text, OUT labels jsonb, OUT value double precision)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH waiting AS MATERIALIZED (
        SELECT count(*) AS notifications, min(due_at) FILTER (WHERE attempts = 0) AS oldest
        FROM public.notifications WHERE state = 'PENDING'
    )
    SELECT 'argus_notifications_waiting', '{}'::jsonb, notifications FROM waiting
    UNION ALL
    SELECT 'argus_notification_first_call_age_seconds', '{}'::jsonb,
        greatest(extract(epoch FROM clock_timestamp() - oldest), 0)
    FROM waiting WHERE oldest IS NOT NULL
    UNION ALL
    SELECT 'argus_webhook_heartbeat_age_seconds', '{}'::jsonb,
        greatest(extract(epoch FROM clock_timestamp() - counted_at), 0)
    FROM public.work_counts WHERE work_counts.name = 'heartbeat'
    UNION ALL
    -- From 0 on: what a counter has when it is first seen is no increase of it.
    SELECT 'argus_webhook_calls_total', jsonb_build_object('outcome', k.outcome), coalesce(c.value, 0)
    FROM unnest(ARRAY['delivered', 'failed', 'dead', 'lost']) AS k (outcome)
    LEFT JOIN public.work_counts c ON c.name = 'calls' AND c.label = k.outcome
    UNION ALL
    SELECT 'argus_jobs_expired_total', jsonb_build_object('job', k.job), coalesce(c.value, 0)
    FROM unnest(ARRAY['partition', 'sweep', 'buckets', 'hourly', 'check', 'retention', 'replay', 'erasure']) AS k (job)
    LEFT JOIN public.work_counts c ON c.name = 'jobs_expired' AND c.label = k.job
$$;

REVOKE ALL ON FUNCTION pipeline_state(), convergence_state(), deliveries_state()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION pipeline_state(), convergence_state(), deliveries_state() TO argus_api;
