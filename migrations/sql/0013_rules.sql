-- Rules judge readings and make events. A rule's meaning is its versions, by event time.

CREATE TABLE rules (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_rules PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_rules_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Readings from effective_from on are judged by this version, until that of the next one.
CREATE TABLE rule_versions (
    organization_id integer NOT NULL,
    rule_id uuid NOT NULL,
    effective_from timestamptz NOT NULL,
    id uuid NOT NULL,
    condition jsonb NOT NULL,
    severity text NOT NULL,
    -- What is judged: one entity, those of a type, all below one, or, where all are null, all of the organization.
    entity_id uuid,
    kind text,
    type text,
    under_id uuid,
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
    CONSTRAINT ck_rule_versions_scope CHECK (num_nonnulls(entity_id, type, under_id) <= 1)
);

-- Times are event times, but for detected_at. key: of which readings of the entity: a port of a device, or ''.
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
    -- Since when the data no longer has it.
    withdrawn_at timestamptz,
    CONSTRAINT pk_events PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_events_rule FOREIGN KEY (organization_id, rule_id) REFERENCES rules (organization_id, id),
    CONSTRAINT ck_events_cleared CHECK ((cleared_at IS NULL) = (cleared_reason IS NULL))
);
CREATE INDEX ix_events_entity ON events (organization_id, entity_id, rule_id, key, opened_at);
CREATE INDEX ix_events_opened ON events (organization_id, opened_at, id);

-- What persons said of an event: facts of their own, which no data takes back.
CREATE TABLE event_marks (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    note text,
    CONSTRAINT pk_event_marks PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_event_marks_event FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CONSTRAINT ck_event_marks_kind CHECK (kind IN ('ACKNOWLEDGED', 'DISMISSED', 'COMMENT'))
);
CREATE INDEX ix_event_marks_event ON event_marks (organization_id, event_id, at);

-- Where an event that was told turned out to be other than it was told.
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

-- What became of events, in the transaction in which it did; what follows from it is done by and by.
CREATE TABLE event_changes (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    -- Event time.
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Of a replay without side effects: nothing must follow.
    fenced boolean NOT NULL,
    acted_at timestamptz,
    CONSTRAINT pk_event_changes PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_event_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_event_changes_kind
        CHECK (kind IN ('OPENED', 'CLEARED', 'REOPENED', 'CORRECTED', 'WITHDRAWN', 'ESCALATED'))
);
CREATE INDEX ix_event_changes_waiting ON event_changes (recorded_at) WHERE acted_at IS NULL;

-- When an entity is to be judged again though no reading comes: silence, escalation, a version yet to come.
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

-- Where judging can be taken up again: what was found of all readings before `at`.
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

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rules', 'rule_versions', 'events', 'event_marks', 'event_corrections',
        'event_changes', 'rule_timers', 'rule_states'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
-- The pipeline has to know where work waits.
CREATE POLICY pipeline_lists ON event_changes FOR SELECT TO argus_pipeline USING (true);
CREATE POLICY pipeline_lists ON rule_timers FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE ON rules, rule_versions TO argus_api;
GRANT SELECT ON events, event_corrections TO argus_api;
GRANT SELECT, INSERT ON event_marks TO argus_api;
GRANT SELECT ON rules, rule_versions, event_marks TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE ON events, event_changes TO argus_pipeline;
GRANT SELECT, INSERT ON event_corrections TO argus_pipeline;
GRANT SELECT, INSERT, UPDATE, DELETE ON rule_timers, rule_states TO argus_pipeline;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',
        'membership', 'rollup', 'rule', 'timer', 'profile', 'area'));

-- A version of a rule: what any version of it looks at is judged again, from it on until the next one. What is or was
-- below an entity is taken without asking when: too many windows do no harm.
CREATE FUNCTION windows_of_rule() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    WITH RECURSIVE versions AS (
        SELECT v.* FROM public.rule_versions v
        WHERE v.organization_id = NEW.organization_id AND v.rule_id = NEW.rule_id
    ), below (id) AS (
        SELECT v.under_id FROM versions v WHERE v.under_id IS NOT NULL
        UNION
        SELECT next.id FROM below b CROSS JOIN LATERAL (
            SELECT e.target_id FROM public.entity_edges e
            WHERE e.organization_id = NEW.organization_id AND e.source_id = b.id
                AND (e.relationship IN ('MONITORED_BY', 'CONTROLLED_BY') OR e.relationship IN (
                    SELECT r.name FROM public.relationships r
                    WHERE r.organization_id = NEW.organization_id AND r.hierarchy))
            UNION ALL
            SELECT e.source_id FROM public.entity_edges e
            WHERE e.organization_id = NEW.organization_id AND e.target_id = b.id AND e.relationship = 'LOCATED_IN'
        ) AS next (id)
    )
    SELECT e.organization_id, e.id, u.begins, u.ends, 'rule'
    FROM (SELECT greatest(NEW.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(v.effective_from) FROM versions v WHERE v.effective_from > NEW.effective_from),
            'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.entities e ON e.organization_id = NEW.organization_id AND e.kind IN ('DEVICE', 'ASSET', 'SPACE')
    WHERE u.begins < u.ends AND EXISTS (
        SELECT FROM versions v WHERE v.entity_id = e.id
            OR (v.type = e.type AND v.kind = e.kind)
            OR (v.under_id IS NOT NULL AND e.id IN (SELECT b.id FROM below b))
            OR num_nonnulls(v.entity_id, v.type, v.under_id) = 0);
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_rule AFTER INSERT OR UPDATE ON rule_versions
    FOR EACH ROW EXECUTE FUNCTION windows_of_rule();
REVOKE ALL ON FUNCTION windows_of_rule() FROM PUBLIC;
