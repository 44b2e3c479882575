"""Erasures among the jobs that are counted when no worker took them up in time."""

from migrations.script import execute_file

revision = "0011_jobs_expired"
down_revision = "0010_latest_points"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the function that counts them."""
    execute_file("functions/monitoring.sql")
