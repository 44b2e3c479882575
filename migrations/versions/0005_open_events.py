"""An index of the events that are open, which are few among all."""

from alembic import op

revision = "0005_open_events"
down_revision = "0004_access_scopes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.execute(
        "CREATE INDEX ix_events_open ON events (organization_id, entity_id)"
        " WHERE cleared_at IS NULL AND withdrawn_at IS NULL"
    )
