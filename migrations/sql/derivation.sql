-- What is derived from points, links and definitions, and what waits to be recomputed.

-- Times over which derived points and events of an entity may be wrong. The stage derive recomputes them.
CREATE TABLE dirty_windows (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity_id uuid NOT NULL,
    -- The entity's partition is this modulo the number of partitions.
    slot integer NOT NULL GENERATED ALWAYS AS
        (get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)) STORED,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    reason text NOT NULL,
    -- Of readings: the first batch they were stored with. Their points come by the bus too.
    batch_id bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_windows PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_dirty_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_windows_reason CHECK (reason IN (
        'readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy', 'membership',
        'rollup', 'rule', 'timer', 'profile', 'area', 'health', 'repair')),
    CONSTRAINT ck_dirty_windows_span CHECK (begins < ends)
);
CREATE INDEX ix_dirty_windows_entity ON dirty_windows (organization_id, entity_id);

-- What a commit of the derive stage changed: a place in the live feed, from which it can be read again.
CREATE TABLE derived_commits (
    organization_id integer NOT NULL,
    partition smallint NOT NULL,
    position bigint NOT NULL,
    committed_at timestamptz NOT NULL,
    series_ids bigint[] NOT NULL,
    begins timestamptz[] NOT NULL,
    ends timestamptz[] NOT NULL,
    -- Whether stored points were changed or deleted, not only added.
    corrects boolean NOT NULL,
    CONSTRAINT pk_derived_commits PRIMARY KEY (organization_id, partition, position),
    CONSTRAINT fk_derived_commits_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_derived_commits_committed_at ON derived_commits (organization_id, committed_at);

-- Why a derived metric has no point although its inputs have, at the last such instant.
CREATE TABLE derivation_faults (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    metric text NOT NULL,
    last_at timestamptz NOT NULL,
    message text NOT NULL,
    CONSTRAINT pk_derivation_faults PRIMARY KEY (organization_id, entity_id, metric),
    CONSTRAINT fk_derivation_faults_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- What a version in shadow has done since it was started. One row while it runs.
CREATE TABLE shadows (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    version integer NOT NULL,
    since timestamptz NOT NULL,
    -- Points compared, counted each time.
    compared bigint NOT NULL DEFAULT 0,
    -- Rows of shadow_differences.
    different bigint NOT NULL DEFAULT 0,
    -- Differences not stored, because there were too many.
    omitted bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    last_error text,
    CONSTRAINT pk_shadows PRIMARY KEY (organization_id, stage),
    CONSTRAINT fk_shadows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Where the version in shadow gives another value than the version in force, or only one of them gives a value.
CREATE TABLE shadow_differences (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    entity_id uuid NOT NULL,
    metric text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    version integer NOT NULL,
    value double precision,
    shadow_version integer NOT NULL,
    shadow_value double precision,
    CONSTRAINT pk_shadow_differences PRIMARY KEY (organization_id, stage, entity_id, "timestamp", metric),
    CONSTRAINT fk_shadow_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_shadow_differences_timestamp
    ON shadow_differences (organization_id, stage, "timestamp", entity_id, metric);

-- Rollups. A deleted one stays, so that what it wrote can be deleted.
CREATE TABLE rollups (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    metric text NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_rollups PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_rollups_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE UNIQUE INDEX uq_rollups_name ON rollups (organization_id, name) WHERE deleted_at IS NULL;

-- Entities at which a rollup has, or once had, points.
CREATE TABLE rollup_entities (
    organization_id integer NOT NULL,
    rollup_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    CONSTRAINT pk_rollup_entities PRIMARY KEY (organization_id, rollup_id, entity_id),
    CONSTRAINT fk_rollup_entities_rollup FOREIGN KEY (organization_id, rollup_id)
        REFERENCES rollups (organization_id, id)
);
CREATE INDEX ix_rollup_entities_entity ON rollup_entities (organization_id, entity_id);

-- Whoever takes dirty buckets begins a new generation; whoever invalidates one adds it to the current generation, in a
-- row of its own. So invalidating never waits for what is being computed, and no invalidation is lost.
CREATE SEQUENCE dirty_buckets_generation AS bigint CACHE 1;

-- Which buckets have to be recomputed. A row may be a long time that holds many buckets: it is done in parts.
CREATE TABLE dirty_buckets (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- HEALTH_PROPAGATION: health too, left by the job that computes health; HEALTH: left by the derive stage.
    computation text NOT NULL,
    -- Of a rollup, its id; of health, the asset whose change left the row.
    computation_id uuid NOT NULL,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    generation bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_buckets PRIMARY KEY (
        organization_id, entity_id, computation, computation_id, begins, generation),
    CONSTRAINT fk_dirty_buckets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_buckets_computation CHECK (computation IN ('ROLLUP', 'HEALTH', 'HEALTH_PROPAGATION')),
    CONSTRAINT ck_dirty_buckets_span CHECK (begins < ends)
);
CREATE INDEX ix_dirty_buckets_created_at ON dirty_buckets (organization_id, created_at);

-- The aggregate of a descendant's points from the beginning of a bucket up to an instant, so that a bucket that is
-- written to all the time is not read whole each time. Unlogged: after a crash it is empty, and points are read.
CREATE UNLOGGED TABLE rollup_partial_aggregates (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- A hash of the bucket, the series, what is asked of them, and the derivation revision.
    key uuid NOT NULL,
    -- It holds all points within [begins, until).
    begins timestamptz NOT NULL,
    until timestamptz NOT NULL,
    points bigint NOT NULL,
    -- Of a sum: three doubles that together are the exact sum. Of the others, value alone.
    value double precision NOT NULL,
    error double precision NOT NULL,
    error_left double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_rollup_partial_aggregates PRIMARY KEY (organization_id, entity_id, key),
    CONSTRAINT fk_rollup_partial_aggregates_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_rollup_partial_aggregates_span CHECK (begins < until)
) WITH (fillfactor = 70);

-- Times over which points of an entity changed, by generation: partial aggregates that hold them are deleted. Unlogged,
-- as those are.
CREATE UNLOGGED TABLE rollup_input_changes (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    generation bigint NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    CONSTRAINT pk_rollup_input_changes PRIMARY KEY (organization_id, entity_id, generation),
    CONSTRAINT fk_rollup_input_changes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- The first reading of an asset, as its series of health assumes: health counts silence from it on, so that an earlier
-- first reading changes what follows.
CREATE TABLE health_measured (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT pk_health_measured PRIMARY KEY (organization_id, entity_id),
    CONSTRAINT fk_health_measured_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- When the readings on which an asset's health rests become too old: its bucket is recomputed then.
CREATE TABLE health_timers (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_health_timers PRIMARY KEY (organization_id, entity_id, due_at),
    CONSTRAINT fk_health_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_health_timers_due_at ON health_timers (organization_id, due_at);
