-- Telemetry: the raw log, what became of it, the points, and hourly aggregates of the points.

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
    -- Trace ids of the calls whose readings the batch holds: by them a reading is found in the logs of all stages.
    traces text[] NOT NULL DEFAULT '{}',
    CONSTRAINT pk_raw_batches PRIMARY KEY (organization_id, id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX ix_raw_batches_unfinished ON raw_batches (partition, id) WHERE normalized_at IS NULL;
CREATE INDEX ix_raw_batches_feed ON raw_batches (partition, feed_position);
CREATE INDEX ix_raw_batches_received_at ON raw_batches (organization_id, received_at);
-- The batches that wait, by organization: the account's pending readings.
CREATE INDEX ix_raw_batches_pending ON raw_batches (organization_id, received_at) INCLUDE (readings)
    WHERE normalized_at IS NULL;

-- What became of the readings of finished batches, by minute and by hour of their receipt: the account is summed from
-- these, and from single batches only in the minutes that a range cuts.
CREATE TABLE ingest_tallies (
    organization_id integer NOT NULL,
    -- Of the span, in seconds: 60 or 3600.
    width smallint NOT NULL,
    begins timestamptz NOT NULL,
    -- Partitions are normalized side by side, and would wait for each other for one row.
    partition smallint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    dead bigint NOT NULL,
    CONSTRAINT pk_ingest_tallies PRIMARY KEY (organization_id, width, begins, partition),
    CONSTRAINT fk_ingest_tallies_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_ingest_tallies_width CHECK (width IN (60, 3600))
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
    -- Given up by a person.
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

-- The point with the greatest timestamp of each series as it now stands. Room in each page keeps updates in place.
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

-- One row per hour that holds points. sum + sum_error is their exact sum. is_whole: everything that buckets ask of the
-- hour's points is here; where not (texts, sums that two doubles do not hold), the points are read as long as they are
-- kept, and the rest of the row is empty.
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
    -- NULL: not known; the points are read as long as they are kept.
    quarters bytea,
    CONSTRAINT pk_series_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_series_hours_series FOREIGN KEY (organization_id, series_id) REFERENCES series (organization_id, id),
    CONSTRAINT ck_series_hours_whole CHECK (is_whole = (num_nulls(points, least_type, greatest_type, least, greatest,
        first, last, sum, sum_error) = 0))
);

-- Hours that something was written to after they may have been summarized: their rows do not count until they have
-- been made anew.
CREATE TABLE dirty_hours (
    organization_id integer NOT NULL,
    series_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    marked_at timestamptz NOT NULL,
    CONSTRAINT pk_dirty_hours PRIMARY KEY (organization_id, series_id, hour),
    CONSTRAINT fk_dirty_hours_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_dirty_hours_marked_at ON dirty_hours (organization_id, marked_at);

-- How far an organization's hours have been summarized. All before `until` have. [until, next) has for the series up to
-- series_id. What lies before final_until is as it was when its points were dropped, for good.
CREATE TABLE hours_progress (
    organization_id integer NOT NULL,
    until timestamptz NOT NULL,
    next timestamptz,
    series_id bigint,
    final_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_hours_progress PRIMARY KEY (organization_id),
    CONSTRAINT fk_hours_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- One row. Nothing is written to history before kept_from. dropped_until: up to where points were dropped, for good;
-- between both there are none, and whoever lengthens what is kept may load some.
CREATE TABLE points_kept (
    is_only boolean NOT NULL DEFAULT true,
    kept_from timestamptz NOT NULL DEFAULT '-infinity',
    dropped_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pk_points_kept PRIMARY KEY (is_only),
    CONSTRAINT ck_points_kept_only CHECK (is_only)
);
INSERT INTO points_kept DEFAULT VALUES;
