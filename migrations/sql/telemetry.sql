-- Telemetry: the raw log, what became of it, the points, and hourly aggregates of the points.

CREATE SEQUENCE telemetry_raw_id_seq AS bigint CACHE 1;
CREATE SEQUENCE raw_batches_id_seq AS bigint CACHE 1;

-- The raw log: readings as they were acknowledged, partitioned by day of receipt. Only the owner can change it.
-- No foreign key to devices: devices are never removed, and the check would cost as much as the insert.
CREATE TABLE telemetry_raw (
    organization_id integer NOT NULL,
    id bigint NOT NULL,
    batch_id bigint NOT NULL,
    device_id uuid NOT NULL,
    port integer,
    "timestamp" timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    -- Identity of the reading: a hash of its messageId, or without one of port, timestamp and canonical metrics.
    key uuid NOT NULL,
    metrics json NOT NULL,
    CONSTRAINT pk_telemetry_raw PRIMARY KEY (organization_id, id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX ix_telemetry_raw_device ON telemetry_raw (organization_id, device_id, "timestamp");

-- One row per group commit, organization and partition. normalized_at is set by the transaction that stores
-- the points.
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
    -- Offset in the live feed of its partition: the order of commits of the stage normalize.
    feed_position bigint,
    stored integer NOT NULL DEFAULT 0,
    duplicate integer NOT NULL DEFAULT 0,
    dead integer NOT NULL DEFAULT 0,
    points integer NOT NULL DEFAULT 0,
    -- Trace ids of the calls whose readings the batch holds: by them a reading is found in the logs of all stages.
    traces text[] NOT NULL DEFAULT '{}',
    CONSTRAINT pk_raw_batches PRIMARY KEY (organization_id, id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX ix_raw_batches_unfinished ON raw_batches (partition, id) WHERE normalized_at IS NULL;
CREATE INDEX ix_raw_batches_feed ON raw_batches (partition, feed_position);
CREATE INDEX ix_raw_batches_received_at ON raw_batches (organization_id, received_at);
-- Batches that wait, by organization: the pending readings of ingest accounting.
CREATE INDEX ix_raw_batches_pending ON raw_batches (organization_id, received_at) INCLUDE (readings)
    WHERE normalized_at IS NULL;

-- Ingest accounting: what became of the readings of finished batches, by minute and by hour of receipt. Single batches
-- are read only for the minutes that a range cuts.
CREATE TABLE ingest_accounting (
    organization_id integer NOT NULL,
    -- Length of the span in seconds: 60 or 3600.
    width smallint NOT NULL,
    begins timestamptz NOT NULL,
    -- One row for each, because partitions are normalized concurrently.
    partition smallint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    dead bigint NOT NULL,
    CONSTRAINT pk_ingest_accounting PRIMARY KEY (organization_id, width, begins, partition),
    CONSTRAINT fk_ingest_accounting_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_ingest_accounting_width CHECK (width IN (60, 3600))
) WITH (fillfactor = 50);

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
    -- Discarded by a person.
    discarded_at timestamptz,
    discarded_by text,
    CONSTRAINT pk_dead_letters PRIMARY KEY (organization_id, id),
    CONSTRAINT uq_dead_letters_reading UNIQUE NULLS NOT DISTINCT (organization_id, raw_id, stage, metric),
    CONSTRAINT fk_dead_letters_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_dead_letters_received_at ON dead_letters (organization_id, received_at, id);

-- Points of one metric of one device port (or, derived, of one asset).
CREATE TABLE series (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity_id uuid NOT NULL,
    port integer,
    metric text NOT NULL,
    unit text,
    -- What writes a series of an asset or a space: 'formula', or another part of Argus. NULL: readings of a device.
    origin text,
    -- The type that the telemetry schema in force at the latest point gives the metric, as in telemetry_history.type.
    -- NULL: none, or not yet looked up.
    declared_type smallint,
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

-- The latest point of each series. The fill factor leaves room for updates in place (HOT).
CREATE TABLE latest_values (
    organization_id integer NOT NULL,
    type smallint NOT NULL,
    series_id bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    value double precision,
    raw_id bigint NOT NULL,
    -- NULL: the point is derived and was never received.
    received_at timestamptz,
    text text,
    CONSTRAINT pk_latest_values PRIMARY KEY (organization_id, series_id),
    CONSTRAINT fk_latest_values_series FOREIGN KEY (organization_id, series_id) REFERENCES series (organization_id, id)
) WITH (fillfactor = 50);

-- When the last reading of a device was received.
CREATE TABLE device_presence (
    organization_id integer NOT NULL,
    device_id uuid NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT pk_device_presence PRIMARY KEY (organization_id, device_id),
    CONSTRAINT fk_device_presence_device FOREIGN KEY (organization_id, device_id)
        REFERENCES devices (organization_id, id)
);
CREATE INDEX ix_device_presence_last_seen_at ON device_presence (organization_id, last_seen_at);

-- Hourly aggregates: one row for each hour that has points. sum + sum_error is the exact sum. is_whole: the row answers
-- everything that buckets ask; where not (texts, sums that two doubles cannot hold), the rest of the row is empty, and
-- the points are read as long as they are retained.
CREATE TABLE series_hours (
    organization_id integer NOT NULL,
    series_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    is_whole boolean NOT NULL,
    points integer,
    least_type smallint,
    greatest_type smallint,
    least double precision,
    greatest double precision,
    first double precision,
    last double precision,
    sum double precision,
    sum_error double precision,
    -- The same of each quarter of the hour: four records, packed by domain/telemetry/store/hourly_summary.py.
    -- NULL: not known; the points are read as long as they are retained.
    quarters bytea,
    CONSTRAINT pk_series_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_series_hours_series FOREIGN KEY (organization_id, series_id) REFERENCES series (organization_id, id),
    CONSTRAINT ck_series_hours_whole CHECK (is_whole = (num_nulls(points, least_type, greatest_type, least, greatest,
        first, last, sum, sum_error) = 0))
);

-- Hours whose aggregate may be wrong, because points were written to them since. It is not read until it is recomputed.
CREATE TABLE dirty_hours (
    organization_id integer NOT NULL,
    series_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    invalidated_at timestamptz NOT NULL,
    CONSTRAINT pk_dirty_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_dirty_hours_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_dirty_hours_invalidated_at ON dirty_hours (organization_id, invalidated_at);

-- Up to when an organization has hourly aggregates: all before `until`; [until, next) for the series up to series_id.
-- What lies before final_until stays, because its points have been dropped.
CREATE TABLE hours_progress (
    organization_id integer NOT NULL,
    until timestamptz NOT NULL,
    next timestamptz,
    series_id bigint,
    final_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_hours_progress PRIMARY KEY (organization_id),
    CONSTRAINT fk_hours_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- One row. No point is written before retained_from. Points before dropped_until have been dropped. Between both there
-- are none, but where the retention is lengthened they may be loaded.
CREATE TABLE history_retention (
    is_only boolean NOT NULL DEFAULT true,
    retained_from timestamptz NOT NULL DEFAULT '-infinity',
    dropped_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_history_retention PRIMARY KEY (is_only),
    CONSTRAINT ck_history_retention_only CHECK (is_only)
);
INSERT INTO history_retention DEFAULT VALUES;
