-- Invalidation of suppression: over which time it has to be decided again whether events are suppressed.

-- Invalidate a time; one that is being worked through begins again.
CREATE OR REPLACE FUNCTION suppression_invalidate(organization integer, since timestamptz, until timestamptz)
    RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.suppression_invalidations (organization_id, begins, ends)
    VALUES (organization, since, until)
    ON CONFLICT (organization_id, begins, ends) DO UPDATE SET done_at = NULL, done_id = NULL
$$;

-- A shelf or a maintenance window is set, moved, ended or taken back: its time before and after.
CREATE OR REPLACE FUNCTION invalidate_suppression_on_window() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM public.suppression_invalidate(OLD.organization_id, OLD.begins, OLD.ends);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM public.suppression_invalidate(NEW.organization_id, NEW.begins, NEW.ends);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_suppression_on_shelf AFTER INSERT OR UPDATE OR DELETE ON shelves
    FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_window();
CREATE OR REPLACE TRIGGER invalidate_suppression_on_window AFTER INSERT OR UPDATE OR DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_window();

-- An edge by which one entity is below another changes: the times of maintenance windows of something below an entity,
-- where they overlap the time over which the edge differs.
CREATE OR REPLACE FUNCTION invalidate_suppression_on_edge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
    maintenance record;
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
    FOR maintenance IN
        SELECT w.begins, w.ends FROM public.maintenance_windows w
        WHERE w.organization_id = NEW.organization_id AND w.under_id IS NOT NULL
            AND dirty && tstzrange(w.begins, w.ends)
    LOOP
        PERFORM public.suppression_invalidate(NEW.organization_id, maintenance.begins, maintenance.ends);
    END LOOP;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS invalidate_suppression_on_edge ON entity_edges;
CREATE CONSTRAINT TRIGGER invalidate_suppression_on_edge AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invalidate_suppression_on_edge();

REVOKE ALL ON FUNCTION suppression_invalidate(integer, timestamptz, timestamptz), invalidate_suppression_on_window(),
    invalidate_suppression_on_edge()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
