"""Rules and their versions, events, and what becomes of them."""

from migrations.script import execute_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0013_rules.sql")
