-- Row-level security and the roles' rights. The roles exist before the first migration (migrations/run.py), and so does
-- current_organization (functions/tenancy.sql). Rights on functions are granted beside the functions.

-- Every table with an organization_id is walled off by it, for every role but the owner.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON organizations TO argus_api USING (id = (SELECT current_organization()));
-- No policy: only functions of the owner use it.
ALTER TABLE history_retention ENABLE ROW LEVEL SECURITY;

-- The pipeline serves all organizations, one at a time, and has to know which there are and where work waits.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organizations', 'raw_batches', 'dirty_hours', 'hours_progress', 'dirty_windows',
        'dirty_buckets', 'health_timers', 'rule_timers', 'event_changes', 'suppression_invalidations', 'notifications',
        'failed_items', 'replays'] LOOP
        EXECUTE format('CREATE POLICY pipeline_lists ON %I FOR SELECT TO argus_pipeline USING (true)', name);
    END LOOP;
END $$;
-- Failed items without an organization are the installation's own.
CREATE POLICY installation_items ON failed_items TO argus_pipeline
    USING (organization_id IS NULL) WITH CHECK (organization_id IS NULL);

-- The ingest role writes the raw log for all organizations in one group commit, and can read nothing.
CREATE POLICY ingest_appends ON telemetry_raw FOR INSERT TO argus_ingest WITH CHECK (true);
CREATE POLICY ingest_appends ON raw_batches FOR INSERT TO argus_ingest WITH CHECK (true);

-- A version of an edge is history once another change has begun: only what the clock's last instant wrote can be
-- deleted. So an edge created and corrected by one change is written once.
CREATE POLICY last_change_only ON entity_edges AS RESTRICTIVE FOR DELETE TO argus_api, argus_pipeline
    USING (lower(recorded) = (
        SELECT c.last_recorded FROM graph_clocks c WHERE c.organization_id = (SELECT current_organization())));

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO argus_api, argus_ingest, argus_pipeline;

-- Ingest
GRANT INSERT ON telemetry_raw, raw_batches TO argus_ingest;
GRANT USAGE ON SEQUENCE telemetry_raw_id_seq, raw_batches_id_seq TO argus_ingest;

-- The graph and the plant. Activities are made by the act stage too.
GRANT SELECT ON organizations, graph_clocks, entity_types, entities, relationships, entity_edges, changes, devices,
    assets, spaces, persons, activities TO argus_api, argus_pipeline;
GRANT SELECT ON device_tokens TO argus_api;
GRANT UPDATE (last_recorded, revision, input_revision) ON graph_clocks TO argus_api, argus_pipeline;
GRANT INSERT, UPDATE ON entities, activities TO argus_api, argus_pipeline;
GRANT INSERT, UPDATE ON devices, assets, spaces, persons, relationships TO argus_api;
GRANT INSERT, UPDATE (recorded), DELETE ON entity_edges TO argus_api, argus_pipeline;
GRANT INSERT ON changes, entity_types TO argus_api, argus_pipeline;
GRANT UPDATE, DELETE ON entity_types TO argus_api;
GRANT INSERT, UPDATE (revoked_at) ON device_tokens TO argus_api;

-- Definitions
GRANT SELECT ON telemetry_schemas, asset_profiles, asset_profile_versions, feature_flags, processor_versions
    TO argus_api, argus_pipeline;
GRANT INSERT, UPDATE, DELETE ON telemetry_schemas TO argus_api;
GRANT INSERT, UPDATE ON asset_profiles, feature_flags, processor_versions TO argus_api;
GRANT INSERT ON asset_profile_versions TO argus_api;

-- Telemetry: read by the API, written by the pipeline.
GRANT SELECT ON telemetry_raw, raw_batches, reading_keys, dead_letters, series, telemetry_history, latest_values,
    device_presence, series_hours, dirty_hours, hours_progress TO argus_api, argus_pipeline;
GRANT SELECT ON ingest_accounting TO argus_api;
GRANT UPDATE (discarded_at, discarded_by) ON dead_letters TO argus_api;
GRANT UPDATE (normalized_at, feed_position, stored, duplicate, dead, points) ON raw_batches TO argus_pipeline;
GRANT INSERT, UPDATE ON dead_letters, series, device_presence, hours_progress TO argus_pipeline;
GRANT INSERT, UPDATE, DELETE ON reading_keys, telemetry_history, latest_values, series_hours, dirty_hours
    TO argus_pipeline;

-- Derivation
GRANT SELECT ON dirty_windows, derived_commits, derivation_faults, shadows, shadow_differences, rollups,
    rollup_entities, dirty_buckets TO argus_api, argus_pipeline;
GRANT SELECT ON SEQUENCE dirty_buckets_generation TO argus_api, argus_pipeline;
GRANT USAGE ON SEQUENCE dirty_buckets_generation TO argus_pipeline;
GRANT INSERT, UPDATE ON rollups, dirty_buckets TO argus_api;
GRANT INSERT, UPDATE, DELETE ON dirty_windows, derivation_faults, dirty_buckets TO argus_pipeline;
GRANT INSERT, DELETE ON derived_commits, shadow_differences, rollup_entities TO argus_pipeline;
GRANT UPDATE (compared, different, omitted, errors, last_error) ON shadows TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_partial_aggregates, rollup_input_changes, health_measured
    TO argus_pipeline;
GRANT SELECT, INSERT, DELETE ON health_timers TO argus_pipeline;

-- Rules and events
GRANT SELECT ON rules, rule_versions, events, event_corrections, event_changes, event_annotations, shelves,
    maintenance_windows TO argus_api, argus_pipeline;
GRANT INSERT, UPDATE ON rules, rule_versions TO argus_api;
GRANT INSERT ON event_annotations TO argus_api;
GRANT INSERT, UPDATE, DELETE ON shelves, maintenance_windows TO argus_api;
GRANT INSERT, UPDATE ON events, event_changes TO argus_pipeline;
GRANT INSERT ON event_corrections TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON rule_states, rule_timers TO argus_pipeline;
GRANT SELECT, UPDATE, DELETE ON suppression_invalidations TO argus_pipeline;

-- Work. The API sets the secret of webhooks and cannot read it again; it orders tests of webhooks, and retries.
GRANT SELECT ON activity_templates, activity_steps, notifications TO argus_api, argus_pipeline;
GRANT INSERT, UPDATE ON activity_templates TO argus_api;
GRANT INSERT ON activity_steps, notifications TO argus_api, argus_pipeline;
GRANT UPDATE (state, attempts, due_at, last_error, finished_at, claimed_by, losses, give_up_at) ON notifications
    TO argus_api, argus_pipeline;
GRANT SELECT (organization_id, id, rotated_at, rotated_by, previous_until), INSERT, UPDATE ON webhook_secrets
    TO argus_api;
GRANT SELECT ON webhook_secrets TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE ON event_notification_states TO argus_pipeline;

-- Operations
GRANT SELECT, INSERT, UPDATE ON stage_leases, work_counts TO argus_pipeline;
GRANT SELECT, UPDATE (tries, due_at) ON failed_items TO argus_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON failed_items TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE (state, finished_at) ON replays TO argus_api;
GRANT SELECT, UPDATE ON replays TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON convergence_progress, convergence_checks, convergence_differences
    TO argus_pipeline;
