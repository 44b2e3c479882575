"""A device's port is shared unless a link is exclusive: the place of an edge, and whether it has it alone."""

from alembic import op

revision = "0002_shared_ports"
down_revision = "0001_initial_schema"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Links that monitor are shared from now on, all that are believed and all that were; others stay as they are."""
    op.execute("ALTER TABLE entity_edges DROP CONSTRAINT ex_entity_edges_exclusive")
    op.execute("ALTER TABLE entity_edges RENAME COLUMN exclusive_key TO place")
    op.execute("ALTER TABLE entity_edges ADD COLUMN exclusive boolean NOT NULL DEFAULT false")
    op.execute(
        "UPDATE relationships SET exclusive = NULL, exclusive_among = NULL WHERE name = 'MONITORED_BY' AND built_in"
    )
    # A place by choice is the port of a device, where the relationship leads to devices alone, among the edges from
    # entities of one kind (graph/edges/rules.py).
    op.execute(
        """
        UPDATE entity_edges e SET
            place = CASE
                WHEN r.exclusive IS NOT NULL AND r.exclusive_among IS NULL THEN e.place
                WHEN r.target_kinds = '{DEVICE}'
                    THEN concat_ws(' ', e.relationship, e.target_id, coalesce(e.port::text, '-'), e.source_kind)
                END,
            exclusive = r.exclusive IS NOT NULL
                AND (r.exclusive_among IS NULL OR e.source_kind = ANY (r.exclusive_among))
        FROM relationships r WHERE r.organization_id = e.organization_id AND r.name = e.relationship
            AND (e.place IS NOT NULL OR r.target_kinds = '{DEVICE}')
        """
    )
    op.execute(
        "ALTER TABLE entity_edges"
        " ADD CONSTRAINT ck_entity_edges_exclusive CHECK (place IS NOT NULL OR NOT exclusive),"
        " ADD CONSTRAINT ex_entity_edges_exclusive EXCLUDE USING gist ("
        "organization_id WITH =, place WITH =, valid WITH &&) WHERE (upper_inf(recorded) AND exclusive),"
        # No shared edge beside an exclusive one.
        " ADD CONSTRAINT ex_entity_edges_shared EXCLUDE USING gist ("
        "organization_id WITH =, place WITH =, (exclusive::integer) WITH <>, valid WITH &&)"
        " WHERE (upper_inf(recorded) AND place IS NOT NULL)"
    )
