"""Rollups, and the buckets that wait to be computed."""

from migrations.script import execute_file

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0015_rollups.sql")
