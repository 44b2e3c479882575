"""Asset profiles with versions by event time; timers of health."""

from migrations.script import execute_file

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0016_profiles.sql")
