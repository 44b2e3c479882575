"""Suppression follows shelves, windows and the graph; what follows from events is held over; their traces go in time."""

from migrations.script import execute_file

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0023_quiet.sql")
    execute_file("0023_keeping.sql")
