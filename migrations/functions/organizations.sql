-- Organizations that are suspended, or gone: nothing more is received for them.

-- The organizations that are suspended. Asked by whoever verifies tokens, of all organizations.
CREATE OR REPLACE FUNCTION organizations_suspended() RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.id FROM public.organizations o WHERE o.suspended_at IS NOT NULL
$$;

-- Refuse readings of organizations that are suspended or gone. Whoever deletes an organization takes the same lock
-- exclusively (graph/locks.py, INGEST_LOCK): readings that are being written then are committed before, and are deleted
-- with it; those that come later are refused here.
CREATE OR REPLACE FUNCTION raw_batches_admit() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    refused integer;
BEGIN
    -- In one order for all.
    PERFORM pg_advisory_xact_lock_shared(1229866836, a.organization_id)
    FROM (SELECT DISTINCT organization_id FROM added ORDER BY 1) a;
    SELECT a.organization_id INTO refused FROM added a
    WHERE NOT EXISTS (SELECT FROM public.organizations o WHERE o.id = a.organization_id AND o.suspended_at IS NULL)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'organization % is suspended', refused USING ERRCODE = 'AR001';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER raw_batches_admit AFTER INSERT ON raw_batches REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION raw_batches_admit();

REVOKE ALL ON FUNCTION organizations_suspended(), raw_batches_admit()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION organizations_suspended() TO argus_api;
