"""Indexes for reading: what was closed since, where an organization has things."""

from migrations.script import execute_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0002_reading.sql")
