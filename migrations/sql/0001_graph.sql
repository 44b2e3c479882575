-- The temporal entity graph and the nouns that stand on it.
-- organization_id leads every key and every foreign key, because foreign-key checks bypass row security.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE organizations (
    id integer GENERATED ALWAYS AS IDENTITY,
    public_id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT uq_organizations_public_id UNIQUE (public_id),
    CONSTRAINT uq_organizations_slug UNIQUE (slug),
    CONSTRAINT ck_organizations_slug CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$')
);

-- The one clock of an organization's graph: every change takes recorded = max(clock, last_recorded + 1 us)
-- under the graph lock and raises the revision.
CREATE TABLE graph_clocks (
    organization_id integer NOT NULL,
    last_recorded timestamptz NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT pk_graph_clocks PRIMARY KEY (organization_id),
    CONSTRAINT fk_graph_clocks_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

CREATE TABLE entity_types (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    description text,
    attributes jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_entity_types PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_entity_types_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT uq_entity_types_kind_name UNIQUE (organization_id, kind, name),
    CONSTRAINT ck_entity_types_kind CHECK (kind IN ('DEVICE', 'ASSET', 'SPACE', 'PERSON', 'ACTIVITY'))
);

CREATE TABLE entities (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    type text,
    name text NOT NULL,
    external_id text,
    status text NOT NULL,
    attributes jsonb NOT NULL DEFAULT '{}',
    geometry bytea,
    bounds box,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_entities PRIMARY KEY (organization_id, id),
    -- Lets a typed table and an edge carry the kind under a foreign key, so that it cannot lie.
    CONSTRAINT uq_entities_id_kind UNIQUE (organization_id, id, kind),
    CONSTRAINT fk_entities_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_entities_type FOREIGN KEY (organization_id, kind, type)
        REFERENCES entity_types (organization_id, kind, name) ON UPDATE CASCADE,
    CONSTRAINT ck_entities_kind CHECK (kind IN ('DEVICE', 'ASSET', 'SPACE', 'PERSON', 'ACTIVITY')),
    CONSTRAINT ck_entities_geometry CHECK ((geometry IS NULL) = (bounds IS NULL))
);
CREATE UNIQUE INDEX uq_entities_external_id ON entities (organization_id, kind, external_id)
    WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX ix_entities_name ON entities (organization_id, kind, name, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_entities_created_at ON entities (organization_id, kind, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ix_entities_updated_at ON entities (organization_id, kind, updated_at, id) WHERE deleted_at IS NULL;
-- type before kind: foreign-key checks name organization, id and kind, and must never be planned over this one.
CREATE INDEX ix_entities_type ON entities (organization_id, type, kind);
CREATE INDEX ix_entities_bounds ON entities USING gist (bounds) WHERE bounds IS NOT NULL;

CREATE TABLE devices (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('DEVICE') STORED,
    firmware_version text,
    CONSTRAINT pk_devices PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_devices_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE assets (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('ASSET') STORED,
    CONSTRAINT pk_assets PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_assets_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE spaces (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('SPACE') STORED,
    CONSTRAINT pk_spaces PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_spaces_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE persons (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('PERSON') STORED,
    email text,
    CONSTRAINT pk_persons PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_persons_entity FOREIGN KEY (organization_id, id, kind) REFERENCES entities (organization_id, id, kind)
);

CREATE TABLE activities (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS ('ACTIVITY') STORED,
    category text NOT NULL,
    priority text NOT NULL,
    due_at timestamptz,
    checklist jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT pk_activities PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_activities_entity FOREIGN KEY (organization_id, id, kind)
        REFERENCES entities (organization_id, id, kind)
);

-- Which relationships an organization has; the built-ins are copied in when it is created.
CREATE TABLE relationships (
    organization_id integer NOT NULL,
    name text NOT NULL,
    inverse text NOT NULL,
    source_kinds text[] NOT NULL,
    target_kinds text[] NOT NULL,
    hierarchy boolean NOT NULL,
    -- What may have one edge at a time: SOURCE, TARGET or TARGET_PORT; NULL: no limit.
    exclusive text,
    -- The exclusivity counts only edges whose source is of these kinds; NULL: of any.
    exclusive_among text[],
    built_in boolean NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz,
    CONSTRAINT pk_relationships PRIMARY KEY (organization_id, name),
    CONSTRAINT uq_relationships_inverse UNIQUE (organization_id, inverse),
    CONSTRAINT fk_relationships_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_relationships_name CHECK (name ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    CONSTRAINT ck_relationships_exclusive CHECK (exclusive IN ('SOURCE', 'TARGET', 'TARGET_PORT'))
);

-- Bitemporal edges. valid: true in the world; recorded: believed. Both half-open.
-- A row is never updated except to close recorded. id names one version, edge_id the edge.
CREATE TABLE entity_edges (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    edge_id uuid NOT NULL,
    relationship text NOT NULL,
    source_id uuid NOT NULL,
    source_kind text NOT NULL,
    target_id uuid NOT NULL,
    target_kind text NOT NULL,
    port integer,
    metadata jsonb NOT NULL DEFAULT '{}',
    valid tstzrange NOT NULL,
    recorded tstzrange NOT NULL,
    exclusive_key text,
    CONSTRAINT pk_entity_edges PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_entity_edges_relationship FOREIGN KEY (organization_id, relationship)
        REFERENCES relationships (organization_id, name),
    CONSTRAINT fk_entity_edges_source FOREIGN KEY (organization_id, source_id, source_kind)
        REFERENCES entities (organization_id, id, kind),
    CONSTRAINT fk_entity_edges_target FOREIGN KEY (organization_id, target_id, target_kind)
        REFERENCES entities (organization_id, id, kind),
    CONSTRAINT ck_entity_edges_valid CHECK (
        NOT isempty(valid) AND NOT lower_inf(valid) AND lower_inc(valid) AND NOT upper_inc(valid)),
    CONSTRAINT ck_entity_edges_recorded CHECK (
        NOT isempty(recorded) AND NOT lower_inf(recorded) AND lower_inc(recorded) AND NOT upper_inc(recorded)),
    CONSTRAINT ck_entity_edges_no_loop CHECK (source_id <> target_id),
    CONSTRAINT ck_entity_edges_port CHECK (port >= 0),
    -- The same fact is believed once at a time. Its condition is worded unlike the readers' upper_inf(recorded),
    -- so that none of them is planned over this index: by source or target alone it costs ever more as it grows.
    CONSTRAINT ex_entity_edges_believed EXCLUDE USING gist (
        organization_id WITH =, source_id WITH =, target_id WITH =, relationship WITH =,
        (coalesce(port, -1)) WITH =, valid WITH &&) WHERE (upper(recorded) IS NULL),
    CONSTRAINT ex_entity_edges_exclusive EXCLUDE USING gist (
        organization_id WITH =, exclusive_key WITH =, valid WITH &&)
        WHERE (upper_inf(recorded) AND exclusive_key IS NOT NULL),
    -- One version of an edge is believed at a time.
    CONSTRAINT ex_entity_edges_version EXCLUDE USING gist (
        organization_id WITH =, edge_id WITH =, recorded WITH &&)
);
CREATE INDEX ix_entity_edges_source ON entity_edges (organization_id, source_id, relationship);
CREATE INDEX ix_entity_edges_target ON entity_edges (organization_id, target_id, relationship);
CREATE INDEX ix_entity_edges_recorded ON entity_edges (organization_id, lower(recorded));

-- The audit trail: who changed what, when, from what to what, and why. Insert only.
CREATE TABLE changes (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    before jsonb,
    after jsonb,
    reason text,
    CONSTRAINT pk_changes PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_changes_recorded_at ON changes (organization_id, recorded_at, id);
CREATE INDEX ix_changes_subject ON changes (organization_id, subject_id, recorded_at);

CREATE TABLE device_tokens (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    device_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT pk_device_tokens PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_device_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_device_tokens_device FOREIGN KEY (organization_id, device_id) REFERENCES devices (organization_id, id)
);
CREATE INDEX ix_device_tokens_device ON device_tokens (organization_id, device_id);

-- The telemetry schema of an entity type, one version per instant of event time from which it holds.
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
