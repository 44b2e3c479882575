"""Have rules judge what stands where a version begins, and end events of what was deleted."""

from migrations.script import execute_file

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0031_standing.sql")
