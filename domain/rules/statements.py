"""SQL of stored evaluation state: states of (rule, entity) pairs, and the pairs that have events."""

from __future__ import annotations

from sqlalchemy import text

STATES = text(
    """
    SELECT u.n - 1 AS n, s.at, s.state FROM unnest(:entities, :rules, :keys, :begins) WITH ORDINALITY
        AS u (e, r, k, b, n)
    CROSS JOIN LATERAL (
        (SELECT s.at, s.state FROM rule_states s
         WHERE s.organization_id = :organization_id AND s.entity_id = u.e AND s.rule_id = u.r AND s.key = u.k
            AND s.at <= u.b
         ORDER BY s.at DESC LIMIT 1)
        UNION ALL
        (SELECT s.at, s.state FROM rule_states s
         WHERE s.organization_id = :organization_id AND s.entity_id = u.e AND s.rule_id = u.r AND s.key = u.k
            AND s.at > u.b)
    ) s ORDER BY 1, 2
    """
)
FORGET = text(
    """
    DELETE FROM rule_states s USING unnest(:entities, :rules, :keys, :begins, :ends) AS u (e, r, k, b, t)
    WHERE s.organization_id = :organization_id AND s.entity_id = u.e AND s.rule_id = u.r AND s.key = u.k
        AND s.at > u.b AND s.at < u.t
    """
)
REMEMBER = text(
    """
    INSERT INTO rule_states (organization_id, entity_id, rule_id, key, at, state)
    SELECT :organization_id, u.e, u.r, u.k, u.at, u.s FROM unnest(:entities, :rules, :keys, :at, :states)
        AS u (e, r, k, at, s)
    ON CONFLICT (organization_id, entity_id, rule_id, key, at) DO UPDATE SET state = excluded.state
    """
)
LEFT = text(
    """
    SELECT DISTINCT e.entity_id, e.rule_id, e.key FROM events e JOIN unnest(:entities, :begins) AS u (e, b)
        ON e.entity_id = u.e
    WHERE e.organization_id = :organization_id AND e.withdrawn_at IS NULL AND coalesce(e.cleared_at, 'infinity') >= u.b
    """
)
