-- What rules found of devices may be wrong: where readings were judged by another process than had stored them, none of
-- them was seen. States that were stored of it go, and devices are judged anew from their readings, with the reason
-- `rejudge`: of an event that is found only now and is over, nobody is told. What lies before the points that are kept
-- stays what it is, and so does the state there, from which judging goes on.
ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',
        'membership', 'rollup', 'rule', 'timer', 'profile', 'area', 'health', 'repair', 'rejudge'));

DELETE FROM rule_states s USING entities e
WHERE e.organization_id = s.organization_id AND e.id = s.entity_id AND e.kind = 'DEVICE'
    AND s.at > (SELECT k.kept_from FROM points_kept k);

-- From where any rule may have judged the device first, to its last point; and every device that has events, whatever
-- its rules are by now.
INSERT INTO dirty_windows (organization_id, entity_id, begins, ends, reason)
SELECT d.organization_id, d.id, greatest(w.begins, '1970-01-01Z'), p.last + interval '1 microsecond', 'rejudge'
FROM entities d
CROSS JOIN LATERAL (
    SELECT least(
        (SELECT min(v.effective_from) FROM rule_versions v
         WHERE v.organization_id = d.organization_id AND v.is_active
            AND (v.entity_id = d.id OR (v.kind = d.kind AND v.type = d.type) OR v.under_id IS NOT NULL
                OR num_nonnulls(v.entity_id, v.type, v.under_id, v.profile_id) = 0)),
        (SELECT min(e.opened_at) FROM events e WHERE e.organization_id = d.organization_id AND e.entity_id = d.id)
    ) AS begins
) w
CROSS JOIN LATERAL (
    SELECT max(l."timestamp") AS last FROM series s
    JOIN latest_values l ON l.organization_id = s.organization_id AND l.series_id = s.id
    WHERE s.organization_id = d.organization_id AND s.entity_id = d.id
) p
WHERE d.kind = 'DEVICE' AND greatest(w.begins, '1970-01-01Z') <= p.last;
