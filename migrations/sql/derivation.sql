-- What is derived from points, links and definitions, and what waits to be derived again.

CREATE TABLE dirty_windows (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity_id uuid NOT NULL,
    -- Where the entity goes in the streams: this modulo the number of partitions.
    slot integer NOT NULL GENERATED ALWAYS AS
        (get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)) STORED,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    reason text NOT NULL,
    -- Of readings: the first of the batches they were stored with, whose points come by the bus too.
    batch_id bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_windows PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_dirty_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_windows_reason CHECK (reason IN (
        'readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy', 'membership',
        'rollup', 'rule', 'timer', 'profile', 'area', 'health', 'repair', 'rejudge')),
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
    -- Points that stood before were changed or taken away.
    corrects boolean NOT NULL,
    CONSTRAINT pk_derived_commits PRIMARY KEY (organization_id, partition, position),
    CONSTRAINT fk_derived_commits_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_derived_commits_committed_at ON derived_commits (organization_id, committed_at);

-- The last instant at which a derived metric has no point although its inputs have, and why.
CREATE TABLE derivation_faults (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    metric text NOT NULL,
    last_at timestamptz NOT NULL,
    message text NOT NULL,
    CONSTRAINT pk_derivation_faults PRIMARY KEY (organization_id, entity_id, metric),
    CONSTRAINT fk_derivation_faults_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- What a stage's shadow has done since it began. One row while it runs.
CREATE TABLE shadows (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    version integer NOT NULL,
    since timestamptz NOT NULL,
    -- Points looked at, each time they were.
    compared bigint NOT NULL DEFAULT 0,
    -- Rows of shadow_differences.
    different bigint NOT NULL DEFAULT 0,
    -- Differences that were found when as many were kept as may be.
    omitted bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    last_error text,
    CONSTRAINT pk_shadows PRIMARY KEY (organization_id, stage),
    CONSTRAINT fk_shadows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Where the version in shadow gives another value than the one in force, or one of them none.
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

-- One that was deleted stays, so that what it wrote can be taken away.
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

-- At which entities a rollup has points, or once had.
CREATE TABLE rollup_entities (
    organization_id integer NOT NULL,
    rollup_id uuid NOT NULL,
    entity_id uuid NOT NULL,
    CONSTRAINT pk_rollup_entities PRIMARY KEY (organization_id, rollup_id, entity_id),
    CONSTRAINT fk_rollup_entities_rollup FOREIGN KEY (organization_id, rollup_id)
        REFERENCES rollups (organization_id, id)
);
CREATE INDEX ix_rollup_entities_entity ON rollup_entities (organization_id, entity_id);

-- Who takes dirty buckets away first begins a turn; who marks one marks it for the turn that has begun, in a row of its
-- own. So marking never waits until what is being computed is committed, and no mark is lost.
CREATE SEQUENCE dirty_buckets_turn AS bigint CACHE 1;

-- Which buckets of what have to be computed anew. A bucket may be a long time that holds many: it is worked off in
-- parts.
CREATE TABLE dirty_buckets (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- 'rollup:' and its id, or what other sort of thing is computed by buckets.
    what text NOT NULL,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    -- Nothing before it in the bucket has changed.
    changed_from timestamptz NOT NULL,
    turn bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_buckets PRIMARY KEY (organization_id, entity_id, what, begins, turn),
    CONSTRAINT fk_dirty_buckets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_buckets_span CHECK (begins < ends)
);
CREATE INDEX ix_dirty_buckets_created_at ON dirty_buckets (organization_id, created_at);

-- What the points of a descendant came to, from the beginning of a bucket up to an instant, so that a bucket that is
-- written to all the time is not read whole each time. Not logged: after a crash there is none, and points are read.
CREATE UNLOGGED TABLE rollup_tallies (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    -- Of the bucket, the series and what is asked of them, at one revision of what is derived.
    key uuid NOT NULL,
    -- All points within [begins, until) are in it.
    begins timestamptz NOT NULL,
    until timestamptz NOT NULL,
    points bigint NOT NULL,
    -- Of sums three doubles, which together are the exact sum; of the rest the first alone.
    value double precision NOT NULL,
    error double precision NOT NULL,
    error_left double precision NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_rollup_tallies PRIMARY KEY (organization_id, entity_id, key),
    CONSTRAINT fk_rollup_tallies_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_rollup_tallies_span CHECK (begins < until)
) WITH (fillfactor = 70);

-- What was touched since a turn began, and so what no tally may stand for any more. Not logged, as tallies are not.
CREATE UNLOGGED TABLE rollup_touches (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    turn bigint NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    CONSTRAINT pk_rollup_touches PRIMARY KEY (organization_id, entity_id, turn),
    CONSTRAINT fk_rollup_touches_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Since when an asset is measured, as its series of health has it: an asset that falls silent is known to be silent for
-- ever, so that an earlier first reading changes what lies behind it.
CREATE TABLE health_measured (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT pk_health_measured PRIMARY KEY (organization_id, entity_id),
    CONSTRAINT fk_health_measured_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- At due_at what an asset's health rests on becomes too old: that bucket is to be looked at then.
CREATE TABLE health_timers (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_health_timers PRIMARY KEY (organization_id, entity_id, due_at),
    CONSTRAINT fk_health_timers_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_health_timers_due_at ON health_timers (organization_id, due_at);
