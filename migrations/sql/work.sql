-- Activities and notifications: what people and other systems do about events.

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

CREATE TABLE activities (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('ACTIVITY') STORED,
    category text NOT NULL,
    priority text NOT NULL,
    due_at timestamptz,
    checklist jsonb NOT NULL DEFAULT '[]',
    template_id uuid,
    -- Of an activity made by a rule: the rule, the event, and the entity it is about.
    rule_id uuid,
    event_id uuid,
    target_id uuid,
    -- Whether it is the one unfinished activity of that rule and target.
    holds_place boolean NOT NULL DEFAULT false,
    -- {action, eventId, at}: its event suggests to close or to cancel it.
    suggestion jsonb,
    CONSTRAINT pk_activities PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_activities_entity FOREIGN KEY (organization_id, id, kind)
        REFERENCES entities (organization_id, id, kind),
    CONSTRAINT fk_activities_template FOREIGN KEY (organization_id, template_id)
        REFERENCES activity_templates (organization_id, id),
    CONSTRAINT ck_activities_place CHECK (NOT holds_place OR rule_id IS NOT NULL AND target_id IS NOT NULL)
);
CREATE UNIQUE INDEX uq_activities_place ON activities (organization_id, rule_id, target_id) WHERE holds_place;
CREATE INDEX ix_activities_rule ON activities (organization_id, rule_id, target_id) WHERE rule_id IS NOT NULL;
CREATE INDEX ix_activities_event ON activities (organization_id, event_id) WHERE event_id IS NOT NULL;

-- The history of activities, step by step. Insert only.
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

-- The secret with which calls of webhooks are signed.
CREATE TABLE webhook_secrets (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    secret text NOT NULL,
    rotated_at timestamptz NOT NULL,
    rotated_by text NOT NULL,
    -- After a rotation the previous secret signs beside the new one until then.
    previous_secret text,
    previous_until timestamptz,
    CONSTRAINT pk_webhook_secrets PRIMARY KEY (organization_id),
    CONSTRAINT fk_webhook_secrets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- The last notification about an event to an address: its sequence number, and the state it reported.
CREATE TABLE event_notification_states (
    organization_id integer NOT NULL,
    event_id uuid NOT NULL,
    url text NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    CONSTRAINT pk_event_notification_states PRIMARY KEY (organization_id, event_id, url),
    CONSTRAINT fk_event_notification_states_event FOREIGN KEY (organization_id, event_id)
        REFERENCES events (organization_id, id),
    CONSTRAINT ck_event_notification_states_state CHECK (state IN ('OPEN', 'CLEARED', 'WITHDRAWN'))
);

-- Calls of webhooks, about events or as a test.
CREATE TABLE notifications (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    -- NULL: a test.
    event_id uuid,
    url text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'PENDING',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    last_error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- The number of a call among those about its event to its address; NULL: a test.
    sequence integer,
    -- What deliveries are queued by: host:port, or test: and the id of a test.
    destination text NOT NULL DEFAULT '-',
    -- The process that is making the call. Its lease is due_at: from then on others take it.
    claimed_by text,
    -- Consecutive claims that ended without an outcome.
    losses integer NOT NULL DEFAULT 0,
    -- A call that fails after this instant is the last one.
    give_up_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 day',
    CONSTRAINT pk_notifications PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_notifications_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_notifications_state CHECK (state IN ('PENDING', 'DELIVERED', 'DEAD'))
);
CREATE INDEX ix_notifications_due ON notifications (organization_id, destination, due_at) WHERE state = 'PENDING';
CREATE INDEX ix_notifications_created_at ON notifications (organization_id, created_at, id);
CREATE UNIQUE INDEX uq_notifications_sequence ON notifications (organization_id, event_id, url, sequence);
CREATE INDEX ix_notifications_first ON notifications (organization_id, destination, due_at)
    WHERE state = 'PENDING' AND attempts = 0;
CREATE INDEX ix_notifications_claimed ON notifications (claimed_by) WHERE claimed_by IS NOT NULL;
