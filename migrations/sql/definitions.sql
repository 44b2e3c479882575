-- Definitions: telemetry schemas, asset profiles, processor versions, each effective from an event time on; feature
-- flags.

-- Telemetry schemas of entity types, in versions by event time.
CREATE TABLE telemetry_schemas (
    organization_id integer NOT NULL,
    entity_type_id uuid NOT NULL,
    effective_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    schema jsonb NOT NULL,
    CONSTRAINT pk_telemetry_schemas PRIMARY KEY (organization_id, entity_type_id, effective_from),
    CONSTRAINT fk_telemetry_schemas_entity_type FOREIGN KEY (organization_id, entity_type_id)
        REFERENCES entity_types (organization_id, id) ON DELETE CASCADE
);

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

-- A version holds for event times from effective_from until that of the next; of two that begin together, the one with
-- the greater number holds. Insert only.
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

-- Flags that an organization has set. The code knows the defaults of the others.
CREATE TABLE feature_flags (
    organization_id integer NOT NULL,
    name text NOT NULL,
    id uuid NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT pk_feature_flags PRIMARY KEY (organization_id, name),
    CONSTRAINT fk_feature_flags_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- The version of a stage that is in force for event times from effective_from until that of the next row. Before the
-- first: 1.
CREATE TABLE processor_versions (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    effective_from timestamptz NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_processor_versions PRIMARY KEY (organization_id, stage, effective_from),
    CONSTRAINT fk_processor_versions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_processor_versions_version CHECK (version >= 1)
);
