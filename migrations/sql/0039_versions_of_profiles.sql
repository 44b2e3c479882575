-- A window over [since, until) for every entity of which anything was ever derived, by formulas of its type or of its
-- profile; returns how many.
CREATE OR REPLACE FUNCTION windows_of_all(organization integer, since timestamptz, until timestamptz, why text)
    RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH noted AS (
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT organization, d.id, u.b, u.e, why
        FROM (SELECT greatest(since, '1970-01-01Z'::timestamptz) AS b,
            least(until, '9999-01-01Z'::timestamptz) AS e) u
        CROSS JOIN (
            SELECT e.id
            FROM public.entity_types t
            JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
            WHERE t.organization_id = organization AND EXISTS (
                SELECT FROM public.telemetry_schemas s
                WHERE s.organization_id = t.organization_id AND s.entity_type_id = t.id AND s.schema ? 'derived')
            UNION
            SELECT a.id
            FROM public.assets a
            WHERE a.organization_id = organization AND EXISTS (
                SELECT FROM public.asset_profile_versions v
                WHERE v.organization_id = a.organization_id AND v.profile_id = a.profile_id
                    AND v.content -> 'formulas' <> '{}'::jsonb)
        ) d
        WHERE u.b < u.e
        RETURNING 1
    )
    SELECT count(*) FROM noted
$$;

-- What was promoted before has not reached the assets that derive by their profile alone.
INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
SELECT a.organization_id, a.id, greatest(min(p.effective_from), '1970-01-01Z'), '9999-01-01Z', 'processor'
FROM assets a
JOIN processor_versions p ON p.organization_id = a.organization_id AND p.stage = 'derive'
WHERE EXISTS (
    SELECT FROM asset_profile_versions v
    WHERE v.organization_id = a.organization_id AND v.profile_id = a.profile_id AND v.content -> 'formulas' <> '{}'::jsonb)
GROUP BY a.organization_id, a.id
HAVING greatest(min(p.effective_from), '1970-01-01Z') < '9999-01-01Z';
