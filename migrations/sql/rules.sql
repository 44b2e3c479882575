-- Rules, the events they raise, and the times in which nothing follows from events.

CREATE TABLE rules (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    -- A rule that a profile declares is the profile's own.
    profile_id uuid,
    CONSTRAINT pk_rules PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_rules_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_rules_profile FOREIGN KEY (organization_id, profile_id)
        REFERENCES asset_profiles (organization_id, id)
);
CREATE INDEX ix_rules_profile ON rules (organization_id, profile_id) WHERE profile_id IS NOT NULL;

-- The condition of a rule for event times from effective_from until that of the next version.
CREATE TABLE rule_versions (
    organization_id integer NOT NULL,
    rule_id uuid NOT NULL,
    effective_from timestamptz NOT NULL,
    id uuid NOT NULL,
    condition jsonb NOT NULL,
    severity text NOT NULL,
    -- The scope: one entity, those of a type, all below one, the assets of a profile; where all are NULL, the whole
    -- organization.
    entity_id uuid,
    kind text,
    type text,
    under_id uuid,
    profile_id uuid,
    action jsonb NOT NULL,
    -- [{"afterUs": microseconds, "severity": text}], ascending.
    escalation jsonb NOT NULL,
    -- More events than max_events within per_us are merged into the one before.
    max_events integer NOT NULL,
    per_us bigint NOT NULL,
    is_active boolean NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_rule_versions PRIMARY KEY (organization_id, rule_id, effective_from),
    CONSTRAINT fk_rule_versions_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules (organization_id, id),
    CONSTRAINT fk_rule_versions_profile FOREIGN KEY (organization_id, profile_id)
        REFERENCES asset_profiles (organization_id, id),
    CONSTRAINT ck_rule_versions_scope CHECK (num_nonnulls(entity_id, type, under_id, profile_id) <= 1)
);

-- Where evaluation can go on: the state of a rule at an entity after all readings before `at`.
CREATE TABLE rule_states (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    key text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    CONSTRAINT pk_rule_states PRIMARY KEY (organization_id, entity_id, rule_id, key, at),
    CONSTRAINT fk_rule_states_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- When a rule has to be evaluated at an entity without a reading: silence, escalation, a version yet to come.
CREATE TABLE rule_timers (
    organization_id integer NOT NULL,
    rule_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    key text NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_rule_timers PRIMARY KEY (organization_id, entity_id, rule_id, key),
    CONSTRAINT fk_rule_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_rule_timers_due ON rule_timers (due_at);

-- Events, by a deterministic id. All times but detected_at are event times. key: which readings of the entity, by the
-- port of a device; '' for all.
CREATE TABLE events (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    rule_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    key text NOT NULL,
    version_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    cleared_at timestamptz,
    cleared_reason text,
    severity text NOT NULL,
    value double precision,
    flaps integer NOT NULL,
    detected_at timestamptz NOT NULL,
    -- When it was withdrawn: the data no longer supports it. NULL: it was not.
    withdrawn_at timestamptz,
    -- Until when nothing follows from it, because it opened while it was shelved or in maintenance. A function of
    -- these, of the graph, and of when it opened.
    suppressed_until timestamptz,
    -- When the stage act processed its opening, whatever followed.
    opening_processed_at timestamptz,
    CONSTRAINT pk_events PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_events_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules (organization_id, id),
    CONSTRAINT ck_events_cleared CHECK ((cleared_at IS NULL) = (cleared_reason IS NULL))
);
CREATE INDEX ix_events_entity ON events (organization_id, entity_id, rule_id, key, opened_at);
CREATE INDEX ix_events_opened ON events (organization_id, opened_at, id);
CREATE INDEX ix_events_suppressed ON events (organization_id, suppressed_until) WHERE suppressed_until IS NOT NULL;

-- Corrections of events whose earlier version had been shown or sent.
CREATE TABLE event_corrections (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    CONSTRAINT pk_event_corrections PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_event_corrections_event FOREIGN KEY (organization_id, event_id)
        REFERENCES events (organization_id, id)
);
CREATE INDEX ix_event_corrections_event ON event_corrections (organization_id, event_id, id);

-- The outbox of the stage act: changes of events, written with them.
CREATE TABLE event_changes (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    -- Event time.
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Nothing may follow: the change comes of a replay without side effects.
    side_effects_disabled boolean NOT NULL,
    processed_at timestamptz,
    -- Not processed before.
    due_at timestamptz,
    CONSTRAINT pk_event_changes PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_event_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_event_changes_kind CHECK (
        kind IN ('OPENED', 'CLEARED', 'REOPENED', 'CORRECTED', 'WITHDRAWN', 'ESCALATED', 'DEESCALATED'))
);
CREATE INDEX ix_event_changes_waiting ON event_changes (recorded_at) WHERE processed_at IS NULL;

-- What people said about an event. No data retracts it.
CREATE TABLE event_annotations (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    note text,
    CONSTRAINT pk_event_annotations PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_event_annotations_event FOREIGN KEY (organization_id, event_id)
        REFERENCES events (organization_id, id),
    CONSTRAINT ck_event_annotations_kind CHECK (kind IN ('ACKNOWLEDGED', 'DISMISSED', 'COMMENT'))
);
CREATE INDEX ix_event_annotations_event ON event_annotations (organization_id, event_id, at);

-- Times within which events of a rule, of an entity, or of a rule at an entity are suppressed.
CREATE TABLE shelves (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    rule_id uuid,
    entity_id uuid,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    note text,
    created_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_shelves PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_shelves_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules (organization_id, id),
    CONSTRAINT fk_shelves_entity FOREIGN KEY (organization_id, entity_id) REFERENCES entities (organization_id, id),
    CONSTRAINT ck_shelves_what CHECK (num_nonnulls(rule_id, entity_id) >= 1),
    CONSTRAINT ck_shelves_span CHECK (begins < ends)
);
CREATE INDEX ix_shelves_ends ON shelves (organization_id, ends);

-- The same for everything below an entity; under_id NULL: for the whole organization.
CREATE TABLE maintenance_windows (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    under_id uuid,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    note text,
    created_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_maintenance_windows PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_maintenance_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_maintenance_windows_under
        FOREIGN KEY (organization_id, under_id) REFERENCES entities (organization_id, id),
    CONSTRAINT ck_maintenance_windows_span CHECK (begins < ends)
);
CREATE INDEX ix_maintenance_windows_ends ON maintenance_windows (organization_id, ends);

-- Event times over which it has to be decided again whether events are suppressed. Worked through in the order in which
-- events opened; done_at, done_id: up to which event.
CREATE TABLE suppression_invalidations (
    organization_id integer NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    done_at timestamptz,
    done_id uuid,
    CONSTRAINT pk_suppression_invalidations PRIMARY KEY (organization_id, begins, ends),
    CONSTRAINT fk_suppression_invalidations_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
