-- Work that starts by itself: templates, what became of an activity, and calls of webhooks.

CREATE TABLE activity_templates (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    type text,
    default_priority text,
    default_assigned_role text,
    checklist jsonb NOT NULL DEFAULT '[]',
    due_in interval,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_activity_templates PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_activity_templates_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX uq_activity_templates_name ON activity_templates (organization_id, name) WHERE deleted_at IS NULL;

-- rule_id, event_id: of what made it by itself. target_id: what it is about then.
-- holds_place: it is the one unfinished activity of that rule and target.
-- suggestion: {action, eventId, at}: what its event has come to suggests to close it, or to cancel it.
ALTER TABLE activities
    ADD COLUMN template_id uuid,
    ADD COLUMN rule_id uuid,
    ADD COLUMN event_id uuid,
    ADD COLUMN target_id uuid,
    ADD COLUMN holds_place boolean NOT NULL DEFAULT false,
    ADD COLUMN suggestion jsonb,
    ADD CONSTRAINT fk_activities_template FOREIGN KEY (organization_id, template_id)
        REFERENCES activity_templates (organization_id, id),
    ADD CONSTRAINT ck_activities_place CHECK (NOT holds_place OR rule_id IS NOT NULL AND target_id IS NOT NULL);
CREATE UNIQUE INDEX uq_activities_place ON activities (organization_id, rule_id, target_id) WHERE holds_place;
CREATE INDEX ix_activities_rule ON activities (organization_id, rule_id, target_id) WHERE rule_id IS NOT NULL;
CREATE INDEX ix_activities_event ON activities (organization_id, event_id) WHERE event_id IS NOT NULL;

-- The place follows the status, however that was changed. Where another took it meanwhile, that one keeps it.
CREATE FUNCTION activity_place() RETURNS trigger LANGUAGE plpgsql
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
CREATE TRIGGER activity_place AFTER UPDATE OF status, deleted_at ON entities
    FOR EACH ROW WHEN (NEW.kind = 'ACTIVITY') EXECUTE FUNCTION activity_place();

-- What became of activities, step by step; never changed.
CREATE TABLE activity_steps (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    activity_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    step text NOT NULL,
    from_status text,
    to_status text,
    person_id uuid,
    item_id text,
    event_id uuid,
    note text,
    CONSTRAINT pk_activity_steps PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_activity_steps_activity FOREIGN KEY (organization_id, activity_id)
        REFERENCES activities (organization_id, id),
    CONSTRAINT ck_activity_steps_step CHECK (step IN ('CREATED', 'MOVED', 'ASSIGNED', 'ITEM', 'EVENT', 'SUGGESTED'))
);
CREATE INDEX ix_activity_steps_activity ON activity_steps (organization_id, activity_id, recorded_at, id);
CREATE INDEX ix_activity_steps_event ON activity_steps (organization_id, event_id) WHERE event_id IS NOT NULL;

-- With what the calls of webhooks are signed.
CREATE TABLE webhook_secrets (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    secret text NOT NULL,
    rotated_at timestamptz NOT NULL,
    rotated_by text NOT NULL,
    CONSTRAINT pk_webhook_secrets PRIMARY KEY (organization_id),
    CONSTRAINT fk_webhook_secrets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Calls of webhooks. change_id: of event_changes; a change is told once.
CREATE TABLE notifications (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    change_id bigint NOT NULL,
    event_id uuid NOT NULL,
    url text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'PENDING',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    last_error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_notifications PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_notifications_change UNIQUE (organization_id, change_id),
    CONSTRAINT fk_notifications_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_notifications_state CHECK (state IN ('PENDING', 'DELIVERED', 'DEAD'))
);
CREATE INDEX ix_notifications_due ON notifications (due_at) WHERE state = 'PENDING';
CREATE INDEX ix_notifications_event ON notifications (organization_id, event_id);
CREATE INDEX ix_notifications_created_at ON notifications (organization_id, created_at, id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['activity_templates', 'activity_steps', 'webhook_secrets', 'notifications'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
CREATE POLICY pipeline_lists ON notifications FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE ON activity_templates TO argus_api;
GRANT SELECT, INSERT ON activity_steps TO argus_api;
-- The API sets a secret and cannot read it again.
GRANT SELECT (organization_id, id, rotated_at, rotated_by), INSERT, UPDATE ON webhook_secrets TO argus_api;
GRANT SELECT, UPDATE (state, attempts, due_at, last_error, finished_at) ON notifications TO argus_api;
GRANT SELECT ON activity_templates, webhook_secrets TO argus_pipeline;
GRANT SELECT, INSERT ON activity_steps TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE (state, attempts, due_at, last_error, finished_at) ON notifications TO argus_pipeline;
-- The act stage makes activities, as the API does.
GRANT INSERT, UPDATE ON entities, activities TO argus_pipeline;
GRANT INSERT, DELETE, UPDATE (recorded) ON entity_edges TO argus_pipeline;
GRANT INSERT ON changes, entity_types TO argus_pipeline;
GRANT UPDATE (last_recorded, revision) ON graph_clocks TO argus_pipeline;
