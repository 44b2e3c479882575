"""Deliver notifications by leases and destinations, keep the previous secret, count what processes do."""

from migrations.script import execute_file

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0034_deliveries.sql")
