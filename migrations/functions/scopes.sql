-- What lies in the access scope of a confined caller, found as the owner.

-- Rules that are for the whole organization, for a type, or for entities of the scope alone, in all their versions.
CREATE OR REPLACE FUNCTION rules_of_scope() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.id FROM public.rules r
    WHERE r.organization_id = (SELECT public.current_organization()) AND NOT EXISTS (
        SELECT FROM public.rule_versions v WHERE v.organization_id = r.organization_id AND v.rule_id = r.id
            AND (v.entity_id NOT IN (SELECT public.current_scope()) OR v.under_id NOT IN (SELECT public.current_scope())))
$$;

REVOKE ALL ON FUNCTION rules_of_scope() FROM PUBLIC, argus_api, argus_ingest, argus_pipeline, argus_scoped;
GRANT EXECUTE ON FUNCTION rules_of_scope() TO argus_scoped;
