"""Who marks a dirty bucket does not wait for who computes it."""

from migrations.script import execute_file

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0024_turns.sql")
