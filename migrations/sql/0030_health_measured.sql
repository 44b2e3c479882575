-- Since when an asset is measured, as its series of health has it: an asset that falls silent is known to be silent for
-- ever, so that an earlier first reading changes what lies behind it.
CREATE TABLE health_measured (
    organization_id integer NOT NULL,
    entity_id uuid NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT pk_health_measured PRIMARY KEY (organization_id, entity_id),
    CONSTRAINT fk_health_measured_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
ALTER TABLE health_measured ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON health_measured TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE, DELETE ON health_measured TO argus_pipeline;

-- Series of health that were computed as readings came forgot silence after a while: all are computed again. What rests
-- on points that are no longer kept stays: no freshness is longer than 31 days.
INSERT INTO dirty_buckets (organization_id, entity_id, what, begins, ends, changed_from, turn)
SELECT a.organization_id, a.id, 'health', u.begins, '9999-01-01Z', u.begins,
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM dirty_buckets_turn)
FROM assets a
CROSS JOIN LATERAL (
    SELECT greatest('1970-01-01Z', date_trunc('day', (SELECT p.final_until FROM hours_progress p
        WHERE p.organization_id = a.organization_id AND isfinite(p.final_until)) + '32 days'::interval, 'UTC')) AS begins
) u
WHERE a.profile_id IS NOT NULL
ON CONFLICT (organization_id, entity_id, what, begins, turn) DO UPDATE
    SET ends = excluded.ends, changed_from = least(dirty_buckets.changed_from, excluded.changed_from);
