-- What an activity is about changes nothing of what is measured there: no window, and no other revision of what is
-- derived, each time one is made.
CREATE OR REPLACE FUNCTION windows_of_hierarchy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
BEGIN
    IF NEW.relationship = 'TARGETS' OR NOT public.organization_watches(NEW.organization_id) THEN
        RETURN NULL;
    END IF;
    IF NEW.relationship NOT IN ('LOCATED_IN', 'MONITORED_BY', 'CONTROLLED_BY') AND NOT EXISTS (
        SELECT FROM public.relationships r
        WHERE r.organization_id = NEW.organization_id AND r.name = NEW.relationship AND r.hierarchy
    ) THEN
        RETURN NULL;
    END IF;
    dirty := public.edge_difference(NEW, TG_OP = 'INSERT');
    IF dirty IS NOT NULL THEN
        PERFORM public.windows_note(NEW.organization_id, NEW.source_id, dirty, 'hierarchy');
        PERFORM public.windows_note(NEW.organization_id, NEW.target_id, dirty, 'hierarchy');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;

-- A thing that became of another type, or of another weight, is rolled up otherwise, for all time.
CREATE FUNCTION windows_of_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.rollups u
        WHERE u.organization_id = NEW.organization_id AND (OLD.type IS DISTINCT FROM NEW.type
            OR OLD.attributes -> (u.definition ->> 'attribute') IS DISTINCT FROM
                NEW.attributes -> (u.definition ->> 'attribute'))
    ) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'hierarchy');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_member AFTER UPDATE OF type, attributes ON entities
    FOR EACH ROW WHEN ((OLD.type, OLD.attributes) IS DISTINCT FROM (NEW.type, NEW.attributes))
    EXECUTE FUNCTION windows_of_member();

-- Rollups made, edited or deleted: who is counted is another matter then.
CREATE FUNCTION derivation_of_rollup() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER derivation_of_rollup AFTER INSERT OR UPDATE ON rollups
    FOR EACH ROW EXECUTE FUNCTION derivation_of_rollup();

REVOKE ALL ON FUNCTION windows_of_member(), derivation_of_rollup() FROM PUBLIC;
