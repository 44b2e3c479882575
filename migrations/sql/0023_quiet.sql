-- Until when nothing follows from an event, because it opened while it was shelved or in maintenance; a function of
-- these, of the graph and of when it opened. And when what follows from its opening was seen to, whatever it was.
ALTER TABLE events ADD COLUMN quiet_until timestamptz, ADD COLUMN followed_at timestamptz;
UPDATE events e SET followed_at = e.detected_at
WHERE NOT e.suppressed AND NOT EXISTS (
    SELECT FROM event_changes c
    WHERE c.organization_id = e.organization_id AND c.event_id = e.id AND c.acted_at IS NULL);
ALTER TABLE events DROP COLUMN suppressed;
CREATE INDEX ix_events_quiet ON events (organization_id, quiet_until) WHERE quiet_until IS NOT NULL;

-- Not to be followed before.
ALTER TABLE event_changes ADD COLUMN due_at timestamptz;

-- Over which event time it has to be looked again whether events are suppressed. Gone through by when events opened:
-- those up to here are done.
CREATE TABLE quiet_dirt (
    organization_id integer NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    done_at timestamptz,
    done_id uuid,
    CONSTRAINT pk_quiet_dirt PRIMARY KEY (organization_id, begins, ends),
    CONSTRAINT fk_quiet_dirt_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
ALTER TABLE quiet_dirt ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON quiet_dirt TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY pipeline_lists ON quiet_dirt FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT, UPDATE, DELETE ON quiet_dirt TO argus_pipeline;
INSERT INTO quiet_dirt (organization_id, begins, ends)
SELECT organization_id, begins, ends FROM shelves UNION SELECT organization_id, begins, ends FROM maintenance_windows;

CREATE FUNCTION quiet_touch(organization integer, touched_from timestamptz, touched_to timestamptz) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.quiet_dirt (organization_id, begins, ends) VALUES (organization, touched_from, touched_to)
    ON CONFLICT (organization_id, begins, ends) DO UPDATE SET done_at = NULL, done_id = NULL
$$;

-- A shelf or a window set, moved, ended or taken back: as it was, and as it is.
CREATE FUNCTION quiet_of_hush() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
CREATE TRIGGER quiet_of_shelf AFTER INSERT OR UPDATE OR DELETE ON shelves
    FOR EACH ROW EXECUTE FUNCTION quiet_of_hush();
CREATE TRIGGER quiet_of_window AFTER INSERT OR UPDATE OR DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION quiet_of_hush();

-- An edge over which something lies below something else, made, ended, moved or taken back: the windows that say what
-- is below, where they meet the time in which it is another edge.
CREATE FUNCTION quiet_of_edge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
CREATE CONSTRAINT TRIGGER quiet_of_edge AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quiet_of_edge();
REVOKE ALL ON FUNCTION quiet_touch(integer, timestamptz, timestamptz), quiet_of_hush(), quiet_of_edge() FROM PUBLIC;
