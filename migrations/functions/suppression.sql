-- Invalidation of suppression: over which time it has to be decided again whether events are suppressed.

-- Invalidate a time; one that is being worked through begins again.
CREATE OR REPLACE FUNCTION quiet_touch(organization integer, touched_from timestamptz, touched_to timestamptz)
    RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.quiet_dirt (organization_id, begins, ends) VALUES (organization, touched_from, touched_to)
    ON CONFLICT (organization_id, begins, ends) DO UPDATE SET done_at = NULL, done_id = NULL
$$;

-- A shelf or a maintenance window is set, moved, ended or taken back: its time before and after.
CREATE OR REPLACE FUNCTION quiet_of_hush() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM public.quiet_touch(OLD.organization_id, OLD.begins, OLD.ends);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM public.quiet_touch(NEW.organization_id, NEW.begins, NEW.ends);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER quiet_of_shelf AFTER INSERT OR UPDATE OR DELETE ON shelves
    FOR EACH ROW EXECUTE FUNCTION quiet_of_hush();
CREATE OR REPLACE TRIGGER quiet_of_window AFTER INSERT OR UPDATE OR DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION quiet_of_hush();

-- An edge by which one entity is below another changes: the times of maintenance windows of something below an entity,
-- where they overlap the time over which the edge differs.
CREATE OR REPLACE FUNCTION quiet_of_edge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
    hush record;
BEGIN
    IF NEW.relationship = 'TARGETS' OR NOT EXISTS (
        SELECT FROM public.maintenance_windows w
        WHERE w.organization_id = NEW.organization_id AND w.under_id IS NOT NULL
    ) THEN
        RETURN NULL;
    END IF;
    IF NEW.relationship NOT IN ('LOCATED_IN', 'MONITORED_BY', 'CONTROLLED_BY') AND NOT EXISTS (
        SELECT FROM public.relationships r
        WHERE r.organization_id = NEW.organization_id AND r.name = NEW.relationship AND r.hierarchy
    ) THEN
        RETURN NULL;
    END IF;
    dirty := public.edge_difference(NEW, TG_OP = 'INSERT');
    IF dirty IS NULL THEN
        RETURN NULL;
    END IF;
    FOR hush IN
        SELECT w.begins, w.ends FROM public.maintenance_windows w
        WHERE w.organization_id = NEW.organization_id AND w.under_id IS NOT NULL
            AND dirty && tstzrange(w.begins, w.ends)
    LOOP
        PERFORM public.quiet_touch(NEW.organization_id, hush.begins, hush.ends);
    END LOOP;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS quiet_of_edge ON entity_edges;
CREATE CONSTRAINT TRIGGER quiet_of_edge AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quiet_of_edge();

REVOKE ALL ON FUNCTION quiet_touch(integer, timestamptz, timestamptz), quiet_of_hush(),
    quiet_of_edge()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
