-- The log of updates of events: what happened to each, as subscriptions are sent it.

-- Log the event changes, or annotations, that a statement has written.
CREATE OR REPLACE FUNCTION log_event_updates() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.event_updates (organization_id, event_id, what, cluster)
    SELECT a.organization_id, a.event_id, a.kind, c.system_identifier FROM added a CROSS JOIN pg_control_system() c;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER log_event_updates_on_change AFTER INSERT ON event_changes
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION log_event_updates();
CREATE OR REPLACE TRIGGER log_event_updates_on_annotation AFTER INSERT ON event_annotations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION log_event_updates();

REVOKE ALL ON FUNCTION log_event_updates() FROM PUBLIC, argus_api, argus_ingest, argus_pipeline, argus_scoped;
