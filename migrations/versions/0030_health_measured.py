"""Remember since when assets are measured, and compute all series of health again."""

from migrations.script import execute_file

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0030_health_measured.sql")
