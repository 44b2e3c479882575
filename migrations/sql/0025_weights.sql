-- As before of a type, which counts for all time. A weight counts from the instant at which it was recorded; where it is
-- the first that was recorded of an entity, from ever.
CREATE OR REPLACE FUNCTION windows_of_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    since timestamptz;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.rollups u
        WHERE u.organization_id = NEW.organization_id AND (OLD.type IS DISTINCT FROM NEW.type
            OR OLD.attributes -> (u.definition ->> 'attribute') IS DISTINCT FROM
                NEW.attributes -> (u.definition ->> 'attribute'))
    ) THEN
        RETURN NULL;
    END IF;
    IF OLD.type IS NOT DISTINCT FROM NEW.type THEN
        SELECT k.last_recorded INTO since FROM public.graph_clocks k
        WHERE k.organization_id = NEW.organization_id AND EXISTS (
            SELECT FROM public.changes c
            WHERE c.organization_id = NEW.organization_id AND c.subject_id = NEW.id AND c.subject_type = 'entity'
                AND c.after IS NOT NULL AND c.recorded_at < k.last_recorded);
    END IF;
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    VALUES (NEW.organization_id, NEW.id, coalesce(since, '1970-01-01Z'), '9999-01-01Z', 'hierarchy');
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;

-- What was weighted until now was so by the weights of the day.
INSERT INTO dirty_buckets (organization_id, entity_id, what, begins, ends, changed_from, turn)
SELECT r.organization_id, r.id, 'rollup:' || r.id, '1970-01-01Z', '9999-01-01Z', '1970-01-01Z',
    CASE WHEN s.is_called THEN s.last_value ELSE 0 END
FROM rollups r, dirty_buckets_turn s
WHERE r.deleted_at IS NULL AND r.definition ->> 'attribute' IS NOT NULL
ON CONFLICT (organization_id, entity_id, what, begins, turn) DO NOTHING;
