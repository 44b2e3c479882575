"""Keep from when on points are kept, and quarters of hours; have hours made anew."""

from migrations.script import execute_file

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0036_kept.sql")
