-- Asset profiles, their versions by event time, which asset has which; timers of health.

CREATE TABLE asset_profiles (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    -- The type of the assets made from it; NULL: none.
    type text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_asset_profiles PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_asset_profiles_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX uq_asset_profiles_name ON asset_profiles (organization_id, name) WHERE deleted_at IS NULL;

-- Event time from effective_from on is judged with this version, until that of the next; of two that begin together,
-- the one with the greater number. No version is ever changed or taken away.
CREATE TABLE asset_profile_versions (
    organization_id integer NOT NULL,
    profile_id uuid NOT NULL,
    number integer NOT NULL,
    effective_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    content jsonb NOT NULL,
    CONSTRAINT pk_asset_profile_versions PRIMARY KEY (organization_id, profile_id, number),
    CONSTRAINT fk_asset_profile_versions_profile FOREIGN KEY (organization_id, profile_id)
        REFERENCES asset_profiles (organization_id, id),
    CONSTRAINT ck_asset_profile_versions_number CHECK (number >= 1)
);

ALTER TABLE assets ADD COLUMN profile_id uuid;
ALTER TABLE assets ADD CONSTRAINT fk_assets_profile FOREIGN KEY (organization_id, profile_id)
    REFERENCES asset_profiles (organization_id, id);
CREATE INDEX ix_assets_profile ON assets (organization_id, profile_id, id) WHERE profile_id IS NOT NULL;

-- At due_at what an asset's health rests on becomes too old: that bucket is to be looked at then.
CREATE TABLE health_timers (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_health_timers PRIMARY KEY (organization_id, entity_id, due_at),
    CONSTRAINT fk_health_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_health_timers_due_at ON health_timers (organization_id, due_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['asset_profiles', 'asset_profile_versions', 'health_timers'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON asset_profiles TO argus_api;
GRANT SELECT, INSERT ON asset_profile_versions TO argus_api;
GRANT SELECT ON asset_profiles, asset_profile_versions TO argus_pipeline;
GRANT SELECT, INSERT, DELETE ON health_timers TO argus_pipeline;
