-- Times in which events open, but nothing follows from them.

-- It opened within such a time.
ALTER TABLE events ADD COLUMN suppressed boolean NOT NULL DEFAULT false;

-- Events of a rule, of an entity or of a rule at an entity that open within this time are suppressed.
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

-- The same for everything below an entity, or for the whole organization where there is none.
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

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['shelves', 'maintenance_windows'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON shelves, maintenance_windows TO argus_api;
GRANT SELECT ON shelves, maintenance_windows TO argus_pipeline;
