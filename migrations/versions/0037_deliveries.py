"""Deliver notifications by leases and destinations, keep the previous secret, count what processes do."""

from migrations.script import execute_file

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0037_deliveries.sql")
