"""Shelves and maintenance windows: events that open within them are suppressed."""

from migrations.script import execute_file

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0018_suppression.sql")
