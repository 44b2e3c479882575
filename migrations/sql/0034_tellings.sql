-- What was told of an event to a destination: how often, and how the event stood when it was told last.
CREATE TABLE event_tellings (
    organization_id integer NOT NULL,
    event_id uuid NOT NULL,
    url text NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    CONSTRAINT pk_event_tellings PRIMARY KEY (organization_id, event_id, url),
    CONSTRAINT fk_event_tellings_event FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CONSTRAINT ck_event_tellings_state CHECK (state IN ('OPEN', 'CLEARED', 'WITHDRAWN'))
);
ALTER TABLE event_tellings ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_wall ON event_tellings TO argus_api, argus_pipeline
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE ON event_tellings TO argus_pipeline;

-- The number of a call among those about its event to its destination. One change may be told in more than one call.
ALTER TABLE notifications ADD COLUMN sequence integer;
ALTER TABLE notifications DROP CONSTRAINT uq_notifications_change;
UPDATE notifications n SET sequence = s.sequence FROM (
    SELECT organization_id, id,
        row_number() OVER (PARTITION BY organization_id, event_id, url ORDER BY change_id) AS sequence
    FROM notifications
) s WHERE n.organization_id = s.organization_id AND n.id = s.id;
CREATE UNIQUE INDEX uq_notifications_sequence ON notifications (organization_id, event_id, url, sequence);
INSERT INTO event_tellings (organization_id, event_id, url, sequence, state, severity)
SELECT DISTINCT ON (n.organization_id, n.event_id, n.url) n.organization_id, n.event_id, n.url, n.sequence,
    CASE n.payload->>'change' WHEN 'CLEARED' THEN 'CLEARED' WHEN 'WITHDRAWN' THEN 'WITHDRAWN' ELSE 'OPEN' END,
    coalesce(n.payload->'event'->>'severity', e.severity)
FROM notifications n JOIN events e ON e.organization_id = n.organization_id AND e.id = n.event_id
ORDER BY n.organization_id, n.event_id, n.url, n.sequence DESC;
-- Events whose end was never told, though their beginning was: they are looked at again, and told.
INSERT INTO event_changes (organization_id, event_id, kind, at, fenced)
SELECT DISTINCT e.organization_id, e.id, 'CORRECTED', e.opened_at, false
FROM event_tellings t JOIN events e ON e.organization_id = t.organization_id AND e.id = t.event_id
WHERE t.state <> CASE WHEN e.withdrawn_at IS NOT NULL THEN 'WITHDRAWN' WHEN e.cleared_at IS NOT NULL THEN 'CLEARED'
    ELSE 'OPEN' END;
