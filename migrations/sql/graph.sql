-- The temporal entity graph. organization_id leads every key and every foreign key, because foreign-key checks bypass
-- row security.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

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

-- The clock of an organization's graph: under the graph lock, every change takes the system time
-- max(wall clock, last_recorded + 1 us) and raises the revision.
CREATE TABLE graph_clocks (
    organization_id integer NOT NULL,
    last_recorded timestamptz NOT NULL,
    revision bigint NOT NULL,
    -- The revision at which links or definitions that derived data depends on last changed.
    derivation_revision bigint NOT NULL DEFAULT 0,
    -- Raised only by changes on which anything derived may depend: what was read at one input revision still holds.
    input_revision bigint NOT NULL DEFAULT 0,
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
    -- Referenced by typed tables and edges, which repeat the kind, so that it is always right.
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
CREATE INDEX ix_entities_deleted ON entities (organization_id, kind, name, id) WHERE deleted_at IS NOT NULL;
-- Partial, and with type before kind: foreign-key checks name organization, id and kind, and while a young table has no
-- statistics they would be planned over an index that looks alike (tests/migrations/test_plans.py).
CREATE INDEX ix_entities_type ON entities (organization_id, type, kind) WHERE type IS NOT NULL;
-- With the organization: many organizations may share a town.
CREATE INDEX ix_entities_bounds ON entities USING gist (organization_id, bounds)
    WHERE bounds IS NOT NULL;
-- Parts of names, without regard to case, accents and form.
CREATE INDEX ix_entities_name_parts ON entities
    USING gin (organization_id, text_folded(name) gin_trgm_ops, text_folded(external_id) gin_trgm_ops)
    WHERE deleted_at IS NULL;

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
-- Versions closed since an instant: snapshots in memory read them at every change.
CREATE INDEX ix_entity_edges_closed ON entity_edges (organization_id, upper(recorded))
    WHERE upper(recorded) IS NOT NULL;

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
