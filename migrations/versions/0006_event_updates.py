"""The log of updates of events, from which subscriptions continue behind a cursor."""

from alembic import op

revision = "0006_event_updates"
down_revision = "0005_open_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, walled off by organization; triggers fill it (functions/event_updates.sql)."""
    op.execute(
        """
        CREATE TABLE event_updates (
            organization_id integer NOT NULL,
            id bigint GENERATED ALWAYS AS IDENTITY,
            event_id uuid NOT NULL,
            what text NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            -- Which transaction wrote it, and of which database cluster that is the number: it means nothing in another.
            transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
            cluster bigint NOT NULL,
            CONSTRAINT pk_event_updates PRIMARY KEY (organization_id, transaction, id)
        )
        """
    )
    op.execute("ALTER TABLE event_updates ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY organization_wall ON event_updates TO argus_api, argus_pipeline"
        " USING (organization_id = (SELECT current_organization()))"
        " WITH CHECK (organization_id = (SELECT current_organization()))"
    )
    op.execute("REVOKE ALL ON event_updates FROM PUBLIC")
    op.execute("GRANT SELECT ON event_updates TO argus_api")
