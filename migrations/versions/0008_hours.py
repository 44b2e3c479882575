"""Hours of series: what their points come to."""

from migrations.script import execute_file

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0008_hours.sql")
