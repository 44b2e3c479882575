"""Organizations that are suspended: their callers are refused, and so are their readings."""

from alembic import op

revision = "0007_suspension"
down_revision = "0006_event_updates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the instant of a suspension; functions/organizations.sql refuses the readings."""
    op.execute("ALTER TABLE organizations ADD COLUMN suspended_at timestamptz")
