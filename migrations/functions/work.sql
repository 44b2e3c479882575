-- Activities and webhooks.

-- An activity that is done or deleted frees its place: one unfinished activity for each rule and target. One that is
-- reopened takes it again, unless another has taken it meanwhile.
CREATE OR REPLACE FUNCTION activity_place() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE public.activities a
    SET holds_place = NEW.deleted_at IS NULL AND NEW.status NOT IN ('done', 'verified', 'cancelled')
        AND NOT EXISTS (
            SELECT FROM public.activities o
            WHERE o.organization_id = a.organization_id AND o.rule_id = a.rule_id AND o.target_id = a.target_id
                AND o.holds_place AND o.id <> a.id)
    WHERE a.organization_id = NEW.organization_id AND a.id = NEW.id AND a.rule_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER activity_place AFTER UPDATE OF status, deleted_at ON entities
    FOR EACH ROW WHEN (NEW.kind = 'ACTIVITY') EXECUTE FUNCTION activity_place();

-- Keep the previous secret on a rotation that asks for it. The API sets secrets and can read none, so the table does
-- it.
CREATE OR REPLACE FUNCTION webhook_secret_rotate() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.secret IS DISTINCT FROM OLD.secret THEN
        NEW.previous_secret := CASE WHEN NEW.previous_until IS NOT NULL THEN OLD.secret END;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER webhook_secret_rotate BEFORE UPDATE ON webhook_secrets
    FOR EACH ROW EXECUTE FUNCTION webhook_secret_rotate();

REVOKE ALL ON FUNCTION activity_place(), webhook_secret_rotate()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
