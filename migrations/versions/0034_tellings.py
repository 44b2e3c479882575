"""Number what is told of an event, and remember how it stood when it was told."""

from migrations.script import execute_file

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0034_tellings.sql")
