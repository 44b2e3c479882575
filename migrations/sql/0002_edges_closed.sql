-- What was closed since an instant: a snapshot in memory asks for it at every change.
CREATE INDEX ix_entity_edges_closed ON entity_edges (organization_id, upper(recorded))
    WHERE upper(recorded) IS NOT NULL;
