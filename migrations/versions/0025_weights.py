"""A weight counts from the time on at which it was recorded, and its edit has only that computed anew."""

from migrations.script import execute_file

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0025_weights.sql")
