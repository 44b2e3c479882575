-- What lies in the access scope of a confined caller, found as the owner.

-- Groups: those with a member in the scope, now or ever; and dynamic ones whose filters name no entity elsewhere, nor
-- a group that is not seen.
CREATE OR REPLACE FUNCTION groups_of_scope() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE scope (id) AS MATERIALIZED (
        SELECT s.id FROM public.current_scope() s (id)
    ), decided AS MATERIALIZED (
        SELECT g.id, g.group_ids, CASE g.kind
            WHEN 'STATIC' THEN EXISTS (
                SELECT FROM public.group_members m WHERE m.organization_id = g.organization_id AND m.group_id = g.id
                    AND m.entity_id IN (SELECT s.id FROM scope s))
            ELSE NOT EXISTS (SELECT FROM unnest(g.entity_ids) u (id) WHERE u.id NOT IN (SELECT s.id FROM scope s))
            END AS is_seen
        FROM public.groups g WHERE g.organization_id = (SELECT public.current_organization())
    ), hidden (id) AS (
        SELECT d.id FROM decided d WHERE NOT d.is_seen
        UNION
        SELECT d.id FROM hidden h JOIN decided d ON h.id = ANY (d.group_ids)
    )
    SELECT d.id FROM decided d WHERE d.id NOT IN (SELECT h.id FROM hidden h)
$$;

-- Rules that are for the whole organization, for a type, or for entities of the scope alone, in all their versions.
CREATE OR REPLACE FUNCTION rules_of_scope() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.id FROM public.rules r
    WHERE r.organization_id = (SELECT public.current_organization()) AND NOT EXISTS (
        SELECT FROM public.rule_versions v WHERE v.organization_id = r.organization_id AND v.rule_id = r.id
            AND (v.entity_id NOT IN (SELECT public.current_scope()) OR v.under_id NOT IN (SELECT public.current_scope())
                -- Where there are no groups, NULL too is in none of them.
                OR (v.group_id IS NOT NULL AND v.group_id NOT IN (SELECT public.groups_of_scope()))
                OR EXISTS (SELECT FROM public.group_members m
                    WHERE m.organization_id = v.organization_id AND m.group_id = v.group_id
                        AND m.entity_id NOT IN (SELECT public.current_scope()))))
$$;

REVOKE ALL ON FUNCTION groups_of_scope(), rules_of_scope() FROM PUBLIC, argus_api, argus_ingest, argus_pipeline, argus_scoped;
GRANT EXECUTE ON FUNCTION groups_of_scope(), rules_of_scope() TO argus_scoped;
