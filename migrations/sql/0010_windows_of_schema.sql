-- As before; and a version that was in force only before there were readings leaves no window, which would be empty.
CREATE OR REPLACE FUNCTION windows_of_schema() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    at public.telemetry_schemas;
    was jsonb;
BEGIN
    at := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    IF TG_OP = 'INSERT' THEN
        SELECT s.schema INTO was FROM public.telemetry_schemas s
        WHERE s.organization_id = at.organization_id AND s.entity_type_id = at.entity_type_id
            AND s.effective_from < at.effective_from
        ORDER BY s.effective_from DESC LIMIT 1;
    ELSE
        was := OLD.schema;
    END IF;
    IF TG_OP <> 'DELETE' AND (was -> 'derived') IS NOT DISTINCT FROM (NEW.schema -> 'derived') THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT e.organization_id, e.id, u.begins, u.ends, 'schema'
    FROM (SELECT greatest(at.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(s.effective_from) FROM public.telemetry_schemas s
            WHERE s.organization_id = at.organization_id AND s.entity_type_id = at.entity_type_id
                AND s.effective_from > at.effective_from), 'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.entity_types t ON t.organization_id = at.organization_id AND t.id = at.entity_type_id
    JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
    WHERE u.begins < u.ends;
    PERFORM public.derivation_touch(at.organization_id);
    RETURN NULL;
END $$;
