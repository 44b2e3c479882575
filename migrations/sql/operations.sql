-- Running the installation: leases of stages, failed items, replays, the self-check, counters.

-- Who runs a stage on a partition. The fence rises with every change of holder and is checked at commit;
-- position counts the stage's commits.
CREATE TABLE stage_leases (
    stage text NOT NULL,
    partition smallint NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    position bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    -- What the stage has done: counters for monitoring.
    items bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    busy_s double precision NOT NULL DEFAULT 0,
    delay_s double precision NOT NULL DEFAULT 0,
    delays bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_stage_leases PRIMARY KEY (stage, partition)
);

-- Items of any queue that could not be processed: why, how often, and until when they are left alone, together with
-- what waits behind them. organization_id NULL: the installation's own.
CREATE TABLE failed_items (
    organization_id integer,
    id uuid NOT NULL,
    queue text NOT NULL,
    item text NOT NULL,
    -- What waits behind it: other items with the same rule and target, or the same entity.
    holds text NOT NULL,
    reason text NOT NULL,
    -- Since a retry was last requested.
    tries integer NOT NULL,
    first_failed_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    -- When it is tried again; NULL: set aside until a retry is requested.
    due_at timestamptz,
    resolved_at timestamptz,
    CONSTRAINT pk_failed_items PRIMARY KEY (id),
    CONSTRAINT uq_failed_items_item UNIQUE NULLS NOT DISTINCT (organization_id, queue, item),
    CONSTRAINT fk_failed_items_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_failed_items_open ON failed_items (queue, organization_id, holds) WHERE resolved_at IS NULL;
CREATE INDEX ix_failed_items_last_failed_at ON failed_items (organization_id, last_failed_at, id);

-- Replays: past readings processed again, resumable after the last reading that was done.
CREATE TABLE replays (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    -- NULL: all devices.
    device_ids uuid[],
    dry_run boolean NOT NULL,
    side_effects boolean NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    -- Readings, counted when it began, and done since.
    total bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    changes jsonb NOT NULL DEFAULT '{}',
    -- The last reading that was done: its device and time.
    device_id uuid,
    "timestamp" timestamptz,
    message text,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    touched_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_replays PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_replays_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_replays_state CHECK (state IN ('QUEUED', 'RUNNING', 'FINISHED', 'CANCELLED', 'FAILED')),
    CONSTRAINT ck_replays_span CHECK (begins < ends)
);
CREATE INDEX ix_replays_created_at ON replays (organization_id, created_at, id);
CREATE INDEX ix_replays_open ON replays (state) WHERE state IN ('QUEUED', 'RUNNING');

-- The self-check: up to which entity it has come; how much it compared; what differed.
CREATE TABLE convergence_progress (
    organization_id integer NOT NULL,
    -- NULL: it has come to the end, and begins again.
    last_entity_id uuid,
    CONSTRAINT pk_convergence_progress PRIMARY KEY (organization_id),
    CONSTRAINT fk_convergence_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

CREATE TABLE convergence_checks (
    organization_id integer NOT NULL,
    of text NOT NULL,
    checks bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    -- Each difference counts once.
    differences bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_convergence_checks PRIMARY KEY (organization_id, of),
    CONSTRAINT fk_convergence_checks_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_convergence_checks_of CHECK (of IN ('derived', 'events', 'states', 'rollups', 'health'))
);

CREATE TABLE convergence_differences (
    organization_id integer NOT NULL,
    of text NOT NULL,
    entity_id uuid NOT NULL,
    -- A metric, or a rule and perhaps a port.
    subject text NOT NULL,
    -- Event time.
    at timestamptz NOT NULL,
    stored text,
    computed text,
    -- From when on the entity has to be recomputed.
    since timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    repaired_at timestamptz,
    CONSTRAINT pk_convergence_differences PRIMARY KEY (organization_id, of, entity_id, subject, at),
    CONSTRAINT fk_convergence_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_convergence_differences_of CHECK (of IN ('derived', 'events', 'states', 'rollups', 'health'))
);

-- Counters of worker processes, over all organizations, for monitoring.
CREATE TABLE work_counts (
    name text NOT NULL,
    label text NOT NULL,
    value double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    CONSTRAINT pk_work_counts PRIMARY KEY (name, label)
);

-- One row: the hashes of migrations/functions as it was applied last, and of what the catalogue had afterwards.
CREATE TABLE schema_functions (
    is_only boolean NOT NULL DEFAULT true,
    text_hash text NOT NULL,
    catalogue_hash text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_schema_functions PRIMARY KEY (is_only),
    CONSTRAINT ck_schema_functions_only CHECK (is_only)
);
