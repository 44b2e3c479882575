-- What ends an event besides its condition: its entity is deleted, or becomes of another type. A severity may fall, too.

ALTER TABLE event_changes DROP CONSTRAINT ck_event_changes_kind;
ALTER TABLE event_changes ADD CONSTRAINT ck_event_changes_kind CHECK (
    kind IN ('OPENED', 'CLEARED', 'REOPENED', 'CORRECTED', 'WITHDRAWN', 'ESCALATED', 'DEESCALATED'));

-- As before; and where anything is watched, any change of type: other rules may judge the thing.
CREATE OR REPLACE FUNCTION windows_of_type() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.kind IN ('DEVICE', 'ASSET', 'SPACE') AND (
        public.type_derives(NEW.organization_id, NEW.kind, OLD.type)
            OR public.type_derives(NEW.organization_id, NEW.kind, NEW.type)
            OR public.organization_watches(NEW.organization_id)
    ) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'type');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;

-- A thing that was deleted, or restored: rules judge it up to its deletion.
CREATE FUNCTION windows_of_deletion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.organization_watches(NEW.organization_id) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, least(OLD.deleted_at, NEW.deleted_at), '9999-01-01Z', 'rule');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_deletion AFTER UPDATE OF deleted_at ON entities
    FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at AND NEW.kind IN ('DEVICE', 'ASSET', 'SPACE'))
    EXECUTE FUNCTION windows_of_deletion();
REVOKE ALL ON FUNCTION windows_of_deletion() FROM PUBLIC;
