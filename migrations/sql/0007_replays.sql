-- Replays: readings of a time are sent through the stages again, by whoever takes the job up, from where it stands.
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

ALTER TABLE replays ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON replays TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY pipeline_lists ON replays FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE (state, finished_at) ON replays TO argus_api;
GRANT SELECT, UPDATE ON replays TO argus_pipeline;
