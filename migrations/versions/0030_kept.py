"""Keep from when on points are kept, and quarters of hours; have hours made anew."""

from migrations.script import execute_file

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0030_kept.sql")
