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

-- What was found up to the very end of a version is known there from now on.
DELETE FROM rule_states WHERE state = 'null';

-- All is judged again from where a version begins, up to where nothing differs: what stood there counts. Where a rule is
-- about what is below something, things come to be there at any time: over all of it.
DO $$
DECLARE
    known bigint;
BEGIN
    SELECT coalesce(max(id), 0) INTO known FROM dirty_windows;
    UPDATE rule_versions v SET recorded_at = v.recorded_at WHERE NOT EXISTS (
        SELECT FROM rule_versions o
        WHERE o.organization_id = v.organization_id AND o.rule_id = v.rule_id AND o.under_id IS NOT NULL);
    UPDATE dirty_windows SET ends = begins + interval '1 microsecond' WHERE id > known;
    UPDATE rule_versions v SET recorded_at = v.recorded_at WHERE EXISTS (
        SELECT FROM rule_versions o
        WHERE o.organization_id = v.organization_id AND o.rule_id = v.rule_id AND o.under_id IS NOT NULL);
END $$;

-- Events of what was deleted are cleared at its deletion, those of a rule that was about what it once was withdrawn.
-- What follows from that is, as ever, done only where somebody was told of their beginning.
INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
SELECT e.organization_id, e.id, e.deleted_at, '9999-01-01Z', 'rule' FROM entities e
WHERE e.deleted_at IS NOT NULL AND EXISTS (
    SELECT FROM events v
    WHERE v.organization_id = e.organization_id AND v.entity_id = e.id AND v.withdrawn_at IS NULL
        AND coalesce(v.cleared_at, 'infinity') >= e.deleted_at);
INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
SELECT DISTINCT e.organization_id, e.id, '1970-01-01Z'::timestamptz, '9999-01-01Z'::timestamptz, 'rule'
FROM events v JOIN entities e ON e.organization_id = v.organization_id AND e.id = v.entity_id
WHERE v.withdrawn_at IS NULL AND NOT EXISTS (
    SELECT FROM rule_versions o
    WHERE o.organization_id = v.organization_id AND o.rule_id = v.rule_id
        AND (o.type IS NULL OR (o.type = e.type AND o.kind = e.kind)));
