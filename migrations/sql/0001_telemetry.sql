-- The raw log, what is known of its batches, and what is derived from it.

CREATE SEQUENCE telemetry_raw_id_seq AS bigint CACHE 1;
CREATE SEQUENCE raw_batches_id_seq AS bigint CACHE 1;

-- What was acknowledged, as it came; partitioned by day of receipt. Nobody but the owner updates or deletes it.
-- No foreign key to devices: devices are never removed, and the check would cost as much as the insert.
CREATE TABLE telemetry_raw (
    organization_id integer NOT NULL,
    id bigint NOT NULL,
    batch_id bigint NOT NULL,
    device_id uuid NOT NULL,
    port integer,
    "timestamp" timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    message_id text,
    -- Identity of the reading: hash of messageId, or without one of port, timestamp and canonical metrics.
    key uuid NOT NULL,
    metrics json NOT NULL,
    CONSTRAINT pk_telemetry_raw PRIMARY KEY (organization_id, id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX ix_telemetry_raw_device ON telemetry_raw (organization_id, device_id, "timestamp");

-- One row per group commit, organization and partition. A stage marks its column in its own transaction.
CREATE TABLE raw_batches (
    organization_id integer NOT NULL,
    id bigint NOT NULL,
    partition smallint NOT NULL,
    transport text NOT NULL,
    received_at timestamptz NOT NULL,
    first_raw_id bigint NOT NULL,
    last_raw_id bigint NOT NULL,
    readings integer NOT NULL,
    bytes bigint NOT NULL,
    normalized_at timestamptz,
    -- Place in the live feed of its partition: the order of commits of the normalize stage.
    feed_position bigint,
    stored integer NOT NULL DEFAULT 0,
    duplicate integer NOT NULL DEFAULT 0,
    dead integer NOT NULL DEFAULT 0,
    points integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_raw_batches PRIMARY KEY (organization_id, id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX ix_raw_batches_unfinished ON raw_batches (partition, id) WHERE normalized_at IS NULL;
CREATE INDEX ix_raw_batches_feed ON raw_batches (partition, feed_position);
CREATE INDEX ix_raw_batches_received_at ON raw_batches (organization_id, received_at);

-- The smallest raw id of each distinct reading, and what became of it.
CREATE TABLE reading_keys (
    organization_id integer NOT NULL,
    device_id uuid NOT NULL,
    key uuid NOT NULL,
    raw_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    -- False: none of its points was stored.
    stored boolean NOT NULL,
    CONSTRAINT pk_reading_keys PRIMARY KEY (organization_id, device_id, key)
);

-- Points of one metric of one device port (or, derived, of one asset).
CREATE TABLE series (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity_id uuid NOT NULL,
    port integer,
    metric text NOT NULL,
    unit text,
    CONSTRAINT pk_series PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_series_entity UNIQUE NULLS NOT DISTINCT (organization_id, entity_id, port, metric),
    CONSTRAINT fk_series_entity FOREIGN KEY (organization_id, entity_id) REFERENCES entities (organization_id, id)
);

-- Points, partitioned by month of event time. type: 0 number, 1 boolean (0 and 1), 2 text.
CREATE TABLE telemetry_history (
    organization_id integer NOT NULL,
    type smallint NOT NULL,
    series_id bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    value double precision,
    raw_id bigint NOT NULL,
    text text,
    CONSTRAINT pk_telemetry_history PRIMARY KEY (organization_id, series_id, "timestamp")
) PARTITION BY RANGE ("timestamp");

-- The point with the greatest timestamp of each series as it now stands. Room in each page keeps updates in place.
CREATE TABLE latest_values (
    organization_id integer NOT NULL,
    type smallint NOT NULL,
    series_id bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    value double precision,
    raw_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    text text,
    CONSTRAINT pk_latest_values PRIMARY KEY (organization_id, series_id),
    CONSTRAINT fk_latest_values_series FOREIGN KEY (organization_id, series_id) REFERENCES series (organization_id, id)
) WITH (fillfactor = 50);

-- When a device was last heard, by receipt.
CREATE TABLE device_presence (
    organization_id integer NOT NULL,
    device_id uuid NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT pk_device_presence PRIMARY KEY (organization_id, device_id),
    CONSTRAINT fk_device_presence_device FOREIGN KEY (organization_id, device_id)
        REFERENCES devices (organization_id, id)
);
CREATE INDEX ix_device_presence_last_seen_at ON device_presence (organization_id, last_seen_at);

-- What a stage could not process: a whole reading (metric IS NULL) or one metric of it.
CREATE TABLE dead_letters (
    organization_id integer NOT NULL,
    id uuid NOT NULL,
    raw_id bigint NOT NULL,
    device_id uuid NOT NULL,
    stage text NOT NULL,
    metric text,
    code text NOT NULL,
    message text NOT NULL,
    payload json NOT NULL,
    received_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    failed_at timestamptz NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT pk_dead_letters PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_dead_letters_reading UNIQUE NULLS NOT DISTINCT (organization_id, raw_id, stage, metric),
    CONSTRAINT fk_dead_letters_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_dead_letters_received_at ON dead_letters (organization_id, received_at, id);

-- Who runs a stage on a partition. The fence rises with every change of holder and is checked at commit;
-- position counts the stage's commits.
CREATE TABLE stage_leases (
    stage text NOT NULL,
    partition smallint NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    position bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_stage_leases PRIMARY KEY (stage, partition)
);
