-- Deliveries run in processes of their own: claims with a lease, a queue per organization and destination, and numbers.
ALTER TABLE notifications
    -- A test has neither a change nor an event.
    ALTER COLUMN change_id DROP NOT NULL,
    ALTER COLUMN event_id DROP NOT NULL,
    -- What deliveries are queued by: host:port, or test: and the id of a test.
    ADD COLUMN destination text,
    -- The process that is making the call. Its lease is due_at: from then on others take it.
    ADD COLUMN claimed_by text,
    -- Claims in a row that ended without an outcome.
    ADD COLUMN losses integer NOT NULL DEFAULT 0,
    -- A call that fails after this instant is the last one.
    ADD COLUMN give_up_at timestamptz;
UPDATE notifications SET
    destination = lower(substring(url FROM '^[A-Za-z]+://([^/?#]+)')) || CASE
        WHEN url ~ '^[A-Za-z]+://[^/?#]+:[0-9]+([/?#]|$)' THEN '' WHEN url ~* '^https:' THEN ':443' ELSE ':80' END,
    give_up_at = greatest(created_at, CASE WHEN state = 'PENDING' THEN clock_timestamp() ELSE created_at END)
        + interval '1 day';
UPDATE notifications SET destination = '-' WHERE destination IS NULL;
-- With defaults, for processes of the version before that still run.
ALTER TABLE notifications
    ALTER COLUMN destination SET NOT NULL, ALTER COLUMN destination SET DEFAULT '-',
    ALTER COLUMN give_up_at SET NOT NULL, ALTER COLUMN give_up_at SET DEFAULT clock_timestamp() + interval '1 day',
    ADD CONSTRAINT ck_notifications_of CHECK ((change_id IS NULL) = (event_id IS NULL));
DROP INDEX ix_notifications_due;
CREATE INDEX ix_notifications_due ON notifications (organization_id, destination, due_at) WHERE state = 'PENDING';
CREATE INDEX ix_notifications_first ON notifications (organization_id, destination, due_at)
    WHERE state = 'PENDING' AND attempts = 0;
CREATE INDEX ix_notifications_claimed ON notifications (claimed_by) WHERE claimed_by IS NOT NULL;
-- The API orders tests and has dead ones tried again.
GRANT INSERT, UPDATE (claimed_by, losses, give_up_at) ON notifications TO argus_api;
GRANT UPDATE (claimed_by, losses, give_up_at) ON notifications TO argus_pipeline;

-- After a rotation the secret before it signs beside the new one for a while.
ALTER TABLE webhook_secrets ADD COLUMN previous_secret text, ADD COLUMN previous_until timestamptz;
GRANT SELECT (previous_until) ON webhook_secrets TO argus_api;
-- The API sets a secret and may not read any, so the table itself keeps the one before.
CREATE FUNCTION webhook_secret_keep() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.secret IS DISTINCT FROM OLD.secret THEN
        NEW.previous_secret := CASE WHEN NEW.previous_until IS NOT NULL THEN OLD.secret END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_previous BEFORE UPDATE ON webhook_secrets
    FOR EACH ROW EXECUTE FUNCTION webhook_secret_keep();

-- What processes count, over all organizations: for whoever watches the installation.
CREATE TABLE work_counts (
    name text NOT NULL,
    label text NOT NULL,
    value double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    CONSTRAINT pk_work_counts PRIMARY KEY (name, label)
);
GRANT SELECT, INSERT, UPDATE ON work_counts TO argus_pipeline;

CREATE FUNCTION deliveries_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH waiting AS MATERIALIZED (
        SELECT count(*) AS notifications, min(due_at) FILTER (WHERE attempts = 0) AS oldest
        FROM public.notifications WHERE state = 'PENDING'
    )
    SELECT 'argus_notifications_waiting', '{}'::jsonb, notifications FROM waiting
    UNION ALL
    SELECT 'argus_notification_first_call_age_seconds', '{}'::jsonb,
        greatest(extract(epoch FROM clock_timestamp() - oldest), 0)
    FROM waiting WHERE oldest IS NOT NULL
    UNION ALL
    SELECT 'argus_webhook_heartbeat_age_seconds', '{}'::jsonb,
        greatest(extract(epoch FROM clock_timestamp() - counted_at), 0)
    FROM public.work_counts WHERE work_counts.name = 'heartbeat'
    UNION ALL
    SELECT 'argus_webhook_calls_total', jsonb_build_object('outcome', label), work_counts.value
    FROM public.work_counts WHERE work_counts.name = 'calls'
    UNION ALL
    SELECT 'argus_jobs_expired_total', jsonb_build_object('job', label), work_counts.value
    FROM public.work_counts WHERE work_counts.name = 'jobs_expired'
$$;
REVOKE ALL ON FUNCTION deliveries_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deliveries_state() TO argus_api;
